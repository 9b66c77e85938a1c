"""Landing records in the provenance bucket: making, keeping and reading them, which files still
wait for theirs (`awaiting`), and landed files through the custody gate.

`recording`, `keeping` and `large_objects` are what the recorder runs on: they may not need
`cryptography`. Not here: what a record says and how it is checked (`custody.core.records`).
"""
