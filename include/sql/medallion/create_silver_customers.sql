-- Grain:   one row per (dt, customer_id): a customer as the day's files describe them
-- Writes:  the table definition silver_customers, no data
-- Params:  processed_bucket (settings)
-- Notes:   written by include/glue_jobs/bronze_to_silver.py after the contract customers; a
--          partition's location names the run that counts, so never run MSCK REPAIR on this table.
CREATE EXTERNAL TABLE IF NOT EXISTS silver_customers (
    customer_id STRING,
    first_name STRING,
    last_name STRING,
    email STRING,
    country STRING,
    signup_date DATE,
    last_login TIMESTAMP,
    total_orders BIGINT,
    total_spent_usd DECIMAL(12, 2),
    is_premium BOOLEAN,
    `_source_key` STRING,
    `_source_version_id` STRING,
    `_source_line` INT
)
PARTITIONED BY (dt STRING)
STORED AS PARQUET
LOCATION 's3://{{ var.json.custody.processed_bucket }}/silver/customers/'
