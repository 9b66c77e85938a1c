"""CloudTrail: its layout in S3, digests and their chain, data events, management events,
principals.

Not here: verdicts on what the events say (`ledger`), and reading from S3 (`custody.aws.trail`).
"""
