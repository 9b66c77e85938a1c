"""Rows of the driver become a table as they are, without Python being asked for them."""

from __future__ import annotations

from typing import Any

import pytest

from custody.spark.local_rows import local_rows

SCHEMA = "number int, size bigint, text string, secret binary, reasons array<string>"
ROWS = [
    (0, 2**62, "é\n", b"\x00\xff", ["a", "b"]),
    (1, None, None, b"", []),
    (2, 3, "", b"a secret", None),
]


@pytest.mark.parametrize("rows", [ROWS, ROWS[1:2]], ids=["some", "one"])
def test_they_are_as_they_were(spark: Any, rows: list[tuple[Any, ...]]) -> None:
    found = local_rows(spark, rows, SCHEMA)

    assert [tuple(row) for row in found.collect()] == rows
    assert found.schema.simpleString() == f"struct<{SCHEMA.replace(', ', ',').replace(' ', ':')}>"


def test_spark_has_them_and_does_not_tell_them_with_its_plan(spark: Any) -> None:
    told = local_rows(spark, ROWS, SCHEMA)._jdf.queryExecution().toString()

    assert "LocalTableScan" in told
    assert "secret#" in told
    assert "a secret" not in told
