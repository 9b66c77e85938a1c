"""Values as Athena writes them into result files and GetQueryResults."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any

import pytest

from localaws.athena.results import csv_line, csv_rows, render
from localaws.athena.sql import types
from localaws.athena.sql.types import Type

STAMP = datetime(2026, 1, 2, 3, 4, 5, 60_000)  # noqa: DTZ001

RENDERED: list[tuple[Any, Type, str | None]] = [
    (None, types.VARCHAR, None),
    ("a", types.VARCHAR, "a"),
    (True, types.BOOLEAN, "true"),
    (1.0, types.DOUBLE, "1.0"),
    (1e7, types.DOUBLE, "1.0E7"),
    (123456789.125, types.DOUBLE, "1.23456789125E8"),
    (0.00012, types.DOUBLE, "1.2E-4"),
    (-0.0, types.DOUBLE, "-0.0"),
    (float("inf"), types.DOUBLE, "Infinity"),
    (float("nan"), types.DOUBLE, "NaN"),
    (Decimal("1.50"), types.decimal(10, 2), "1.50"),
    (date(2026, 1, 2), types.DATE, "2026-01-02"),
    (STAMP, Type("timestamp", (3,)), "2026-01-02 03:04:05.060"),
    (STAMP, Type("timestamp", (6,)), "2026-01-02 03:04:05.060000"),
    (STAMP, Type(types.ZONED, (3,)), "2026-01-02 03:04:05.060 UTC"),
    (b"\x0a\xff", types.VARBINARY, "0a ff"),
    ([1, None], types.array(types.INTEGER), "[1, null]"),
    ({"a": None, "b": 2}, types.map_of(types.VARCHAR, types.INTEGER), "{a=null, b=2}"),
    (
        {"a": 1, "b": ["x"]},
        types.row([("a", types.INTEGER), ("b", types.array(types.VARCHAR))]),
        "{a=1, b=[x]}",
    ),
]


@pytest.mark.parametrize(("value", "kind", "expected"), RENDERED)
def test_render(value: Any, kind: Type, expected: str | None) -> None:
    assert render(value, kind) == expected


def test_csv_tells_null_from_empty() -> None:
    lines = [["a", "b"], [None, ""], ['x"y', "1,2\n3"], [None, None]]
    text = "".join(csv_line(line) for line in lines)
    assert text == '"a","b"\n,""\n"x""y","1,2\n3"\n,\n'
    assert list(csv_rows(text)) == lines
