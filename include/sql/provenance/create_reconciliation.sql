-- Grain:   one row per ledger row (custody.core.ledger.rows.LedgerRow), as the last reconciliation of its hour
--          saw it
-- Writes:  the table definition reconciliation, no data
-- Params:  analytics_bucket (settings)
{% set table = 'reconciliation' %}{% include 'provenance/ledger_table.sql' %}
