"""A day of a dataset: waiting for its files, telling what became of them, publishing it.

Not here: what builds the day, which are the jobs (`custody.spark`).
"""
