"""Which hours are judged: the windows of runs, and the chain by which no hour is left out.

What is decided about a write is no matter of this package.
"""
