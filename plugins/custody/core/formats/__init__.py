"""Formats that others defined, read and written exactly: strict JSON and gzip, DSSE, in-toto
statements, ECDSA P-256 signatures, S3's checksums, names and times.

Nothing here knows what a record, a trail or a seal is: what the platform puts into these formats
lives in the packages that build on them.
"""
