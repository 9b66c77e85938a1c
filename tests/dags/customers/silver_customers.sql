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
LOCATION 's3://the-processed-bucket/silver/customers/'
