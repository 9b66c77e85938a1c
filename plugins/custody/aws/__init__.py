"""The boto3-facing side of custody, a package per kind of thing it reads and keeps.

Clients are passed in; nothing here builds one or reads the environment. Not here: decisions
(`custody.core`), and what runs on Spark (`custody.spark`). What the recorder imports may not need
`cryptography`, which the Lambda runtime does not have: `make lint` holds it.
"""
