"""What runs on Spark: reading, judging and writing at scale.

A package or module per job (`reconcile`, `audit`, `silver`, `gold`), and beside them what they
share: how a job starts, the tables they write, the trail's events, hashing, lineage. Rules do not
belong here but in `custody.core`, access to AWS in `custody.aws`; arguments are read by the scripts
in `include/glue_jobs`. Workers import code by the name of its module: what travels to them must be
defined here, not in a script.
"""
