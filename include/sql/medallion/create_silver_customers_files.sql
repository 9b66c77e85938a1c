-- Grain:   one row per landed object version the day's run saw: its row accounting
--          (landed_rows = silver_rows + duplicate_rows + quarantined_rows)
-- Writes:  the table definition silver_customers_files, no data
-- Params:  processed_bucket (settings)
-- Notes:   written by include/glue_jobs/bronze_to_silver.py; a partition's location names the run
--          that counts, so never run MSCK REPAIR on this table.
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
LOCATION 's3://{{ var.json.custody.processed_bucket }}/files/customers/'
