-- Grain:   one row per write or removal of an object version, plus one per record without a write
--          and one per defect of the evidence itself
-- Reads:   reconciliation; a predicate on dt and hour (those of event_time) prunes its partitions
-- Writes:  the view provenance_ledger
-- Params:  columns (custody.core.ledger.tables.COLUMNS)
-- Notes:   The columns are the fields of custody.core.ledger.rows.LedgerRow, without the fingerprint,
--          which only paging needs. The verdicts are those of the last reconciliation of each hour;
--          the rules are in custody.core.ledger.verdicts, and nowhere else. An hour nobody has
--          reconciled yet has no rows.
CREATE OR REPLACE VIEW provenance_ledger AS
SELECT
    {%- for column in columns.ledger if column.name != 'fingerprint' %}
    {{ column.name }},
    {%- endfor %}
    dt,
    hour
FROM reconciliation
