"""From a call that passes to events in the journal: what CloudTrail records, and for whom.

`observer` (S3) and `apicalls` (all others) see calls pass; `events` and `management` say what a
record of them holds; `recorder` hands these to the trails that select them. Nothing here writes
to a bucket: that is `localaws.cloudtrail.delivery`.
"""
