-- Grain:   one row per rejected row of a landed file; one without source_line per rejected file
-- Writes:  the table definition silver_customers_quarantine, no data
-- Params:  processed_bucket (settings)
-- Notes:   written by include/glue_jobs/bronze_to_silver.py; a partition's location names the run
--          that counts, so never run MSCK REPAIR on this table.
CREATE EXTERNAL TABLE IF NOT EXISTS silver_customers_quarantine (
    source_key STRING,
    source_version_id STRING,
    source_line INT,
    reasons ARRAY<STRING>,
    raw_line STRING
)
PARTITIONED BY (dt STRING)
STORED AS PARQUET
LOCATION 's3://{{ var.json.custody.processed_bucket }}/quarantine/customers/'
