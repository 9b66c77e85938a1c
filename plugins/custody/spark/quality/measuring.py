"""What the rules of a table count, in one query."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from decimal import Decimal, InvalidOperation
from functools import reduce
from typing import Final

from pyspark.sql import Column as Expression
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F  # noqa: N812 - the name every Spark reader expects

from custody.core.datasets.quality.rules import (
    OBJECT,
    PARTITION,
    Duplicates,
    Freshness,
    Invalid,
    Measure,
    Missing,
    Nulls,
    Query,
    Rule,
    Unresolved,
)

_VIEW: Final = "rows_of_the_day"
_ROWS: Final = ""
"""The name of the count of all rows, which no rule has."""
_FILES: Final = "spark.sql.runSQLOnFiles"


def measure(
    frame: DataFrame, rules: Sequence[Rule], others: Mapping[str, DataFrame | None]
) -> tuple[int, dict[str, Decimal | None]]:
    """The rows of a day of a table, and what is counted by each rule that counts, by its name.

    `others` are, by the name of the rule, the values that a reference may have; None for none.
    """
    aggregates = {
        rule.name: aggregate
        for rule in rules
        if (aggregate := _aggregate(frame, rule.measure)) is not None
    }
    together = frame.agg(
        F.count("*").cast("string").alias("rows"),
        *(of.cast("string").alias(f"c{n}") for n, of in enumerate(aggregates.values())),
    )
    named = {_ROWS: "rows"} | {name: f"c{n}" for n, name in enumerate(aggregates)}
    parts = [
        together.select(
            F.inline(
                F.array(
                    *(
                        F.struct(F.lit(name).alias("name"), F.col(column).alias("found"))
                        for name, column in named.items()
                    )
                )
            )
        )
    ]
    with _own_rows_only(frame):
        for rule in rules:
            apart = _apart(frame, rule, others)
            if apart is not None:
                found = F.col(apart.columns[0]).cast("string")
                parts.append(apart.select(F.lit(rule.name).alias("name"), found.alias("found")))
        # One query: each costs a small day more than its rows do.
        counted = {row["name"]: row["found"] for row in reduce(DataFrame.union, parts).collect()}
    return int(counted.pop(_ROWS)), {name: _number(found) for name, found in counted.items()}


def _aggregate(frame: DataFrame, measure: Measure) -> Expression | None:
    """What is counted beside others while the rows are read once."""
    match measure:
        case Nulls(column):
            return F.count_if(F.col(column).isNull())
        case Missing(column, values):
            value = F.col(column)
            listed = value.isin(*(v for v in values if v is not None))
            return F.count_if(value.isNull() | listed if None in values else listed)
        case Invalid(column, values):
            return F.count_if(~F.col(column).isin(*values))
        case Freshness(column):
            newest = F.max(column)
            if dict(frame.dtypes)[column] == "date":  # its last instant: sessions are UTC
                newest = F.date_add(newest, 1).cast("timestamp")
            return newest.cast("decimal(20,6)")
        case _:
            return None


def _apart(
    frame: DataFrame, rule: Rule, others: Mapping[str, DataFrame | None]
) -> DataFrame | None:
    """What needs rows of its own: one column, one row."""
    match rule.measure:
        case Duplicates(columns):
            key = [column for column in columns if column != PARTITION]
            same = frame.groupBy(*key).agg(F.count("*").alias("times"))
            return same.where("times > 1").agg(F.count("*"))
        case Unresolved(column):
            given = frame.select(column).where(F.col(column).isNotNull())
            known = others[rule.name]
            if known is not None:
                given = given.join(known.toDF(column), column, "left_anti")
            return given.agg(F.count("*"))
        case Query(sql):
            query = sql.replace(OBJECT, _VIEW)
            return frame.sparkSession.sql(f"SELECT (\n{query}\n) AS found")
        case _:
            return None


@contextmanager
def _own_rows_only(frame: DataFrame) -> Iterator[None]:
    """A contract's query reads the view of the day's rows, and names no files."""
    spark: SparkSession = frame.sparkSession
    before = spark.conf.get(_FILES) or "true"
    frame.createOrReplaceTempView(_VIEW)
    spark.conf.set(_FILES, "false")
    try:
        yield
    finally:
        spark.conf.set(_FILES, before)
        spark.catalog.dropTempView(_VIEW)


def _number(found: str | None) -> Decimal | None:
    """None for what is no number; of a query, true is 1 and false 0."""
    try:
        number = Decimal({"true": "1", "false": "0"}.get(found or "", found or ""))
    except InvalidOperation:
        return None
    return number if number.is_finite() else None
