-- Grain:   one row per finding of an audit, and one per object version whose bytes it read and found
--          as recorded (VERIFIED)
-- Writes:  the table definition audit, no data
-- Params:  analytics_bucket (settings)
-- Notes:   event_time is when it was found to be so. window_start to window_end say which days of the
--          trail were looked at for who did it.
{% set table = 'audit' %}{% include 'provenance/ledger_table.sql' %}
