"""Every folder `<area>/<statement>/<case>/` here is a test: YAML in, expected rows out.

A case holds one `<table>.yaml` per input table (a list of rows), `expect.yaml` (the rows the
statement must return, in any order, and no others; only the columns written there are compared)
and, if the statement takes any, `params.yaml`. `defaults.yaml` beside the cases gives, per
table and for `params`, the values that hold unless a case says otherwise. In a row

a mapping for a STRING column is written as JSON text, as CloudTrail's nested documents are.

The tables have the columns and types of our own CREATE statements; a parameter that a statement
names and nobody gives fails the case. The local AWS's Athena runs the query. What this cannot
prove: that CREATE VIEW keeps what the query returns, SerDes, partition
projection, and which partitions a predicate makes Athena read (tests/infra/local and tests/e2e do).
"""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import Any

import jinja2
import pytest
import yaml
from tests.support.golden import run_golden

from custody.aws.regions import trail_regions
from custody.core.ledger.tables import COLUMNS
from localaws.athena.statements import CreateTable, parse

HERE = Path(__file__).parent
SQL = HERE.parents[2] / "include" / "sql"
TABLES = {
    "cloudtrail_logs": "provenance/create_cloudtrail_logs.sql",
    "hash_records": "provenance/create_hash_records.sql",
    "reconciliation": "provenance/create_reconciliation.sql",
    "audit": "provenance/create_audit.sql",
}
SETTINGS = {
    "project": "custody",
    "stage": "local",
    "account_id": "111122223333",
    "organization_id": "",
    "partition": "aws",
    "region": "us-east-1",
    "raw_bucket": "raw",
    "processed_bucket": "processed",
    "analytics_bucket": "analytics",
    "provenance_bucket": "provenance",
    "trail_bucket": "trail",
}
NOW = datetime(2026, 11, 1, 8, 0)  # noqa: DTZ001  naive is UTC for run_golden
CASES = sorted(path.parent for path in HERE.glob("*/*/*/expect.yaml"))

Row = dict[str, Any]


@pytest.mark.parametrize("case", CASES, ids=lambda case: str(case.relative_to(HERE)))
def test_statement_returns_exactly_the_expected_rows(case: Path) -> None:
    schemas = {table: columns_of(render(ddl)) for table, ddl in TABLES.items()}
    defaults = read_yaml(case.parent / "defaults.yaml") or {}
    params = merged(defaults.get("params", {}), read_yaml(case / "params.yaml") or {})
    tables = {
        table: [
            stored(merged(defaults.get(table, {}), row), schema)
            for row in read_yaml(case / f"{table}.yaml") or []
        ]
        for table, schema in schemas.items()
    }
    statement = render(f"{case.parent.relative_to(HERE)}.sql", **params)
    found = run_golden(statement, tables, schemas, NOW)

    expected: list[Row] = read_yaml(case / "expect.yaml")
    columns = list(expected[0])
    assert all(list(row) == columns for row in expected), "every row must name the same columns"
    assert comparable(found, columns) == comparable(expected, columns)


def test_every_case_is_found() -> None:
    folders = {path.parent for path in HERE.glob("*/*/*/*.yaml")}
    assert folders == set(CASES)
    assert CASES


def render(statement: str, **params: object) -> str:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(SQL),
        undefined=jinja2.StrictUndefined,
        autoescape=False,  # noqa: S701  it is SQL
    )
    return environment.get_template(statement).render(
        var={"json": {"custody": SETTINGS}},
        columns=COLUMNS,
        trail_regions=trail_regions,
        **params,
    )


def columns_of(ddl: str) -> dict[str, str]:
    """Column names and Hive types of a CREATE EXTERNAL TABLE, partition keys included."""
    definition = parse(ddl)
    assert isinstance(definition, CreateTable)
    columns = [
        *definition.table["StorageDescriptor"]["Columns"],
        *definition.table["PartitionKeys"],
    ]
    return {column["Name"]: column["Type"] for column in columns}


def stored(row: Row, schema: dict[str, str]) -> Row:
    """A row as the table holds it."""
    return {
        name: json.dumps(value, ensure_ascii=False)
        if schema.get(name) == "string" and isinstance(value, dict)
        else value
        for name, value in row.items()
    }


def comparable(rows: list[Row], columns: list[str]) -> list[list[str]]:
    return sorted(
        ["NULL" if row[name] is None else str(row[name]) for name in columns] for row in rows
    )


def merged(defaults: Any, given: Any) -> Any:
    """`given` over `defaults`, mapping by mapping."""
    if isinstance(defaults, dict) and isinstance(given, dict):
        both = {name: merged(defaults[name], given[name]) for name in defaults if name in given}
        return defaults | given | both
    return given


def read_yaml(file: Path) -> Any:
    return yaml.safe_load(file.read_text(encoding="utf-8")) if file.exists() else None
