"""One module per command of `custody`: what it asks for, and what it prints.

Not here: reading buckets, copies and cases (`custody.reading`).
"""
