"""From the journal to the bucket: log files, digest files, and the keys that sign them.

`delivery` says what is due and keeps order, `logfiles` and `digests` make the bytes, `permissions`
and `bucketwriter` put them there as the service would. What an event holds was settled before, in
`localaws.cloudtrail.recording`.
"""
