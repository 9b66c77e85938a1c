-- Grain:   one row per finding of the window that is to be paged
-- Reads:   reconciliation, the window's days and hours
-- Writes:  nothing
-- Params:  window (custody.core.windows.Window.parameters()), verdicts (the ones that page),
--          limit (findings read per verdict; verdict_findings counts them all)
SELECT
    verdict,
    bucket,
    object_key,
    version_id,
    principal_arn,
    date_format(event_time, '%Y-%m-%dT%H:%i:%sZ') AS event_time,
    verdict_reason,
    fingerprint,
    verdict_findings
FROM (
    SELECT
        reconciliation.*,
        row_number() OVER (
            PARTITION BY verdict ORDER BY event_time, bucket, object_key, version_id, event_id
        ) AS place,
        count(*) OVER (PARTITION BY verdict) AS verdict_findings
    FROM reconciliation
    WHERE dt BETWEEN '{{ window.first_dt }}' AND '{{ window.last_dt }}'
        AND dt || ' ' || hour BETWEEN '{{ window.first_hour }}' AND '{{ window.last_hour }}'
        AND verdict IN ({% for verdict in verdicts %}'{{ verdict }}'{{ ', ' if not loop.last }}{% endfor %})
) AS findings
WHERE place <= {{ limit }}
ORDER BY verdict, place
