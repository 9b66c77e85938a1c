-- Grain:   one row per (country, signup_month)
-- Reads:   silver, the rows of one day of the customers dataset
-- Writes:  gold_customers_by_country_month, partition dt = that day
-- Runs on: Spark SQL with ANSI mode on, by the Glue job silver_to_gold: an amount that does not fit
--          its type fails the run instead of becoming null
SELECT
    country,
    DATE_FORMAT(signup_date, 'yyyy-MM') AS signup_month,
    COUNT(*) AS customers,
    COUNT(*) FILTER (WHERE is_premium) AS premium_customers,
    SUM(total_orders) AS total_orders,
    CAST(SUM(total_spent_usd) AS DECIMAL(18, 2)) AS total_spent_usd
FROM silver
GROUP BY
    country,
    DATE_FORMAT(signup_date, 'yyyy-MM')
