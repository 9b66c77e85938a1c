"""Athena on one machine: Trino SQL and Hive DDL over the local S3 and the Glue catalog.

The life of one query: `service` takes the call and `worker` runs it as its caller; `statements`
and `ddl` say what it is; `query` and its helpers (`sources`, `expressions`, `functions`…) translate
Trino into DuckDB; `pruning`, `projection` and `partitions` find what must be read; `storage` and
`formats` read it; `results` and `writing` put the rows where Athena puts them.

README.md beside this file says what differs from AWS.
"""
