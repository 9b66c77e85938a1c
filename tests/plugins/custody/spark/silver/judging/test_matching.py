"""Patterns are matched by RE2 as Python matches them: one dialect, whichever engine."""

from __future__ import annotations

import random
import re

import pyarrow as pa
import pytest
from tests.support.thoroughness import THOROUGH

from custody.core.datasets.patterns import PatternError, compile_pattern
from custody.spark.silver.judging.column_rules import matcher

PATTERNS = 20_000 if THOROUGH else 400
ATOMS = [
    *("a", "b", "C", "0", "é", "さ", "😀", r"\.", r"\-", r"\x41", r"\u00e9", r"\\", " ", "@"),
    *("[ab]", "[^a]", "[a-c0-9]", r"[^@\s.]", r"\d", r"\D", r"\w", r"\W", r"\s", r"\S", "."),
]
SIGNS = ["", "", "", "*", "+", "?", "{2}", "{1,3}", "{2,}", "{0,2}"]
VALUES = "abC0é さ😀.-A\\@\u00a0\u2028\n\r\td"


def pattern(chance: random.Random, depth: int = 2) -> str:
    parts = []
    for _ in range(chance.randint(1, 3)):
        atom = chance.choice(ATOMS)
        if depth and chance.random() < 0.3:
            inner = "|".join(pattern(chance, depth - 1) for _ in range(chance.randint(1, 2)))
            atom = f"({inner})"
        parts.append(atom + chance.choice(SIGNS))
    return "".join(parts)


def test_both_engines_find_the_same() -> None:
    chance, read = random.Random(88), 0  # noqa: S311
    while read < PATTERNS:
        text = f"^{pattern(chance)}$"
        try:
            expected = compile_pattern(text)
        except PatternError:
            continue
        read += 1
        values = ["".join(chance.choices(VALUES, k=chance.randint(0, 6))) for _ in range(40)]

        found = matcher(text)(pa.array([None, *values], pa.string())).to_pylist()

        assert found == [None, *(bool(expected.fullmatch(value)) for value in values)], text


@pytest.mark.parametrize("count", ["{1500}", "{1,1500}"])
def test_what_is_too_much_for_re2_is_matched_all_the_same(count: str) -> None:
    text = f"^a{count}$"
    values = ["a" * 1_500, "a" * 1_501, "b", None]

    found = matcher(text)(pa.array(values, pa.string())).to_pylist()

    whole = re.compile(text)
    assert found == [bool(whole.fullmatch(v)) if v is not None else None for v in values]
