-- Grain:   one row per finding of an audit, and one per object version whose bytes it read and found
--          as recorded (VERIFIED)
-- Writes:  the table definition audit, no data
-- Params:  analytics_bucket (settings)
-- Notes:   The columns are those of reconciliation, so that what reads one reads the other.
--          event_time is when it was found to be so, dt and hour are those of it (UTC). Rows from
--          window_start to window_end say which days of the trail were looked at for who did it.
--          Every audit writes to a prefix of its own; a partition's location names it. Nothing is
--          found by its path, so never run MSCK REPAIR on this table.
CREATE EXTERNAL TABLE IF NOT EXISTS audit (
    event_time TIMESTAMP,
    event_name STRING,
    bucket STRING,
    object_key STRING,
    version_id STRING,
    principal_arn STRING,
    principal_type STRING,
    source_ip STRING,
    user_agent STRING,
    request_id STRING,
    event_id STRING,
    sha256 STRING,
    size_bytes BIGINT,
    hashed_at TIMESTAMP,
    key_id STRING,
    pipeline_layer STRING,
    verdict STRING,
    verdict_reason STRING,
    fingerprint STRING,
    record_key STRING,
    log_key STRING,
    as_of TIMESTAMP,
    window_start TIMESTAMP,
    window_end TIMESTAMP
)
PARTITIONED BY (dt STRING, hour STRING)
STORED AS PARQUET
LOCATION 's3://{{ var.json.custody.analytics_bucket }}/audit/'
