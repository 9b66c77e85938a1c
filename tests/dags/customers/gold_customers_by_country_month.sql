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
LOCATION 's3://the-analytics-bucket/gold/customers_by_country_month/'
