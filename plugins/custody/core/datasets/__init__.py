"""Datasets: their contracts, and how the rows of a landed file are read.

Not here: applying a contract's rules to rows at scale (the Glue jobs).
"""
