"""Operators, literals and casts have Trino's types, values and errors."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import pytest

from localaws.athena.engine import Prepared
from localaws.athena.golden import DATABASE
from localaws.athena.statements import query_of

Run = Callable[..., list[tuple[Any, ...]]]


class NoTables:
    def find(self, database: str | None, name: str) -> None:
        return None


def type_of(expression: str) -> str:
    statement = f"SELECT {expression}"
    now = datetime(2026, 1, 1)  # noqa: DTZ001
    prepared = Prepared.of(statement, query_of(statement), NoTables(), DATABASE, now)
    return str(prepared.columns[0][1])


# The result types of https://trino.io/docs/current/functions/decimal.html and of mixed operands.
TYPES = {
    "1": "integer",
    "3000000000": "bigint",
    "-2147483648": "integer",
    "1.50": "decimal(3,2)",
    "0.5": "decimal(1,1)",
    "1e0": "double",
    "'a'": "varchar",
    "X'00'": "varbinary",
    "NULL": "unknown",
    "DECIMAL '12.5'": "decimal(3,1)",
    "TIMESTAMP '2026-01-01 00:00:00'": "timestamp(0)",
    "TIMESTAMP '2026-01-01 00:00:00.123'": "timestamp(3)",
    "TIMESTAMP '2026-01-01 00:00:00 UTC'": "timestamp(0) with time zone",
    "CAST('2026-01-01' AS timestamp)": "timestamp(3)",
    "current_timestamp": "timestamp(3) with time zone",
    "7 / 2": "integer",
    "7 / 2e0": "double",
    "1 + 1.5": "decimal(12,1)",
    "1.5 * 1.25": "decimal(5,3)",
    "1.5 / 3": "decimal(2,1)",
    "CAST(1 AS bigint) + CAST(1 AS smallint)": "bigint",
    "CAST(1 AS real) + 1": "real",
    "ARRAY[1, 2.5]": "array(decimal(11,1))",
    "map(ARRAY['a'], ARRAY[1])": "map(varchar, integer)",
    "row(1, 'a')": "row(integer, varchar)",
    "CAST(row(1) AS row(A bigint))": "row(a bigint)",
    "count(*)": "bigint",
    "sum(1)": "bigint",
    "sum(1.5)": "decimal(38,1)",
    "avg(1)": "double",
    "avg(1.50)": "decimal(3,2)",
    "CASE WHEN true THEN 1 ELSE 2.5 END": "decimal(11,1)",
    "json_parse('1')": "json",
    "date_add('day', 1, DATE '2026-01-01')": "date",
    "from_utf8(X'00')": "varchar",
}


@pytest.mark.parametrize(
    ("expression", "kind"), [pytest.param(*item, id=item[0]) for item in TYPES.items()]
)
def test_type(expression: str, kind: str) -> None:
    assert type_of(expression) == kind


VALUES: dict[str, Any] = {
    # integers divide towards zero
    "7 / 2": 3,
    "-7 / 2": -3,
    "-7 % 3": -1,
    "7 / 2e0": 3.5,
    "1e0 / 0": float("inf"),
    "10 / DECIMAL '3.00'": Decimal("3.33"),
    "DECIMAL '2.00' / 3": Decimal("0.67"),
    "DECIMAL '-2.00' / 3": Decimal("-0.67"),
    "1.5 * 1.25": Decimal("1.875"),
    "7.5 % 2": Decimal("1.5"),
    "'a' < 'B'": False,
    "'é' > 'z'": True,
    "NULL = NULL": None,
    "1 <> NULL": None,
    "NULL IS DISTINCT FROM 1": True,
    "NULL IS NOT DISTINCT FROM NULL": True,
    "nan() = nan()": False,
    "nan() <> nan()": True,
    "nan() > 1": False,
    "CAST(NULL AS double) = nan()": None,
    "1 IN (2, NULL)": None,
    "1 NOT IN (2, 3)": True,
    "1 BETWEEN 1 AND 2": True,
    "1 NOT BETWEEN 2 AND 3": True,
    "NULL AND false": False,
    "NULL OR true": True,
    "NOT NULL": None,
    "1 IS NULL": False,
    "1 IS NOT NULL": True,
    "'a%c' LIKE 'a\\%c'": False,
    "'abc' LIKE 'a_c'": True,
    "'ABC' LIKE 'abc'": False,
    "'a%c' LIKE 'a!%c' ESCAPE '!'": True,
    "'axc' LIKE 'a!%c' ESCAPE '!'": False,
    "1 = 1.0": True,
    "DATE '2026-01-01' < TIMESTAMP '2026-01-01 00:00:01'": True,
    "TIMESTAMP '2026-01-01 01:00:00 +01:00' = TIMESTAMP '2026-01-01 00:00:00 UTC'": True,
    "'it''s'": "it's",
    "U&'x'": None,
    "X'6162'": b"ab",
    # casts of text accept what Java's parsers accept, and nothing else
    "CAST('-12' AS integer)": -12,
    "CAST('+12' AS bigint)": 12,
    "CAST(' 1.5 ' AS double)": 1.5,
    "CAST('1.005' AS decimal(4,2))": Decimal("1.01"),
    "CAST('-1.005' AS decimal(4,2))": Decimal("-1.01"),
    "CAST('1e2' AS decimal(5,1))": Decimal("100.0"),
    "CAST('T' AS boolean)": True,
    "CAST('2026-1-2' AS date)": date(2026, 1, 2),
    "CAST('2026-01-02 03:04:05.678' AS timestamp)": datetime(2026, 1, 2, 3, 4, 5, 678000),  # noqa: DTZ001
    "CAST('2026-01-02 03:04' AS timestamp)": datetime(2026, 1, 2, 3, 4),  # noqa: DTZ001
    "CAST('abc' AS varchar(2))": "ab",
    "CAST(2.5 AS integer)": 3,
    "CAST(-2.5 AS integer)": -3,
    "CAST(2.5e0 AS bigint)": 3,
    "CAST(3.5e0 AS bigint)": 4,
    "CAST(1.255 AS decimal(3,2))": Decimal("1.26"),
    "CAST(0.5e0 AS decimal(3,1))": Decimal("0.5"),
    "CAST(true AS varchar)": "true",
    "CAST(12 AS varchar)": "12",
    "CAST(1.50 AS varchar)": "1.50",
    "CAST(DATE '2026-01-02' AS varchar)": "2026-01-02",
    "CAST(TIMESTAMP '2026-01-02 03:04:05.6' AS varchar)": "2026-01-02 03:04:05.6",
    "CAST(TIMESTAMP '2026-01-02 03:04:05' AS varchar)": "2026-01-02 03:04:05",
    "CAST(current_timestamp AS varchar)": "2026-11-23 12:34:56.789 UTC",
    "CAST(TIMESTAMP '2026-01-02 03:04:05.6789' AS timestamp(3))": datetime(  # noqa: DTZ001
        2026, 1, 2, 3, 4, 5, 679000
    ),
    "CAST(TIMESTAMP '2026-01-02 23:00:00' AS date)": date(2026, 1, 2),
    "CAST(0 AS boolean)": False,
    "CAST(ARRAY['1', NULL] AS array(integer))": [1, None],
    "try_cast('x' AS integer)": None,
    "try_cast('7' AS integer)": 7,
}
del VALUES["U&'x'"]


@pytest.mark.parametrize(
    ("expression", "expected"), [pytest.param(*item, id=item[0]) for item in VALUES.items()]
)
def test_value(value: Callable[[str], Any], expression: str, expected: Any) -> None:
    found = value(expression)
    assert found == expected
    assert isinstance(found, Decimal) == isinstance(expected, Decimal)
    if isinstance(expected, Decimal):
        assert found.as_tuple() == expected.as_tuple()


FAILURES = {
    "9223372036854775807 + 1": "NUMERIC_VALUE_OUT_OF_RANGE",
    "CAST(2147483647 AS integer) + 1": "NUMERIC_VALUE_OUT_OF_RANGE",
    "1 % 0": "DIVISION_BY_ZERO: Division by zero",
    "1.5 / 0": "DIVISION_BY_ZERO: Division by zero",
    "1.5 % 0": "DIVISION_BY_ZERO: Division by zero",
    "CAST('1.5' AS integer)": "INVALID_CAST_ARGUMENT: Cannot cast '1.5' to INTEGER",
    "CAST(' 1' AS integer)": "INVALID_CAST_ARGUMENT: Cannot cast ' 1' to INTEGER",
    "CAST('3000000000' AS integer)": "INVALID_CAST_ARGUMENT: Cannot cast '3000000000' to INTEGER",
    "CAST('yes' AS boolean)": "INVALID_CAST_ARGUMENT: Cannot cast 'yes' to BOOLEAN",
    "CAST(lower('2026-01-01T00:00:00') AS timestamp)": (
        "INVALID_CAST_ARGUMENT: Value cannot be cast to timestamp"
    ),
    "CAST('2026-02-30' AS date)": "INVALID_CAST_ARGUMENT: line 1:13: Value cannot be cast to date",
    "CAST(300 AS tinyint)": "NUMERIC_VALUE_OUT_OF_RANGE",
    "CAST(1234.5 AS decimal(3,1))": "NUMERIC_VALUE_OUT_OF_RANGE",
    "CAST(X'61' AS varchar)": "SYNTAX_ERROR: line 1:13: Cannot cast varbinary to varchar",
    "1 + 'a'": "SYNTAX_ERROR: line 1:8: '+' cannot be applied to integer, varchar",
    "1 = 'a'": "SYNTAX_ERROR: line 1:8: Cannot apply operator: integer = varchar",
    "1 || 'a'": "SYNTAX_ERROR: line 1:8: Unexpected parameters (integer, varchar)",
    "CASE WHEN 1 THEN 2 END": (
        "SYNTAX_ERROR: line 1:18: CASE WHEN clause must evaluate to a boolean: actual type integer"
    ),
    "coalesce(1, 'a')": "SYNTAX_ERROR: line 1:8: All COALESCE operands must be the same",
    "1 < 2 < 3": "SYNTAX_ERROR: line 1:16: mismatched input '<'",
    "x": "SYNTAX_ERROR: line 1:8: Column 'x' cannot be resolved",
    "1::integer": "SYNTAX_ERROR: line 1:9: mismatched input '::'",
    "DATE '2026-01-01' + INTERVAL '1' HOUR": (
        "SYNTAX_ERROR: line 1:13: Cannot add hour, minutes or seconds to a date"
    ),
    "TIMESTAMP '2026-01-02 00:00:00' - TIMESTAMP '2026-01-01 00:00:00'": (
        "NOT_SUPPORTED: line 1:18: an interval as a result"
    ),
    "ARRAY[NULL] = ARRAY[NULL]": "NOT_SUPPORTED",
    "CAST(1 AS timestamp)": "SYNTAX_ERROR: line 1:13: Cannot cast integer to timestamp(3)",
    "count(count(*))": "SYNTAX_ERROR",
    "row_number()": "SYNTAX_ERROR: line 1:8: Window function row_number requires an OVER clause",
    "a.b.c.d": "SYNTAX_ERROR: line 1:8: Column 'a.b.c.d' cannot be resolved",
    "GROUPING(1)": "NOT_SUPPORTED: line 1:8: the function 'grouping'",
    "CAST('a' AS char(3))": "NOT_SUPPORTED: the type char(3)",
    "'a' 'b'": "NOT_SUPPORTED",
    "random()": "NOT_SUPPORTED: line 1:8: the function 'random'",
}


@pytest.mark.parametrize(
    ("expression", "message"), [pytest.param(*item, id=item[0]) for item in FAILURES.items()]
)
def test_failure(failure: Callable[..., str], expression: str, message: str) -> None:
    assert failure(f"SELECT {expression}").startswith(message)


def test_a_guard_keeps_guarding(run: Run) -> None:
    rows = [{"x": str(number)} for number in range(500)] + [{"x": "no"}] * 500
    found = run(
        # the guard is dearer than what it guards
        """SELECT count(*) FROM t
        WHERE regexp_like(replace(replace(x, ' '), '.'), '^[0-9]+$')
            AND CAST(x AS integer) >= 100""",
        {"t": rows},
        {"t": {"x": "string"}},
    )
    assert found == [(400,)]


def test_a_condition_is_not_moved_below_the_filter_that_guards_it(run: Run) -> None:
    rows = [{"x": "1"}, {"x": "no"}]
    found = run(
        """WITH numbers AS (
            SELECT CAST(x AS integer) AS n FROM t
            WHERE regexp_like(replace(replace(x, ' '), '.'), '^[0-9]+$')
        )
        SELECT n FROM numbers WHERE n > 0""",
        {"t": rows},
        {"t": {"x": "string"}},
    )
    assert found == [(1,)]
