"""Object versions in S3: listing, reading, hashing and writing them once.

Not here: what the objects mean; each kind of object has its own package beside this one.
"""
