-- Grain:   one row per publication and table that it shows: which run's rows of a day, since when
-- Writes:  the table definition publications, no data
-- Params:  analytics_bucket (settings), columns (custody.core.ledger.tables.COLUMNS)
-- Notes:   of a dataset and day the highest number counts, and the partitions of its tables follow it.
--          dt is the day of the data. published_at is UTC and compares as text. asked_by and reason are
--          what Airflow said. Written once each, by the DAGs `medallion_<dataset>`. Not partitioned:
--          a publication is a line a table, and a question about a time is about any day.
CREATE EXTERNAL TABLE IF NOT EXISTS publications (
    {%- for column in columns.publications %}
    {{ column.name }} {{ column.type }}{{ ',' if not loop.last }}
    {%- endfor %}
)
ROW FORMAT SERDE 'org.openx.data.jsonserde.JsonSerDe'
WITH SERDEPROPERTIES ('ignore.malformed.json' = 'true')
STORED AS TEXTFILE
LOCATION 's3://{{ var.json.custody.analytics_bucket }}/publications'
