"""Tables have the columns that the jobs write; those of ledger rows differ in nothing else."""

from __future__ import annotations

from dataclasses import fields

from tests.include.sql.test_golden import columns_of, render

from custody.core.ledger.rows import LedgerRow
from custody.core.lineage.checking import LineageCheck
from custody.core.records.check_table import RecordCheck

HIVE = {"datetime": "timestamp", "str": "string", "int": "bigint", "bool": "boolean"}
JUDGED = {"as_of": "timestamp", "window_start": "timestamp", "window_end": "timestamp"}
PARTITION = {"dt": "string", "hour": "string"}


def hive_columns(kind: type) -> dict[str, str]:
    return {field.name: HIVE[str(field.type).partition(" |")[0]] for field in fields(kind)}


def test_both_have_the_fields_of_a_ledger_row() -> None:
    row = hive_columns(LedgerRow)
    for table in ("reconciliation", "audit"):
        statement = render(f"provenance/create_{table}.sql")
        assert columns_of(statement) == row | JUDGED | PARTITION
        assert f"EXISTS {table} (" in statement
        assert f"LOCATION 's3://analytics/{table}/'" in statement


def test_the_tables_of_checks_have_the_fields_of_a_check() -> None:
    for table, kind in (("record_checks", RecordCheck), ("lineage_checks", LineageCheck)):
        columns = columns_of(render(f"provenance/create_{table}.sql"))
        assert columns == hive_columns(kind) | {"dt": "string"}
