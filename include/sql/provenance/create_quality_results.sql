-- Grain:   one row per rule of a table and run that built a day of it: what was found, and what became of it
-- Writes:  the table definition quality_results, no data
-- Params:  analytics_bucket (settings), columns (custody.core.ledger.tables.COLUMNS)
-- Notes:   dt is the day of the data. outcome is passed, failed (nothing was published), warned, or skipped
--          (there was nothing to compare with). found is a number as text: CAST it. judged_at is UTC and
--          compares as text. Written once each, by the Glue jobs bronze_to_silver and silver_to_gold;
--          runs that failed are among them. Nothing that decides reads this table.
CREATE EXTERNAL TABLE IF NOT EXISTS quality_results (
    {%- for column in columns.quality_results %}
    {{ column.name }} {{ column.type }}{{ ',' if not loop.last }}
    {%- endfor %}
)
PARTITIONED BY (dt STRING)
ROW FORMAT SERDE 'org.openx.data.jsonserde.JsonSerDe'
WITH SERDEPROPERTIES ('ignore.malformed.json' = 'true')
STORED AS TEXTFILE
LOCATION 's3://{{ var.json.custody.analytics_bucket }}/quality/results'
TBLPROPERTIES (
    'projection.enabled' = 'true',
    'projection.dt.type' = 'date',
    'projection.dt.format' = 'yyyy-MM-dd',
    'projection.dt.interval' = '1',
    'projection.dt.interval.unit' = 'DAYS',
    'projection.dt.range' = '2020-01-01,NOW+1DAYS',
    'storage.location.template' = 's3://{{ var.json.custody.analytics_bucket }}/quality/results/dt=${dt}'
)
