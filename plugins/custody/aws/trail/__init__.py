"""CloudTrail's bucket and API: its objects with their versions, its state, and proving it.

Not here: the rules between digests and the meaning of events (`custody.core.trail`).
"""
