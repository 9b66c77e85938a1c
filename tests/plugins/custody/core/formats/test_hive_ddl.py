"""Our statements and the catalog are compared by what makes a difference."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import jinja2
import pytest

from custody.core.formats.hive_ddl import TableDefinition, definition_of, read_definition
from custody.core.ledger.tables import COLUMNS

SQL = Path(__file__).parents[5] / "include" / "sql"
STATEMENTS = sorted(path.relative_to(SQL).as_posix() for path in SQL.rglob("create_*.sql"))


def rendered(name: str) -> str:
    loader = jinja2.FileSystemLoader(SQL)
    environment = jinja2.Environment(loader=loader)  # noqa: S701 - SQL, not HTML
    settings = {f"{part}_bucket": f"the-{part}" for part in ("raw", "processed", "analytics")}
    settings |= {"trail_bucket": "t", "provenance_bucket": "p", "account_id": "1", "partition": "x"}
    return environment.get_template(name).render(
        var={"json": {"custody": settings}}, columns=COLUMNS, trail_regions=lambda _: "a,b"
    )


def in_catalog(deployed: TableDefinition) -> dict[str, Any]:
    """The table as Athena and Glue keep it: spelt otherwise, and with more."""
    table = deployed.to_table_input()
    storage = table["StorageDescriptor"]
    storage["Location"] += "/"
    storage["SerdeInfo"]["Parameters"]["serialization.format"] = "1"
    storage["Compressed"] = False
    table["Parameters"] |= {"transient_lastDdlTime": "1", "EXTERNAL": "TRUE"}
    return {**table, "Owner": "hadoop", "CreateTime": "now"}


@pytest.mark.parametrize("name", STATEMENTS)
def test_each_of_our_tables_is_read_and_recognised(name: str) -> None:
    text = rendered(name)
    deployed = read_definition(text)
    assert deployed.name in name
    assert deployed.location.startswith("s3://")
    assert bool(deployed.partition_keys) is (deployed.name != "publications")
    assert all(re.fullmatch(r"[a-z_]\w*", column) for column, _ in deployed.columns)
    assert len(deployed.properties) == text.count("' = '") - len(deployed.serde_properties)
    assert deployed.differences(definition_of(in_catalog(deployed))) == ()


def test_there_are_eight_of_them() -> None:
    assert len(STATEMENTS) == 8


def test_nested_types_are_one_column() -> None:
    columns = dict(read_definition(rendered("provenance/create_cloudtrail_logs.sql")).columns)
    assert columns["useridentity"].startswith("struct<type:string,principalid:string,")
    assert columns["resources"] == "array<struct<arn:string,accountid:string,type:string>>"
    text = "CREATE EXTERNAL TABLE IF NOT EXISTS t (a DECIMAL(12, 2), b INT)"
    money = read_definition(f"{text} STORED AS PARQUET LOCATION 's3://t'")
    assert money.columns == (("a", "decimal(12,2)"), ("b", "int"))


BENT: list[tuple[str, Any]] = [
    ("properties", lambda t: t["Parameters"].update({"projection.enabled": "true"})),
    ("properties", lambda t: t["Parameters"].update(table_type="ICEBERG", metadata_location="x")),
    ("properties", lambda t: t["Parameters"].update(presto_view="true")),
    ("properties", lambda t: t["Parameters"].update({"skip.header.line.count": "9"})),
    ("kind", lambda t: t.update(TableType="VIRTUAL_VIEW", ViewOriginalText="/* x */")),
    ("location", lambda t: t["StorageDescriptor"].update(Location="s3://elsewhere/")),
    ("columns", lambda t: t["StorageDescriptor"]["Columns"].pop()),
    ("partition_keys", lambda t: t["PartitionKeys"].pop()),
    ("input_format", lambda t: t["StorageDescriptor"].pop("InputFormat")),
    ("output_format", lambda t: t["StorageDescriptor"].pop("OutputFormat")),
    ("serde", lambda t: t["StorageDescriptor"]["SerdeInfo"].update(SerializationLibrary="x")),
    (
        "serde_properties",
        lambda t: t["StorageDescriptor"]["SerdeInfo"]["Parameters"].update(x="y"),
    ),
]


@pytest.mark.parametrize(("field", "bend"), BENT, ids=[field for field, _ in BENT])
def test_what_was_bent_is_named(field: str, bend: Any) -> None:
    deployed = read_definition(rendered("provenance/create_reconciliation.sql"))
    table = in_catalog(deployed)
    bend(table)
    assert deployed.differences(definition_of(table)) == (field,)


def test_a_view_in_the_place_of_a_table_differs_in_all() -> None:
    deployed = read_definition(rendered("provenance/create_reconciliation.sql"))
    assert "location" in deployed.differences(definition_of({"Name": "reconciliation"}))


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT 1",
        "CREATE EXTERNAL TABLE IF NOT EXISTS t (a STRING",
        "CREATE EXTERNAL TABLE IF NOT EXISTS t (a STRING) STORED AS PARQUET",
        "CREATE EXTERNAL TABLE IF NOT EXISTS t (a STRING) LOCATION 's3://b/'",
        "CREATE EXTERNAL TABLE IF NOT EXISTS t (a STRING) STORED AS TEXTFILE LOCATION 's3://b/'",
    ],
)
def test_a_statement_of_another_form_is_refused(statement: str) -> None:
    with pytest.raises(ValueError, match=r"no |not closed"):
        read_definition(statement)
