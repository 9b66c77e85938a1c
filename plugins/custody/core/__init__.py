"""The rules of custody, as pure functions of their arguments.

Only `signatures`, `digest_signatures`, `signed_note` and what builds on them need a package
beyond the standard library: `cryptography`, which the Lambda runtime does not have. Nothing that
the recorder uses may import them.
"""
