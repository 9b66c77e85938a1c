-- Grain:   one row per product_id
-- Reads:   silver and silver_lines, the rows of one day of the orders dataset and the items of their
--          array `lines`
-- Writes:  gold_orders_by_product, partition dt = that day
-- Runs on: Spark SQL with ANSI mode on, by the Glue job silver_to_gold
SELECT
    silver_lines.product_id,
    COUNT(DISTINCT silver.order_id) AS orders,
    SUM(silver_lines.quantity) AS quantity,
    CAST(SUM(silver_lines.quantity * silver_lines.unit_price_usd) AS DECIMAL(18, 2)) AS amount_usd
FROM silver
INNER JOIN silver_lines ON silver.order_id = silver_lines.order_id
WHERE silver.status <> 'cancelled'
GROUP BY silver_lines.product_id
