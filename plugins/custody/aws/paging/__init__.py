"""The state of each page (in the analytics bucket), and the recorder's dead-letter queue.

Not here: which finding is news and how a message reads (`custody.core.paging`).
"""
