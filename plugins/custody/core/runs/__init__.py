"""What a run of a job that judges states of itself: by which policy and code it judged, and what it
found.

Where statements are kept is for `custody.aws.runs`; what becomes of the findings, for
`custody.core.paging`.
"""
