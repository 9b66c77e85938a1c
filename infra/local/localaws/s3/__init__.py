"""What we add to ministack's S3, beside its durability and its CloudTrail events.

The permissions of its KMS keys are in `localaws.access.encryption`.
"""
