"""The tables of ledger rows have the columns that the jobs write, and differ in nothing else."""

from __future__ import annotations

from dataclasses import fields

from tests.include.sql.test_golden import columns_of, render

from custody.core.ledger import LedgerRow

HIVE = {"datetime": "timestamp", "str": "string", "int": "bigint"}
JUDGED = {"as_of": "timestamp", "window_start": "timestamp", "window_end": "timestamp"}
PARTITION = {"dt": "string", "hour": "string"}


def test_both_have_the_fields_of_a_ledger_row() -> None:
    row = {field.name: HIVE[str(field.type).partition(" |")[0]] for field in fields(LedgerRow)}
    for table in ("reconciliation", "audit"):
        statement = render(f"provenance/create_{table}.sql")
        assert columns_of(statement) == row | JUDGED | PARTITION
        assert f"EXISTS {table} (" in statement
        assert f"LOCATION 's3://analytics/{table}/'" in statement
