"""Judging lines by the rules of a contract."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Final

from pyspark.sql import Column as Expression
from pyspark.sql import DataFrame
from pyspark.sql import functions as F  # noqa: N812 - the name every Spark reader expects

from custody.core.datasets.columns import (
    Check,
    Column,
    NotAfterPartition,
    NotBefore,
    ValidValues,
)
from custody.core.datasets.contracts import Contract
from custody.core.datasets.landed.formats import LandedFormat
from custody.core.datasets.landed.text import MAX_LINE_BYTES
from custody.spark.silver.lines import OF_FILES, SOURCE

MALFORMED = "row.malformed"

FORMULA_SIGNS: Final = ("=", "+", "-", "@")
"""OWASP, CSV injection; tabs and line ends, which it names too, are trimmed or never in a field."""

_DATE: Final = "(?!0000)[0-9]{4}-[0-9]{2}-[0-9]{2}"
_SHAPES: Final = {"date": f"^{_DATE}$", "timestamp": f"^{_DATE}T[0-9]{{2}}:[0-9]{{2}}:[0-9]{{2}}Z$"}
"""The formats of `custody.core.datasets.columns`, as far as Spark would read others as well."""

_APART: Final = "\x1f"
"""Stands between reasons: a character with which nobody writes a name."""


def judge(lines: DataFrame, contract: Contract, dt: date) -> DataFrame:
    """Every line of `lines`, typed, with the rules it broke; and every file.

    Columns: source_key, source_version_id, source_line, reasons (array, null for an accepted row
    and a file), raw_line where there are reasons, what `LINES` has of files, and the
    contract's columns (null where the text is not of the type).
    """
    fields = [F.col("fields")[n] for n in range(len(contract.columns))]
    raw = {
        c.name: F.when(field != "", field)
        for c, field in zip(contract.columns, fields, strict=True)
    }
    sign = re.escape(contract.format.delimiter)
    split = lines.withColumn("fields", F.coalesce("fields", F.split("raw_line", sign)))
    typed = split.select(
        *SOURCE,
        "source_line",
        "raw_line",
        "unmatched",
        "mistyped",
        *OF_FILES,
        (F.size("fields") == 0).alias("_malformed"),
        *(raw[c.name].alias(f"_raw_{c.name}") for c in contract.columns),
        *(_typed(c, raw[c.name]).alias(c.name) for c in contract.columns),
    )
    # Joined, and parted again where there are some: Spark compiles that, and no array of them.
    broken = F.concat_ws(
        _APART,
        *(
            F.when(condition, F.lit(f"{column.name}.{rule}"))
            for index, column in enumerate(contract.columns)
            for rule, condition in _rules(index, column, dt, contract.format)
        ),
    )
    reasons = F.when(F.col("_malformed"), F.array(F.lit(MALFORMED))).otherwise(
        F.when(broken != "", F.split(broken, _APART))
    )
    is_row = F.col("source_line").isNotNull()
    judged = typed.withColumn("reasons", F.when(is_row, reasons))
    # Only what goes to quarantine needs its line: the others are a good deal lighter without.
    line = F.when(F.col("reasons").isNotNull(), F.col("raw_line"))
    return judged.select(
        *SOURCE, "source_line", "reasons", line.alias("raw_line"), *OF_FILES, *contract.header
    )


def _typed(column: Column, raw: Expression) -> Expression:
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


def _rules(
    index: int, column: Column, dt: date, landed: LandedFormat
) -> Iterator[tuple[str, Expression]]:
    """The rules of the column `index`, in the contract's order: a name, and when it is broken."""
    raw, value = F.col(f"_raw_{column.name}"), F.col(column.name)
    missing, mistyped = raw.isNull(), raw.isNotNull() & value.isNull()
    if landed.has_kinds:
        of_no_kind = F.coalesce(F.array_contains("mistyped", index), F.lit(False))
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
        yield "pattern", F.array_contains("unmatched", index)
    elif _is_free_text(column):
        # A spreadsheet that opens an export would take it for a formula, and run it.
        yield "formula", F.substring(raw, 1, 1).isin(*FORMULA_SIGNS)
    if column.min_length is not None or column.max_length is not None:
        most = MAX_LINE_BYTES if column.max_length is None else column.max_length
        yield "length", ~F.length(raw).between(column.min_length or 0, most)
    for check in column.checks:
        yield check.name, _broken(check, value, dt)


def _is_free_text(column: Column) -> bool:
    """Whether nothing says what its values look like."""
    return column.base_type == "string" and not any(
        isinstance(check, ValidValues) for check in column.checks
    )


def _broken(check: Check, value: Expression, dt: date) -> Expression:
    match check:
        case ValidValues(values=values):
            return ~value.isin(*values)
        case NotAfterPartition():
            # Both a date and the first instant of the next day compare right: sessions are UTC.
            return value.cast("timestamp") >= F.lit(dt + timedelta(days=1)).cast("timestamp")
        case NotBefore(column=other):
            return value.cast("date") < F.col(other).cast("date")
