CREATE EXTERNAL TABLE IF NOT EXISTS silver_customers_files (
    source_key STRING,
    source_version_id STRING,
    sha256 STRING,
    size_bytes BIGINT,
    landed_rows BIGINT,
    silver_rows BIGINT,
    duplicate_rows BIGINT,
    quarantined_rows BIGINT,
    file_reason STRING
)
PARTITIONED BY (dt STRING)
STORED AS PARQUET
LOCATION 's3://the-processed-bucket/files/customers/'
