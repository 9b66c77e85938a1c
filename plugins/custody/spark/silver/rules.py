"""Judging lines by the rules of a contract."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from functools import reduce
from operator import or_

from pyspark.sql import Column as Expression
from pyspark.sql import DataFrame
from pyspark.sql import functions as F  # noqa: N812 - the name every Spark reader expects

from custody.core.datasets.contracts import (
    Check,
    Column,
    Contract,
    NotAfterPartition,
    NotBefore,
    ValidValues,
)
from custody.spark.silver.lines import SOURCE

MALFORMED = "row.malformed"


def judge(lines: DataFrame, contract: Contract, dt: date) -> DataFrame:
    """Every line of `lines`, typed, with the rules it broke.

    Columns: source_key, source_version_id, source_line, raw_line, reasons (array, empty for an
    accepted row), and the contract's columns (null where the text is not of the type).
    """
    rows = lines.where(F.col("source_line").isNotNull())
    raw = {c.name: F.col("fields")[index] for index, c in enumerate(contract.columns)}
    typed = rows.select(
        *SOURCE,
        "source_line",
        "raw_line",
        F.col("fields").isNull().alias("_malformed"),
        *(raw[c.name].alias(f"_raw_{c.name}") for c in contract.columns),
        *(_typed(c, raw[c.name]).alias(c.name) for c in contract.columns),
    )
    broken = [
        F.when(condition, F.lit(f"{column.name}.{rule}"))
        for column in contract.columns
        for rule, condition in _rules(column, dt)
    ]
    reasons = F.when(F.col("_malformed"), F.array(F.lit(MALFORMED))).otherwise(
        F.array_compact(F.array(*broken))
    )
    return typed.select(
        *SOURCE, "source_line", "raw_line", reasons.alias("reasons"), *contract.header
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
            return F.try_to_timestamp(raw, F.lit(column.format)).cast(column.type)
        case "int" | "bigint":
            return _number(column, raw, r"^-?[0-9]{1,19}$")
        case _:
            # Spark would round 1.005 to fit; more places than the type has is no amount at all.
            fraction = rf"(\.[0-9]{{1,{column.scale}}})?" if column.scale else ""
            return _number(column, raw, rf"^-?[0-9]{{1,38}}{fraction}$")


def _number(column: Column, raw: Expression, shape: str) -> Expression:
    """A number whose text has `shape`; null when it does not fit the type."""
    return F.when(raw.rlike(shape), raw).cast(column.type)


def _rules(column: Column, dt: date) -> Iterator[tuple[str, Expression]]:
    """The column's rules, in the contract's order: a name, and when the rule is broken."""
    raw, value = F.col(f"_raw_{column.name}"), F.col(column.name)
    if column.required:
        yield "required", raw.isNull()
    if column.base_type != "string":
        yield "type", raw.isNotNull() & value.isNull()
    if column.minimum is not None:
        yield "minimum", value < F.lit(column.minimum)
    if column.maximum is not None:
        yield "maximum", value > F.lit(column.maximum)
    if column.pattern is not None:
        yield "pattern", ~raw.rlike(column.pattern)
    limits = []
    if column.min_length is not None:
        limits.append(F.length(raw) < column.min_length)
    if column.max_length is not None:
        limits.append(F.length(raw) > column.max_length)
    if limits:
        yield "length", reduce(or_, limits)
    for check in column.checks:
        yield check.name, _broken(check, value, dt)


def _broken(check: Check, value: Expression, dt: date) -> Expression:
    match check:
        case ValidValues(values=values):
            return ~value.isin(*values)
        case NotAfterPartition():
            # Both a date and the first instant of the next day compare right: sessions are UTC.
            return value.cast("timestamp") >= F.lit(dt + timedelta(days=1)).cast("timestamp")
        case NotBefore(column=other):
            return value.cast("date") < F.col(other).cast("date")
