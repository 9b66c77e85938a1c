"""The seal in the provenance bucket: checking the transparency log and appending to it.

Not here: the log's rules (`custody.core.tlog`, `custody.core.seal`).
"""
