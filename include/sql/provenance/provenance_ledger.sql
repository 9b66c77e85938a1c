-- Grain:   one row per write of an object version, plus one per record without a write
-- Reads:   cloudtrail_logs, hash_records: ALL their partitions; ask for a window of time in the
--          table reconciliation, or through ../reconcile/classify_window.sql
-- Writes:  the view provenance_ledger
-- Params:  grace_minutes; settings
-- Notes:   columns, joins, verdicts and what VERIFIED does not yet mean: ledger.jinja
{% from 'provenance/ledger.jinja' import ledger -%}
CREATE OR REPLACE VIEW provenance_ledger AS
{{ ledger(
    trail_days='"timestamp" IS NOT NULL',
    record_days='dt IS NOT NULL',
    as_of="CAST(current_timestamp AT TIME ZONE 'UTC' AS TIMESTAMP(3))",
    grace_minutes=params.grace_minutes,
    settings=var.json.custody,
) }}
