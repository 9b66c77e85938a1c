"""What was acknowledged survives a kill, whichever service it was.

`middleware` holds every answer back until what it says is on disk; `checkpoint`, `journal`,
`queues` and `s3writes` are what it puts there and reads again. CloudTrail and the job runs of Glue
keep state of their own, in their packages.
"""
