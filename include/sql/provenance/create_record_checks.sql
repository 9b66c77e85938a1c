-- Grain:   one row per stored version of a record object that a reconciliation has read and checked
--          (twice if a run was killed at the wrong moment)
-- Writes:  the table definition record_checks, no data
-- Params:  analytics_bucket (settings), columns (custody.core.ledger.tables.COLUMNS)
-- Notes:   dt is the day the record is filed under. statement is the record's in-toto statement, NULL
--          if it could not be read; trouble says why its envelope is not to be believed, NULL if it
--          is. Written by the Glue job reconcile; a record is verified once.
CREATE EXTERNAL TABLE IF NOT EXISTS record_checks (
    {%- for column in columns.record_checks %}
    {{ column.name }} {{ column.type }}{{ ',' if not loop.last }}
    {%- endfor %}
)
PARTITIONED BY (dt STRING)
STORED AS PARQUET
LOCATION 's3://{{ var.json.custody.analytics_bucket }}/record_checks'
TBLPROPERTIES (
    'projection.enabled' = 'true',
    'projection.dt.type' = 'date',
    'projection.dt.format' = 'yyyy-MM-dd',
    'projection.dt.interval' = '1',
    'projection.dt.interval.unit' = 'DAYS',
    'projection.dt.range' = '2026-11-01,NOW+1DAYS',
    'storage.location.template' = 's3://{{ var.json.custody.analytics_bucket }}/record_checks/dt=${dt}'
)
