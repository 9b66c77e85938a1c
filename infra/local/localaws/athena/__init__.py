"""Athena on one machine: Trino SQL and Hive DDL over the local S3 and the Glue catalog.

The life of one query: `service` takes the call and `worker` runs it as its caller; `statements`
says what it is, `running` and `definitions` see it through; `sql` translates Trino into DuckDB,
`tables` finds and reads what it needs, and `results` writes the rows as Athena does.

README.md beside this file says what it takes, and what differs from AWS.
"""
