"""Partition projection's values and locations."""

from __future__ import annotations

from datetime import datetime

import pytest

from localaws.athena.errors import QueryError
from localaws.athena.sql.types import VARCHAR
from localaws.athena.tables.projection import Projection
from localaws.athena.tables.relations import Column, Storage, Table

NOW = datetime(2026, 3, 31, 23, 59)  # noqa: DTZ001


def projection(key: str = "dt", template: str | None = None, **properties: str) -> Projection:
    parameters = {"projection.enabled": "TRUE"}
    parameters |= {
        f"projection.{key}.{name.replace('_', '.')}": v for name, v in properties.items()
    }
    if template is not None:
        parameters["storage.location.template"] = template
    table = Table("db", "t", (), (Column(key, VARCHAR),), Storage("s3://b/p"), parameters)
    found = Projection.of(table, NOW)
    assert found is not None
    return found


VALUES = [
    (
        {"type": "date", "format": "yyyy-MM-dd", "range": "2026-03-30,NOW"},
        ["2026-03-30", "2026-03-31"],
    ),
    (
        {"type": "date", "format": "yyyy/MM/dd", "range": "NOW-1DAYS,NOW+1DAYS"},
        ["2026/03/30", "2026/03/31", "2026/04/01"],
    ),
    ({"type": "date", "format": "'d'yyyyMMdd", "range": "d20260331,NOW"}, ["d20260331"]),
    ({"type": "enum", "values": "eu-west-1, us-east-1"}, ["eu-west-1", "us-east-1"]),
]


@pytest.mark.parametrize(("properties", "expected"), VALUES)
def test_values(properties: dict[str, str], expected: list[str]) -> None:
    assert list(projection(**properties).values("dt")) == expected


BROKEN = [
    ({"type": "integer", "range": "1,2"}, "NOT_SUPPORTED: a projection of type integer"),
    ({"type": "enum"}, "projection.dt.values is missing"),
    ({"type": "date", "range": "2026-01-01,NOW"}, "projection.dt.format is missing"),
    ({"type": "date", "format": "yyyy-MM-dd", "range": "x,NOW"}, "'x' does not fit the format"),
    ({"type": "date", "format": "yyyy-MM-dd", "range": "NOW"}, "the range must have two ends"),
    ({"type": "date", "format": "EEE", "range": "NOW,NOW"}, "the date format 'EEE'"),
    ({"type": "date", "format": "yyyy-MM-dd HH", "range": "NOW,NOW"}, "NOT_SUPPORTED: the date"),
    (
        {"type": "date", "format": "yyyy-MM-dd", "range": "NOW,NOW", "interval_unit": "WEEKS"},
        "NOT_SUPPORTED: the interval 1 WEEKS",
    ),
]


@pytest.mark.parametrize(("properties", "message"), BROKEN)
def test_broken_properties(properties: dict[str, str], message: str) -> None:
    with pytest.raises(QueryError, match=message):
        projection(**properties).values("dt")


def test_location() -> None:
    assert projection().location(["x"]) == "s3://b/p/dt=x/"
    assert projection(template="s3://b/q/${dt}/").location(["2026/01/01"]) == "s3://b/q/2026/01/01/"
    with pytest.raises(QueryError, match=r"column dt .* does not name it"):
        projection(template="s3://b/q/").location(["x"])
