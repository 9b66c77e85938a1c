"""Texts as values of their columns' types, in columns of Arrow; null where they are of no such.

The texts are those of `custody.core.datasets.columns`, and no other that Arrow would read as well.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from custody.core.datasets.columns import Column

_MONTH_AND_DAY: Final = (
    "((0[13578]|1[02])-(0[1-9]|[12][0-9]|3[01])|(0[469]|11)-(0[1-9]|[12][0-9]|30)"
    "|02-(0[1-9]|[12][0-9]))"
)
_YEAR: Final = "([1-9][0-9]{3}|0[1-9][0-9]{2}|00[1-9][0-9]|000[1-9])"
_TIME: Final = "([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]"
_DATE: Final = f"^{_YEAR}-{_MONTH_AND_DAY}"
_LEAP_DAY: Final = "^....-02-29"

_MOST_DIGITS: Final = 38


_TYPES: Final = {
    "string": pa.string(),
    "date": pa.date32(),
    "timestamp": pa.timestamp("us", "UTC"),
    "int": pa.int32(),
    "bigint": pa.int64(),
    "boolean": pa.bool_(),
}


def arrow_type(column: Column) -> Any:
    """The type of Arrow that Spark takes for the column's."""
    if column.base_type in _TYPES:
        return _TYPES[column.base_type]
    return pa.decimal128(*map(int, column.type[len("decimal(") : -1].split(",")))


def typed(column: Column, texts: Any) -> Any:
    """The values that a column's texts say."""
    wanted = arrow_type(column)
    match column.base_type:
        case "string":
            return texts
        case "boolean":
            return _booleans(column, texts)
        case "date":
            days = _only(texts, f"{_DATE}$")
            return pc.cast(_checked(days, _LEAP_DAY, _is_day), wanted)
        case "timestamp":
            times = _only(texts, f"{_DATE}T{_TIME}Z$")
            return pc.cast(_checked(times, _LEAP_DAY, _is_day), wanted)
        case "int" | "bigint":
            numbers = _only(texts, "^-?[0-9]{1,19}$")
            bound = 1 << (wanted.bit_width - 1)
            long = f"[0-9]{{{len(str(bound))}}}"
            return pc.cast(_checked(numbers, long, lambda n: -bound <= int(n) < bound), wanted)
        case _:
            return pc.cast(_decimals(texts, wanted.precision, wanted.scale), wanted)


def _booleans(column: Column, texts: Any) -> Any:
    words = {word.lower(): False for word in column.false_values}
    words |= {word.lower(): True for word in column.true_values}
    found = texts.dictionary_encode()
    values = [words.get(text.lower()) for text in found.dictionary.to_pylist()]
    return pa.array(values, pa.bool_()).take(found.indices)


def _decimals(texts: Any, precision: int, scale: int) -> Any:
    # More places than the type has are rounded nowhere: they are no such number.
    fraction = rf"(\.[0-9]{{1,{scale}}})?$" if scale else "$"
    whole = precision - scale
    fits = pc.match_substring_regex(texts, f"^-?[0-9]{{1,{whole}}}{fraction}") if whole else None
    if fits is not None and fits.true_count == len(texts) - texts.null_count:
        return texts
    short = pc.match_substring_regex(texts, f"^-?0*[0-9]{{0,{whole}}}{fraction}")
    number = pc.match_substring_regex(texts, f"^-?[0-9]{{1,{_MOST_DIGITS}}}{fraction}")
    return pc.if_else(pc.and_(short, number), texts, None)


def _only(texts: Any, shape: str) -> Any:
    """The texts that have a shape, the others null."""
    shaped = pc.match_substring_regex(texts, shape)
    if shaped.true_count == len(texts) - texts.null_count:
        return texts
    return pc.if_else(shaped, texts, None)


def _checked(texts: Any, doubtful: str, is_good: Callable[[str], bool]) -> Any:
    """The texts without those that are `doubtful` by their shape and not good."""
    doubts = pc.match_substring_regex(texts, doubtful)
    if not doubts.true_count:
        return texts
    places = np.flatnonzero(doubts.fill_null(fill_value=False).to_numpy(zero_copy_only=False))
    bad = [place for place in places if not is_good(texts[place].as_py())]
    keep = np.ones(len(texts), np.bool_)
    keep[bad] = False
    return pc.if_else(pa.array(keep), texts, None)


def _is_day(text: str) -> bool:
    try:
        date.fromisoformat(text[:10])
    except ValueError:
        return False
    return True
