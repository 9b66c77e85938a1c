"""What the rules of a table count, on local Spark."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from pyspark.errors import AnalysisException, ParseException

from custody.core.datasets.quality.limits import Limit
from custody.core.datasets.quality.rules import (
    Duplicates,
    Freshness,
    Invalid,
    Measure,
    Missing,
    Nulls,
    Query,
    RowCount,
    Rule,
    Severity,
    Unit,
    Unresolved,
)
from custody.spark.quality.measuring import measure

# PySpark leaves the socket of every collect() to the garbage collector.
pytestmark = pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning")

SCHEMA = "id string, kind string, seen timestamp, on_day date, amount decimal(10,2)"
ROWS = [
    ("a", "x", datetime(2026, 11, 1, 12, tzinfo=UTC), date(2026, 10, 31), Decimal("1.50")),
    ("a", "N/A", None, None, Decimal("2.50")),
    ("b", None, datetime(2026, 11, 1, 11, tzinfo=UTC), date(2026, 10, 1), None),
    ("a", "y", None, None, Decimal(4)),
    ("c", "x", None, None, Decimal(4)),
    (None, "x", None, None, Decimal(4)),
    (None, "z", None, None, Decimal(4)),
]
NOON = Decimal(int(datetime(2026, 11, 1, 12, tzinfo=UTC).timestamp()))
MIDNIGHT = Decimal(int(datetime(2026, 11, 1, tzinfo=UTC).timestamp()))


def rule(name: str, of: Measure) -> Rule:
    limit = Limit("mustBe", (Decimal(0),))
    return Rule(name, of, limit, Unit.ROWS, Severity.ERROR, None, "")


MEASURES: dict[str, tuple[Measure, Decimal | None]] = {
    "nulls": (Nulls("kind"), Decimal(1)),
    "missing": (Missing("kind", ("N/A", "")), Decimal(1)),
    "missing or null": (Missing("kind", ("N/A", None)), Decimal(2)),
    "nothing but null": (Missing("kind", (None,)), Decimal(1)),
    "invalid": (Invalid("kind", ("x", "y")), Decimal(2)),
    "doubled": (Duplicates(("id",)), Decimal(2)),
    "doubled together": (Duplicates(("dt", "id", "kind")), Decimal(0)),
    "newest time": (Freshness("seen"), NOON),
    "newest day": (Freshness("on_day"), MIDNIGHT),
    "unknown": (Unresolved("id", "others", "key", 0), Decimal(1)),
    "all unknown": (Unresolved("id", "nobody", "key", 0), Decimal(5)),
    "sum": (Query("SELECT SUM(amount) FROM {object}"), Decimal("20.00")),
    "truth": (Query("SELECT MAX(amount) > 3 FROM {object}"), Decimal(1)),
    "in steps": (
        Query("WITH a AS (SELECT id FROM {object}) -- all\nSELECT COUNT(*) FROM a"),
        Decimal(7),
    ),
    "no number": (Query("SELECT MAX(kind) FROM {object}"), None),
    "nothing": (Query("SELECT MAX(amount) FROM {object} WHERE id = 'q'"), None),
}


def views(spark: Any) -> set[str]:
    """The views of the session, those of other tests among them."""
    return {row.viewName for row in spark.sql("SHOW VIEWS").collect()}


def test_each_measure_counts_what_it_says(spark: Any) -> None:
    spark.conf.set("spark.sql.session.timeZone", "UTC")
    frame = spark.createDataFrame(ROWS, SCHEMA)
    known = spark.createDataFrame([("a",), ("b",), ("a",), (None,)], "key string")
    rules = [rule("rows", RowCount()), *(rule(name, of) for name, (of, _) in MEASURES.items())]

    before = views(spark)
    rows, counts = measure(frame, rules, {"unknown": known, "all unknown": None})

    assert (rows, counts) == (7, {name: found for name, (_, found) in MEASURES.items()})
    assert spark.conf.get("spark.sql.runSQLOnFiles") == "true"
    assert views(spark) == before


def test_of_no_rows_nothing_is_counted(spark: Any) -> None:
    rules = [rule(name, MEASURES[name][0]) for name in ("nulls", "doubled", "newest time", "sum")]
    found = measure(spark.createDataFrame([], SCHEMA), rules, {})
    assert found == (0, {"nulls": 0, "doubled": 0, "newest time": None, "sum": None})


@pytest.mark.parametrize(
    ("sql", "error"),
    [
        ("SELECT COUNT(*) FROM parquet.`/etc`, {object}", AnalysisException),
        ("SELECT 1) AS a FROM {object}; DROP TABLE x; SELECT (1", ParseException),
        ("SELECT id, kind FROM {object}", AnalysisException),
        ("SELECT COUNT(*) FROM nobody, {object}", AnalysisException),
    ],
    ids=["files", "a command", "two columns", "another table"],
)
def test_a_query_reads_the_rows_of_the_day_and_writes_nothing(
    spark: Any, sql: str, error: type[Exception]
) -> None:
    before = views(spark)
    with pytest.raises(error):
        measure(spark.createDataFrame(ROWS, SCHEMA), [rule("q", Query(sql))], {})
    assert views(spark) == before
    assert spark.conf.get("spark.sql.runSQLOnFiles") == "true"
