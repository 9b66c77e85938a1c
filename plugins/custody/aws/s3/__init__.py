"""Object versions in S3: listing, reading, hashing and writing them once, and what S3's errors say.

Nothing else reads from S3 or lists it: so each read is bounded, resumes where its connection
broke off, and means the same by an object that is absent. Not here: what the objects mean; each
kind of object has its own package beside this one.
"""
