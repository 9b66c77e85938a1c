"""The type and the rules of one column, as expressions over wherever its value stands."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from pyspark.sql import Column as Expression
from pyspark.sql import functions as F  # noqa: N812 - the name every Spark reader expects

from custody.core.datasets.columns import (
    Check,
    Column,
    NotAfterPartition,
    NotBefore,
    ValidValues,
)
from custody.core.datasets.landed.formats import LandedFormat
from custody.core.datasets.landed.text import MAX_LINE_BYTES

FORMULA_SIGNS: Final = ("=", "+", "-", "@")
"""OWASP, CSV injection; tabs and line ends, which it names too, are trimmed or never in a field."""

_DATE: Final = "(?!0000)[0-9]{4}-[0-9]{2}-[0-9]{2}"
_SHAPES: Final = {"date": f"^{_DATE}$", "timestamp": f"^{_DATE}T[0-9]{{2}}:[0-9]{{2}}:[0-9]{{2}}Z$"}
"""The formats of `custody.core.datasets.columns`, as far as Spark would read others as well."""


def typed(column: Column, raw: Expression) -> Expression:
    """The value in its type; null when the text is not of the type."""
    match column.base_type:
        case "string":
            return raw
        case "boolean":
            word = F.lower(raw)
            return F.when(word.isin(*column.true_values), F.lit(True)).when(
                word.isin(*column.false_values),
                F.lit(False),
            )
        case "date" | "timestamp":
            return _shaped(column, raw, _SHAPES[column.base_type])
        case "int" | "bigint":
            return _shaped(column, raw, r"^-?[0-9]{1,19}$")
        case _:
            # Spark would round 1.005 to fit; more places than the type has is no amount at all.
            fraction = rf"(\.[0-9]{{1,{column.scale}}})?" if column.scale else ""
            return _shaped(column, raw, rf"^-?[0-9]{{1,38}}{fraction}$")


def _shaped(column: Column, raw: Expression, shape: str) -> Expression:
    """A value whose text has `shape`; null when it does not fit the type."""
    return F.when(raw.rlike(shape), raw).cast(column.type)


@dataclass(frozen=True, slots=True)
class Field:
    """Where the value of a column is found: its text, the value in its type, whether the text
    misses the pattern and whether it was of a kind that is not the column's, and the typed values
    of the columns beside it.
    """

    raw: Expression
    value: Expression
    unmatched: Expression
    of_no_kind: Expression
    beside: Callable[[str], Expression]


def rules(
    column: Column, dt: date, landed: LandedFormat, field: Field
) -> Iterator[tuple[str, Expression]]:
    """The rules of a column, in the contract's order: a name, and when it is broken."""
    raw, value = field.raw, field.value
    missing, mistyped = raw.isNull(), raw.isNotNull() & value.isNull()
    if landed.has_kinds:
        of_no_kind = F.coalesce(field.of_no_kind, F.lit(False))
        missing, mistyped = missing & ~of_no_kind, mistyped | of_no_kind
    if column.required:
        yield "required", missing
    if column.base_type != "string" or landed.has_kinds:
        yield "type", mistyped
    if column.minimum is not None:
        yield "minimum", value < F.lit(column.minimum)
    if column.maximum is not None:
        yield "maximum", value > F.lit(column.maximum)
    if column.pattern is not None:
        yield "pattern", field.unmatched
    elif _is_free_text(column):
        # A spreadsheet that opens an export would take it for a formula, and run it.
        yield "formula", F.substring(raw, 1, 1).isin(*FORMULA_SIGNS)
    if column.min_length is not None or column.max_length is not None:
        most = MAX_LINE_BYTES if column.max_length is None else column.max_length
        yield "length", ~F.length(raw).between(column.min_length or 0, most)
    for check in column.checks:
        yield check.name, _broken(check, field, dt)


def _is_free_text(column: Column) -> bool:
    """Whether nothing says what its values look like."""
    return column.base_type == "string" and not any(
        isinstance(check, ValidValues) for check in column.checks
    )


def _broken(check: Check, field: Field, dt: date) -> Expression:
    value = field.value
    match check:
        case ValidValues(values=values):
            return ~value.isin(*values)
        case NotAfterPartition():
            # Both a date and the first instant of the next day compare right: sessions are UTC.
            return value.cast("timestamp") >= F.lit(dt + timedelta(days=1)).cast("timestamp")
        case NotBefore(column=other):
            return value.cast("date") < field.beside(other).cast("date")
