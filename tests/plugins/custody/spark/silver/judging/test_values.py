"""A text is a value of its column's type if it says one exactly, and in one way of writing only."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest
from tests.support.thoroughness import THOROUGH

from custody.core.datasets.columns import Column
from custody.spark.silver.judging.values import typed

TEXTS = 200_000 if THOROUGH else 4_000
SIGNS = "0123456789" * 3 + "-.:TZ +e/\u0661 "


def day(text: str) -> date | None:
    with suppress(ValueError):
        if re.fullmatch("[0-9]{4}-[0-9]{2}-[0-9]{2}", text):
            return date.fromisoformat(text)
    return None


def instant(text: str) -> datetime | None:
    with suppress(ValueError):
        if re.fullmatch("[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z", text):
            return datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
    return None


def whole(bits: int) -> Callable[[str], int | None]:
    def read(text: str) -> int | None:
        if not re.fullmatch("-?[0-9]{1,19}", text):
            return None
        found = int(text)
        return found if -(1 << bits - 1) <= found < 1 << bits - 1 else None

    return read


def amount(precision: int, scale: int) -> Callable[[str], Decimal | None]:
    def read(text: str) -> Decimal | None:
        if not re.fullmatch(r"-?[0-9]{1,38}(\.[0-9]+)?", text):
            return None
        digits, _, places = text.removeprefix("-").partition(".")
        fits = len(places) <= scale and len(digits.lstrip("0")) <= precision - scale
        return Decimal(text) if fits else None

    return read


CASES: list[tuple[str, Callable[[str], Any], list[str]]] = [
    ("date", day, ["2024-02-29", "2023-02-29", "1900-02-29", "2000-02-29", "0001-01-01"]),
    (
        "timestamp",
        instant,
        ["2024-02-29T23:59:59Z", "2023-02-29T00:00:00Z", "9999-12-31T23:59:59Z"],
    ),
    ("int", whole(32), ["2147483647", "-2147483648", "2147483648", "00000000012"]),
    ("bigint", whole(64), ["9223372036854775807", "-9223372036854775808", "-0", "007"]),
    ("decimal(12,2)", amount(12, 2), ["9999999999.99", "10000000000.00", "-0.5", "00.50"]),
    ("decimal(38,10)", amount(38, 10), ["9" * 28 + ".1", "9" * 29, "0" * 37 + "1.5"]),
    ("decimal(2,2)", amount(2, 2), ["0.99", "-0.05", "1.0", "000.10"]),
    ("decimal(38,0)", amount(38, 0), ["9" * 38, "-" + "9" * 38, "1.0"]),
]


def near(seeds: list[str], chance: random.Random) -> Iterator[str]:
    """The seeds, and what a few changes make of them."""
    yield from seeds
    for _ in range(TEXTS):
        text = list(chance.choice(seeds))
        for _ in range(chance.randint(1, 3)):
            at = chance.randrange(len(text) + 1)
            text[at : at + chance.randint(0, 1)] = chance.choice(SIGNS) * chance.randint(0, 1)
        yield "".join(text) or "0"


@pytest.mark.parametrize(("type_", "read", "seeds"), CASES, ids=[case[0] for case in CASES])
def test_a_value_is_read_as_it_is_written(
    type_: str, read: Callable[[str], Any], seeds: list[str]
) -> None:
    texts = list(near(seeds, random.Random(88)))  # noqa: S311

    found = typed(Column("c", type_), pa.array([None, *texts], pa.string())).to_pylist()

    assert found.pop(0) is None
    expected = [(text, read(text)) for text in texts]
    assert any(value is not None for _, value in expected[len(seeds) :])
    assert list(zip(texts, found, strict=True)) == expected


def test_a_truth_is_one_of_the_words_in_any_case() -> None:
    column = Column("c", "boolean", true_values=("yes", "Ja"), false_values=("NO",))
    texts = pa.array(["YES", "Ja", "no", "nO", "n", None, "yes ", "ye\u017f"], pa.string())

    assert typed(column, texts).to_pylist() == [True, True, False, False, *[None] * 4]
