-- Grain:   one row per ledger row whose event_time lies in the window
-- Reads:   cloudtrail_logs, delivery days window.trail_from .. window.trail_to;
--          hash_records, days window.records_from .. window.records_to
-- Writes:  Parquet files below `location`, in dt=YYYY-MM-DD/hour=HH/ folders; `location` must be
--          empty, or Athena refuses
-- Params:  window (custody.core.windows.Window.parameters()), location (s3://…/), settings
-- Notes:   columns, joins, verdicts and what VERIFIED does not yet mean: ../provenance/ledger.jinja
{% from 'provenance/ledger.jinja' import ledger -%}
UNLOAD (
    SELECT
        ledger.*,
        lower(to_hex(sha256(to_utf8(
            verdict || chr(10) || bucket || chr(10) || version_id || chr(10) || object_key
        )))) AS fingerprint,
        TIMESTAMP '{{ window.as_of }}' AS as_of,
        TIMESTAMP '{{ window.start }}' AS window_start,
        TIMESTAMP '{{ window.end }}' AS window_end,
        date_format(event_time, '%Y-%m-%d') AS dt,
        date_format(event_time, '%H') AS hour
    FROM (
        {{ ledger(
            trail_days="\"timestamp\" BETWEEN '" ~ window.trail_from ~ "' AND '" ~ window.trail_to ~ "'",
            record_days="dt BETWEEN '" ~ window.records_from ~ "' AND '" ~ window.records_to ~ "'",
            as_of="TIMESTAMP '" ~ window.as_of ~ "'",
            grace_minutes=window.grace_minutes,
            settings=var.json.custody,
        ) | indent(8) }}
    ) AS ledger
    WHERE event_time >= TIMESTAMP '{{ window.start }}'
        AND event_time < TIMESTAMP '{{ window.end }}'
)
TO '{{ location }}'
WITH (format = 'PARQUET', compression = 'SNAPPY', partitioned_by = ARRAY['dt', 'hour'])
