SELECT
    status,
    COUNT(*) AS returns,
    CAST(SUM(amount_usd) AS DECIMAL(18, 2)) AS amount_usd
FROM silver
GROUP BY status
