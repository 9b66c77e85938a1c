-- Grain:   one row per sensor_id
-- Reads:   silver, the rows of one day of the sensors dataset
-- Writes:  gold_temperatures_by_sensor, partition dt = that day
-- Runs on: Spark SQL with ANSI mode on, by the Glue job silver_to_gold
SELECT
    sensor_id,
    COUNT(*) AS readings,
    MIN(temperature_c) AS coldest_c,
    MAX(temperature_c) AS warmest_c,
    COUNT(*) FILTER (WHERE is_door_open) AS readings_door_open
FROM silver
GROUP BY sensor_id
