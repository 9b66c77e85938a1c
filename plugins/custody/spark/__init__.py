"""What runs on Spark: reading, judging and writing at scale.

Rules come from `custody.core`, access to AWS from `custody.aws`; the scripts in
`include/glue_jobs` call this package.
"""
