"""The Spark that a script finds: its configuration, its jars, and what makes it start quickly.

`jars` and `archive` are run by `infra/setup`; `warm_up` and `workers` run in the environment of the
jobs and import nothing of ours.
"""
