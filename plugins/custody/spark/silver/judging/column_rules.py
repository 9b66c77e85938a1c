"""The rules of columns, each judged of many rows at a time, wherever these stand."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import date
from decimal import ROUND_CEILING, ROUND_FLOOR, Context, Decimal, InvalidOperation
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc

from custody.core.datasets.columns import (
    Bound,
    Check,
    Column,
    NotAfterPartition,
    NotBefore,
    ValidValues,
)
from custody.core.datasets.landed.formats import LandedFormat
from custody.core.datasets.landed.text import MAX_LINE_BYTES
from custody.core.datasets.patterns import compile_pattern, in_re2
from custody.spark.silver.judging.values import arrow_type, typed
from custody.spark.silver.rows import Rows, no

_DIGITS: Final = 100
"""A limit of more is beyond all decimals."""

_FORMULA: Final = "^[=+@-]"
"""OWASP, CSV injection; tabs and line ends, which it names too, are trimmed or never in a field."""

Broken = tuple[str, Any]
"""The name of a rule, and of which rows it is broken."""


class ColumnRules:
    """The rules of some columns, as of the day `dt`.

    Everything is compared as the contract means it, whatever the machine: times are UTC, and a
    length is of characters.
    """

    def __init__(self, columns: Sequence[Column], landed: LandedFormat, dt: date) -> None:
        self._columns, self._format, self._dt = columns, landed, dt
        self._matchers = {
            column.name: matcher(column.pattern) for column in columns if column.pattern is not None
        }

    def judge(self, rows: Rows) -> tuple[tuple[Any, ...], list[Broken]]:
        """The values of the rows (null where the text is not of the type), and the rules that some
        of them break, in the contract's order. A malformed row breaks none.
        """
        texts = dict(zip((column.name for column in self._columns), rows.columns, strict=True))
        values = {column.name: typed(column, texts[column.name]) for column in self._columns}
        sound = pc.invert(rows.malformed)
        broken = []
        for index, column in enumerate(self._columns):
            of_no_kind = rows.mistyped.get(index) if self._format.has_kinds else None
            for rule, found in self._rules(column, texts[column.name], values, of_no_kind):
                broken.append((f"{column.name}.{rule}", pc.and_kleene(found, sound)))
        return tuple(values.values()), broken

    def _rules(
        self, column: Column, texts: Any, values: dict[str, Any], of_no_kind: Any | None
    ) -> Iterator[tuple[str, Any]]:
        """The rules of a column, in the contract's order: a name, and where it is broken."""
        value = values[column.name]
        missing = pc.is_null(texts)
        mistyped = pc.and_(pc.is_valid(texts), pc.is_null(value))
        if of_no_kind is not None:
            missing, mistyped = pc.and_not(missing, of_no_kind), pc.or_(mistyped, of_no_kind)
        if column.required:
            yield "required", missing
        if column.base_type != "string" or self._format.has_kinds:
            yield "type", mistyped
        if column.minimum is not None:
            yield "minimum", _below(value, column, column.minimum)
        if column.maximum is not None:
            yield "maximum", _above(value, column, column.maximum)
        if column.pattern is not None:
            yield "pattern", pc.invert(self._matchers[column.name](texts))
        elif _is_free_text(column):
            # A spreadsheet that opens an export would take it for a formula, and run it.
            yield "formula", pc.match_substring_regex(texts, _FORMULA)
        if column.min_length is not None or column.max_length is not None:
            most = MAX_LINE_BYTES if column.max_length is None else column.max_length
            length, least = pc.utf8_length(texts), column.min_length or 0
            yield "length", pc.or_(pc.less(length, least), pc.greater(length, most))
        for check in column.checks:
            yield check.name, self._broken(check, value, values)

    def _broken(self, check: Check, value: Any, values: dict[str, Any]) -> Any:
        match check:
            case ValidValues(values=valid):
                known = pc.is_in(value, pa.array(valid, pa.string()))
                return pc.and_not(pc.is_valid(value), known)
            case NotAfterPartition():
                return pc.greater(_day(value), pa.scalar(self._dt))
            case NotBefore(column=other):
                return pc.less(_day(value), _day(values[other]))


def matcher(pattern: str) -> Callable[[Any], Any]:
    """Tells of texts which of them a contract's pattern matches."""
    compiled = compile_pattern(pattern)
    spelled = in_re2(compiled)
    try:
        pc.match_substring_regex(pa.array(["a"]), spelled)
    except pa.ArrowInvalid:  # RE2 repeats nothing more than a thousand times
        found = compiled.fullmatch
        return lambda texts: pa.array(
            [None if text is None else bool(found(text)) for text in texts.to_pylist()], pa.bool_()
        )
    return lambda texts: pc.match_substring_regex(texts, spelled)


def _is_free_text(column: Column) -> bool:
    """Whether nothing says what its values look like."""
    return column.base_type == "string" and not any(
        isinstance(check, ValidValues) for check in column.checks
    )


def _day(value: Any) -> Any:
    """The days of dates, or of times."""
    if pa.types.is_timestamp(value.type):
        return pc.cast(pc.cast(value, pa.timestamp("us")), pa.date32())
    return value


def _below(value: Any, column: Column, least: Bound) -> Any:
    limit = _limit(column, least, ROUND_CEILING)
    if limit is None:
        return _all_or_none(value, all_=_is_positive(least))
    return pc.less(value, limit)


def _above(value: Any, column: Column, most: Bound) -> Any:
    limit = _limit(column, most, ROUND_FLOOR)
    if limit is None:
        return _all_or_none(value, all_=not _is_positive(most))
    return pc.greater(value, limit)


def _limit(column: Column, bound: Bound, rounding: str) -> Any | None:
    """A bound as a value of the column's type; None if it lies beyond all of them."""
    if isinstance(bound, Decimal):
        with_places = Decimal(1).scaleb(-column.scale)
        try:
            bound = bound.quantize(with_places, rounding, Context(prec=_DIGITS))
        except InvalidOperation:
            return None
    try:
        return pa.scalar(bound, arrow_type(column))
    except (OverflowError, pa.ArrowInvalid):
        return None


def _is_positive(bound: Bound) -> bool:
    return isinstance(bound, int | Decimal) and bound > 0


def _all_or_none(value: Any, *, all_: bool) -> Any:
    return pc.is_valid(value) if all_ else no(len(value))
