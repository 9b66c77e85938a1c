"""The rules of custody, as pure functions of their arguments.

Only ``custody.core.signatures`` needs a package beyond the standard library: ``cryptography``,
which the Lambda runtime does not have. Nothing that the recorder uses may import it.
"""
