"""Tables have the columns that the jobs write; those of ledger rows differ in nothing else."""

from __future__ import annotations

from tests.include.sql.test_golden import columns_of, render

from custody.core.ledger.tables import COLUMNS

JUDGED = {"as_of": "timestamp", "window_start": "timestamp", "window_end": "timestamp"}
PARTITION = {"dt": "string", "hour": "string"}


def hive_columns(row: str) -> dict[str, str]:
    return {column.name: column.type.lower() for column in COLUMNS[row]}


def test_both_have_the_fields_of_a_ledger_row() -> None:
    row = hive_columns("ledger")
    for table in ("reconciliation", "audit"):
        statement = render(f"provenance/create_{table}.sql")
        assert columns_of(statement) == row | JUDGED | PARTITION
        assert f"EXISTS {table} (" in statement
        assert f"LOCATION 's3://analytics/{table}/'" in statement


def test_the_tables_of_checks_have_the_fields_of_a_check() -> None:
    for table in ("record_checks", "lineage_checks"):
        columns = columns_of(render(f"provenance/create_{table}.sql"))
        assert columns == hive_columns(table) | {"dt": "string"}


def test_the_view_shows_all_of_a_row_but_its_fingerprint() -> None:
    view = render("provenance/provenance_ledger.sql")
    shown = view[view.index("SELECT") :].removeprefix("SELECT").partition("FROM")[0]
    names = [name.strip() for name in shown.split(",")]
    assert names == [
        *(name for name in hive_columns("ledger") if name != "fingerprint"),
        *PARTITION,
    ]
