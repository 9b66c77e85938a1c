"""Building silver: the files of one dataset's day, read, judged by its contract, and accounted for.

What a contract says is decided in `custody.core.datasets`, which bytes may be read in
`custody.aws.records`; lineage, which every build states, is in `custody.spark.glue_runs`.
"""
