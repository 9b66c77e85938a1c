"""The boto3-facing side of custody: reading object versions, signing, keeping records.

Clients are passed in; nothing here builds one or reads the environment. `public_keys`, `seal`
and `seal_key` need `cryptography`, which the Lambda runtime does not have: the recorder must
not import them.
"""
