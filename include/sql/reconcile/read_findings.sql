-- Grain:   one row per finding of the window that may be paged, and per row that decides whether an
--          open page stays open
-- Reads:   reconciliation or audit, the window's days and hours
-- Writes:  nothing
-- Params:  columns (custody.core.ledger.tables.COLUMNS), table (reconciliation or audit),
--          window (custody.core.ledger.windows.Window.parameters()), verdicts (the ones that page),
--          watched (fingerprints that are read whatever their verdict; hexadecimal digits),
--          limit (findings read per cause, that is verdict and principal; cause_findings counts
--          them all)
-- Notes:   A row is a custody.core.ledger.rows.LedgerRow: times to the second; a reason may name
--          thousands of records, and its beginning says enough.
WITH window_rows AS (
    SELECT
        *,
        {% if watched %}fingerprint IN ({% for fingerprint in watched %}'{{ fingerprint }}'{{ ', ' if not loop.last }}{% endfor %}){% else %}false{% endif %} AS is_watched
    FROM {{ table }}
    WHERE dt BETWEEN '{{ window.first_dt }}' AND '{{ window.last_dt }}'
        AND dt || ' ' || hour BETWEEN '{{ window.first_hour }}' AND '{{ window.last_hour }}'
),
findings AS (
    SELECT
        *,
        row_number() OVER (
            PARTITION BY verdict, principal_arn
            ORDER BY event_time, bucket, object_key, version_id, event_id
        ) AS rank_in_cause,
        count(*) OVER (PARTITION BY verdict, principal_arn) AS cause_findings
    FROM window_rows
    WHERE is_watched
        OR verdict IN ({% for verdict in verdicts %}'{{ verdict }}'{{ ', ' if not loop.last }}{% endfor %})
)
SELECT
    {%- for column in columns.ledger %}
    {% if column.type == 'TIMESTAMP' -%}
    date_format({{ column.name }}, '%Y-%m-%dT%H:%i:%sZ') AS {{ column.name }},
    {%- elif column.name == 'verdict_reason' -%}
    substr(verdict_reason, 1, 4000) AS verdict_reason,
    {%- else -%}
    {{ column.name }},
    {%- endif %}
    {%- endfor %}
    cause_findings
FROM findings
WHERE is_watched
    OR rank_in_cause <= {{ limit }}
ORDER BY verdict, rank_in_cause, fingerprint
