-- Grain:   one row per landed object version of the day: its row accounting
-- Reads:   silver_{{ dataset }}_files, partition dt = the day
-- Writes:  nothing
-- Params:  dataset, dataset_day, params.dt, dag_run (the day to read)
SELECT
    source_key,
    source_version_id,
    landed_rows,
    silver_rows,
    duplicate_rows,
    quarantined_rows,
    file_reason
FROM silver_{{ dataset }}_files
WHERE dt = '{{ dataset_day(params.dt, dag_run) }}'
ORDER BY source_key
