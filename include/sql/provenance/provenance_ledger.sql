-- Grain:   one row per write or removal of an object version, plus one per record without a write
--          and one per defect of the evidence itself
-- Reads:   reconciliation; a predicate on dt and hour (those of event_time) prunes its partitions
-- Writes:  the view provenance_ledger
-- Notes:   The verdicts are those of the last reconciliation of each hour; the rules are in
--          custody.core.ledger.verdicts, and nowhere else. An hour nobody has reconciled yet has no rows.
CREATE OR REPLACE VIEW provenance_ledger AS
SELECT
    event_time,
    event_name,
    bucket,
    object_key,
    version_id,
    principal_arn,
    principal_type,
    source_ip,
    user_agent,
    request_id,
    event_id,
    sha256,
    size_bytes,
    hashed_at,
    key_id,
    pipeline_layer,
    verdict,
    verdict_reason,
    record_key,
    log_key,
    digest_key,
    dt,
    hour
FROM reconciliation
