"""Landing records in the provenance bucket: making, keeping, listing and reading them, and landed
files through the custody gate.

`recording`, `keeping` and `large_objects` are what the recorder runs on: they may not need
`cryptography`.
"""
