-- Grain:   one row per stored version of a lineage statement that a reconciliation has read and
--          checked (again if a run was killed at the wrong moment, or if S3 had not handed it out)
-- Writes:  the table definition lineage_checks, no data
-- Params:  analytics_bucket (settings), columns (custody.core.ledger.tables.COLUMNS)
-- Notes:   dt is the day of written_at, when it was written as CloudTrail says; a statement is filed
--          under the day its run built. was_read is false where S3 did not hand it out. trouble says
--          why it is not to be believed, NULL if it is: the ledger has a BAD_SIGNATURE for it. Joins
--          the ledger on bucket, object_key = statement_key and version_id = statement_version.
--          Written by the Glue job reconcile; a statement is verified once.
CREATE EXTERNAL TABLE IF NOT EXISTS lineage_checks (
    {%- for column in columns.lineage_checks %}
    {{ column.name }} {{ column.type }}{{ ',' if not loop.last }}
    {%- endfor %}
)
PARTITIONED BY (dt STRING)
STORED AS PARQUET
LOCATION 's3://{{ var.json.custody.analytics_bucket }}/lineage_checks'
TBLPROPERTIES (
    'projection.enabled' = 'true',
    'projection.dt.type' = 'date',
    'projection.dt.format' = 'yyyy-MM-dd',
    'projection.dt.interval' = '1',
    'projection.dt.interval.unit' = 'DAYS',
    'projection.dt.range' = '2026-11-01,NOW+1DAYS',
    'storage.location.template' = 's3://{{ var.json.custody.analytics_bucket }}/lineage_checks/dt=${dt}'
)
