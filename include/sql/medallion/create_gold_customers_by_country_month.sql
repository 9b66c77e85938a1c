-- Grain:   one row per (dt, country, signup_month)
-- Writes:  the table definition gold_customers_by_country_month, no data
-- Params:  analytics_bucket (settings)
-- Notes:   written by include/glue_jobs/silver_to_gold.py with
--          ../gold/customers_by_country_month.sql; a partition's location names the run that
--          counts, so never run MSCK REPAIR on this table.
CREATE EXTERNAL TABLE IF NOT EXISTS gold_customers_by_country_month (
    country STRING,
    signup_month STRING,
    customers BIGINT,
    premium_customers BIGINT,
    total_orders BIGINT,
    total_spent_usd DECIMAL(18, 2)
)
PARTITIONED BY (dt STRING)
STORED AS PARQUET
LOCATION 's3://{{ var.json.custody.analytics_bucket }}/gold/customers_by_country_month/'
