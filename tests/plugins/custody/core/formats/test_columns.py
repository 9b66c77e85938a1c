"""Fields of a dataclass become columns of a Hive table."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import pytest

from custody.core.formats.columns import Column, columns_of


@dataclass
class Row:
    at: datetime
    name: str
    size: int | None
    good: bool


@dataclass
class Odd:
    parts: list[str]


def test_each_field_is_a_column_in_order():
    assert columns_of(Row) == (
        Column("at", "TIMESTAMP", nullable=False),
        Column("name", "STRING", nullable=False),
        Column("size", "BIGINT", nullable=True),
        Column("good", "BOOLEAN", nullable=False),
    )


def test_a_field_that_no_column_can_hold_is_refused():
    with pytest.raises(ValueError, match="type of parts"):
        columns_of(Odd)
