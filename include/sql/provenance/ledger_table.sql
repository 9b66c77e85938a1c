-- Grain:   one row of a ledger: that of create_reconciliation.sql or create_audit.sql
-- Writes:  the table definition of either, no data
-- Params:  table (its name, and its folder in the analytics bucket), analytics_bucket (settings),
--          columns (custody.core.ledger.tables.COLUMNS)
-- Notes:   The columns are the fields of custody.core.ledger.rows.LedgerRow, and when and over which
--          window they were judged. dt and hour are those of event_time (UTC).
--          record_key, log_key and digest_key name the evidence: the record in the provenance bucket,
--          the log file and the digest that vouches for it in the trail bucket. Every run writes to a
--          prefix of its own; a partition's location names the run that counts. Nothing is found by
--          its path, so never run MSCK REPAIR on these tables.
CREATE EXTERNAL TABLE IF NOT EXISTS {{ table }} (
    {%- for column in columns.ledger %}
    {{ column.name }} {{ column.type }},
    {%- endfor %}
    as_of TIMESTAMP,
    window_start TIMESTAMP,
    window_end TIMESTAMP
)
PARTITIONED BY (dt STRING, hour STRING)
STORED AS PARQUET
LOCATION 's3://{{ var.json.custody.analytics_bucket }}/{{ table }}/'
