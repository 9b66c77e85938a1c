"""Datasets: their contracts, and how the rows of a landed file are read.

Applying a contract's rules to rows at scale belongs in `custody.spark.silver`.
"""
