CREATE EXTERNAL TABLE IF NOT EXISTS silver_customers_quarantine (
    source_key STRING,
    source_version_id STRING,
    source_line INT,
    reasons ARRAY<STRING>,
    raw_line STRING
)
PARTITIONED BY (dt STRING)
STORED AS PARQUET
LOCATION 's3://the-processed-bucket/quarantine/customers/'
