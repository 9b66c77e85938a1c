"""What a query reads: the Glue catalog, the partitions of a table, and the objects in S3."""
