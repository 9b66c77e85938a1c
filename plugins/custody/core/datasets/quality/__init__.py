"""Rules for a table as a whole: what a contract says of them, and whether a day keeps them.

Rules for a value are in `custody.core.datasets.columns`: they cost a row, these cost the day. What
is measured for them is for Spark (`custody.spark.quality`).
"""
