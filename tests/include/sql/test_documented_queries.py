"""Every query in the documents is one that Athena would take, of tables and columns we have."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from tests.include.sql.test_golden import NOW, columns_of, render
from tests.support.contracts import dataset_tables
from tests.support.golden import run_golden

ROOT = Path(__file__).parents[3]
SQL = re.compile(r"^ *```sql\n(.*?)^ *```", re.MULTILINE | re.DOTALL)
QUERIES = [
    pytest.param(query, id=f"{document.stem}-{number}")
    for document in sorted((ROOT / "docs").rglob("*.md"))
    for number, query in enumerate(SQL.findall(document.read_text(encoding="utf-8")), start=1)
]
TABLES = {
    ddl.stem.removeprefix("create_"): str(ddl.relative_to(ROOT / "include" / "sql"))
    for ddl in sorted((ROOT / "include" / "sql").rglob("create_*.sql"))
}


@pytest.mark.parametrize("query", QUERIES)
def test_query_runs(query: str) -> None:
    """On our tables, empty, and the view."""
    schemas = {table: columns_of(render(ddl)) for table, ddl in TABLES.items()} | dataset_tables()
    view = render("provenance/provenance_ledger.sql")
    found = run_golden(query, {}, schemas, NOW, views={"provenance_ledger": view})
    assert all(set(row.values()) <= {None, 0} for row in found)  # a count of nothing is a row


def test_queries_are_found() -> None:
    assert len(QUERIES) > 8
