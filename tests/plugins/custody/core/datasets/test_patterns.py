"""A pattern is read in one way only, and no value makes matching it long."""

from __future__ import annotations

import re
import sys

import pytest

from custody.core.datasets.patterns import MAX_PLACES, PatternError, compile_pattern

EMAIL = r"^[^@\s]+@[^@\s.]+(\.[^@\s.]+)+$"


@pytest.mark.parametrize(
    ("pattern", "good", "bad"),
    [
        (r"^C[0-9]{9}$", ["C000000042"], ["C42", "C0000000421", "c000000042", "C000000042\n"]),
        (r"^C[\d-]{2,}$", ["C-1", "C--1"], ["C1", "Ca1"]),
        (r"^(ab|cd)*e?$", ["", "e", "abcd", "abe"], ["a", "ee", "abc"]),
        (r"^(?:a{1,3}b)+$", ["ab", "aaabab"], ["b", "aaaab"]),
        (r"^a{2}b{0,2}$", ["aa", "aabb"], ["a", "aabbb"]),
        (r"^[^\W_]\/\x41\u00e9\.$", ["x/Aé."], ["_/Aé.", "x/Aéx"]),
        (r"^.$", ["é", "😀"], ["", "\n", "\u2028"]),
        (r"^[a\]-]$", ["a", "]", "-"], ["\\"]),
        (r"^$", [""], ["a"]),
        # ECMA-262's classes: white space of every alphabet, digits and letters of one.
        (r"^\s\S$", ["\u00a0a", "\u3000a", "\ufeffa"], ["\u200ba", "\u00a0\u00a0"]),
        (r"^\d\w$", ["1a"], ["\u0661a", "1é"]),
        (EMAIL, ["zoe@shop.example", "z@a.b.c"], ["zoe@shop", "a@b.", "a\u00a0b@c.d", "a@@b.c"]),
    ],
)
def test_what_a_pattern_matches(pattern: str, good: list[str], bad: list[str]) -> None:
    matches = compile_pattern(pattern).fullmatch

    assert [value for value in good if not matches(value)] == []
    assert [value for value in bad if matches(value)] == []


@pytest.mark.parametrize(
    ("pattern", "reason"),
    [
        ("abc", r"begin with \^ and end with \$"),
        (r"^a\$", r"\\ is not read"),
        ("^a|b$", "alternatives belong in a group"),
        ("^(?P<x>a)$", r"\(\?P< is not read"),
        ("^(?=a)a$", r"\(\?=a is not read"),
        ("^(?i)a$", r"\(\?i\) is not read"),
        (r"^(a)\1$", r"\\1 is not read"),
        (r"^\ba$", r"\\b is not read"),
        (r"^\p{Lu}$", r"\\p is not read"),
        ("^a*?$", r"\*\? is not read"),
        ("^a++$", r"\+\+ is not read"),
        ("^*a$", r"a \* stands where nothing is before it"),
        ("^a{,3}$", "a { has to begin a count"),
        ("^a{3,2}$", "allows nothing"),
        ("^a{0}$", "allows nothing"),
        ("^a^b$", "at the pattern's own ends only"),
        ("^(a?)*$", "may be empty"),
        ("^(a|)$", "is empty"),
        ("^[]a]$", r"\[\] is empty"),
        ("^[z-a]$", "a range"),
        (r"^[\d-z]$", "a range"),
        ("^[a$", r"a \[ is not closed"),
        ("^(a$", r"a \( is not closed"),
        ("^a)$", r"a \) closes nothing"),
        # What a backtracking engine may try in many ways, up to exponentially many.
        ("^(a|a)*$", "can read 'a' in two ways"),
        ("^(a+a?)+b$", "can read 'a' in two ways"),
        ("^.*@x$", "can read '@' in two ways"),
        (r"^[a-c]*[c-e]$", "can read 'c' in two ways"),
        ("^a{1,3}a$", "can read 'a' in two ways"),
        # What would make checking the pattern long.
        ("^((a{100}){100}){100}$", f"more than {MAX_PLACES} characters"),
        (f"^{'a' * 1000}$", "more than 1000 characters"),
        (f"^{'(' * 99}a{')' * 99}$", "groups in more than"),
    ],
)
def test_what_is_no_pattern_is_refused_with_the_reason(pattern: str, reason: str) -> None:
    with pytest.raises(PatternError, match=reason):
        compile_pattern(pattern)


@pytest.mark.parametrize("pattern", [EMAIL, "^(a+)+$", r"^([^@\s]+@)*$"])
@pytest.mark.parametrize("value", ["a" * 60_000, "a@" + "a." * 30_000, "a@" * 30_000])
def test_a_long_value_is_matched_in_one_step_a_character(pattern: str, value: str) -> None:
    """As they stand, Java's engine overflows its stack on these, and Python's goes back."""
    found = compile_pattern(pattern).fullmatch(value + "@@")

    assert found is None


def test_a_class_means_the_same_in_every_python() -> None:
    """What is given to `re` holds code points only, no class of its own."""
    assert not re.search(r"\\[a-zA-TV-Z]", compile_pattern(r"^\w\d\s\W\D\S.$").pattern)
    assert compile_pattern(r"^[^a]$").fullmatch(chr(sys.maxunicode))
