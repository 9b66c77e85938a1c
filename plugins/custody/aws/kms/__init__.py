"""Keys in KMS: signing statements and checkpoints, and fetching the public keys that verify them.

Not here: verifying (`custody.core`).
"""
