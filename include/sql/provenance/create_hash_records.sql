-- Grain:   one row per hash record: a DSSE envelope, one JSON line in an object of its own
-- Writes:  the table definition hash_records, no data
-- Params:  provenance_bucket (settings)
-- Notes:   dt is the day of the S3 event the record is about. The payload stays base64 here: the
--          ledger decodes it. A line that is not JSON comes back as a row of NULLs
--          (ignore.malformed.json) instead of failing every query; `"$path"` names its object.
CREATE EXTERNAL TABLE IF NOT EXISTS hash_records (
    payload STRING,
    payloadtype STRING,
    signatures ARRAY<STRUCT<
        keyid: STRING,
        sig: STRING>>
)
PARTITIONED BY (dt STRING)
ROW FORMAT SERDE 'org.openx.data.jsonserde.JsonSerDe'
WITH SERDEPROPERTIES ('ignore.malformed.json' = 'true')
STORED AS TEXTFILE
LOCATION 's3://{{ var.json.custody.provenance_bucket }}/provenance/incoming'
TBLPROPERTIES (
    'projection.enabled' = 'true',
    'projection.dt.type' = 'date',
    'projection.dt.format' = 'yyyy-MM-dd',
    'projection.dt.interval' = '1',
    'projection.dt.interval.unit' = 'DAYS',
    'projection.dt.range' = '2026-11-01,NOW+1DAYS',
    'storage.location.template' = 's3://{{ var.json.custody.provenance_bucket }}/provenance/incoming/dt=${dt}'
)
