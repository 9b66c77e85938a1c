-- Grain:   one row per status
-- Reads:   silver, the rows of one day of the orders dataset
-- Writes:  gold_orders_by_status, partition dt = that day
-- Runs on: Spark SQL with ANSI mode on, by the Glue job silver_to_gold
SELECT
    status,
    COUNT(*) AS orders,
    COUNT(DISTINCT customer_id) AS customers,
    CAST(SUM(amount_usd) AS DECIMAL(18, 2)) AS amount_usd
FROM silver
GROUP BY status
