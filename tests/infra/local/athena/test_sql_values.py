"""Expressions give what Trino documents: https://trino.io/docs/current/functions.html"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from typing import Any

import pytest


def at(*parts: int) -> datetime:
    return datetime(*parts)  # type: ignore[arg-type]  # noqa: DTZ001


TEXT = {
    "strpos('häuser', 'user')": 3,
    "substr('hello', 2, 3)": "ell",
    "substr('hello', 2, -1)": "",
    "substring('hello' FROM 2 FOR 2)": "el",
    "split('a,b,,c', ',')": ["a", "b", "", "c"],
    "regexp_extract('run=ab/c', 'run=([^/]+)', 1)": "ab",
    r"regexp_like('1a 2b 14m', '\d+b')": True,
}
# https://trino.io/docs/current/functions/json.html
JSON = {
    """json_extract_scalar('{"a": {"b-c": "x"}}', '$.a["b-c"]')""": "x",
    """json_extract_scalar('{"a": true}', '$.a')""": "true",
    """json_extract_scalar('{"a": null}', '$.a')""": None,
    """json_extract_scalar('{"a": [1]}', '$.a')""": None,
    """json_extract_scalar('{"a": 1, "a": 2}', '$.a')""": "1",
    """json_extract_scalar('no', '$.a')""": None,
    """json_extract_scalar('{"a": "\\u00e9\\n"}', '$.a')""": "é\n",
    """json_format(json_extract('{"a": {"b": [1, null]}}', '$.a'))""": '{"b":[1,null]}',
    """CAST(json_parse('["a", null]') AS array(varchar))""": ["a", None],
    "CAST(json_parse('\"x\"') AS varchar)": "x",
    "CAST(json_parse('7') AS bigint)": 7,
    "json_format(CAST('a\"b' AS json))": '"a\\"b"',
}
# https://trino.io/docs/current/functions/datetime.html
TIME = {
    "date_add('second', 86, TIMESTAMP '2020-03-01 00:00:00')": at(2020, 3, 1, 0, 1, 26),
    "date_add('month', 1, DATE '2026-01-31')": date(2026, 2, 28),
    "date_diff('second', TIMESTAMP '2020-03-01 00:00:00', TIMESTAMP '2020-03-02 00:00:00')": 86400,
    "date_diff('day', DATE '2020-03-01', DATE '2020-03-02')": 1,
    # complete units, towards zero
    "date_diff('hour', TIMESTAMP '2020-03-01 02:00:00', TIMESTAMP '2020-03-01 00:59:00')": -1,
    "date_diff('month', TIMESTAMP '2020-01-31 10:00:00', TIMESTAMP '2020-02-29 00:00:00')": 0,
    "date_format(TIMESTAMP '2022-10-20 05:10:09', '%Y-%m-%dT%H:%i:%sZ')": "2022-10-20T05:10:09Z",
    "date_parse('2022/10/20/05', '%Y/%m/%d/%H')": at(2022, 10, 20, 5),
    "date_trunc('week', TIMESTAMP '2022-10-20 05:10:00')": at(2022, 10, 17),
    "from_iso8601_timestamp('2020-05-11T11:15:05.055Z')": at(2020, 5, 11, 11, 15, 5, 55000),
    "from_unixtime(60.5)": at(1970, 1, 1, 0, 1, 0, 500000),
    "current_timestamp": at(2026, 11, 23, 12, 34, 56, 789000),
    "date(TIMESTAMP '2026-01-02 03:04:05')": date(2026, 1, 2),
    "CAST('2026-01-02' AS date)": date(2026, 1, 2),
    "CAST('2026-01-02 03:04:05.678' AS timestamp)": at(2026, 1, 2, 3, 4, 5, 678000),
    "CAST(TIMESTAMP '2026-01-02 03:04:05.678' AS varchar)": "2026-01-02 03:04:05.678",
}
OTHERS = {
    "1 + 2 * 3 - (4 - 1)": 4,
    "CASE WHEN 1 = 2 THEN 'a' END": None,
    "CASE 2 WHEN 1 THEN 'a' WHEN 2 THEN 'b' ELSE 'c' END": "b",
    # a branch that is not taken raises no error
    "CASE WHEN true THEN 1 ELSE 1 / 0 END": 1,
    "false AND 1 / 0 = 1": False,
    "element_at(ARRAY[1, 2], -1)": 2,
    "sequence(3, 1)": [3, 2, 1],
}


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        pytest.param(expression, expected, id=expression)
        for group in (TEXT, JSON, TIME, OTHERS)
        for expression, expected in group.items()
    ],
)
def test_value(value: Callable[[str], Any], expression: str, expected: Any) -> None:
    found = value(expression)
    assert found == expected
    assert isinstance(found, bool) == isinstance(expected, bool)


REFUSALS = {
    "1 / 0": "DIVISION_BY_ZERO: Division by zero",
    "9223372036854775807 + 1": "NUMERIC_VALUE_OUT_OF_RANGE",
    "CAST('x' AS bigint)": "INVALID_CAST_ARGUMENT: Cannot cast 'x' to BIGINT",
    "ARRAY[1][2]": "INVALID_FUNCTION_ARGUMENT: Array subscript must be less than or equal to",
    "upper('straße')": "NOT_SUPPORTED",
    "json_parse('{')": "INVALID_FUNCTION_ARGUMENT: Cannot convert value to JSON: '{'",
    "json_extract_scalar('{}', 'a')": "INVALID_FUNCTION_ARGUMENT: line 1:8: Invalid JSON path: 'a'",
    # what Athena can do and this cannot, or would do otherwise
    """json_extract_scalar('{"a": {"b": 1}, oops', '$.a.b')""": "NOT_SUPPORTED",
    "from_iso8601_timestamp('2020-05-11T11:15:05+01:00')": "NOT_SUPPORTED",
    "regexp_like('é', '\\w')": "NOT_SUPPORTED",
    "regexp_like('a', '\\p{L}')": "NOT_SUPPORTED",
    "regexp_replace('a', '(a)', '$1')": "NOT_SUPPORTED",
    "current_timestamp AT TIME ZONE 'Europe/Berlin'": "NOT_SUPPORTED",
    "DATE '2026-01-31' + INTERVAL '1' DAY": "NOT_SUPPORTED",
    "CAST(1e0 AS varchar)": "NOT_SUPPORTED",
    "TRY_CAST('x' AS bigint)": "NOT_SUPPORTED",
    "1.5 + 2": "NOT_SUPPORTED",
    """json_parse('{"b": 1, "a": "x"}')""": "NOT_SUPPORTED",
    """json_extract_scalar('{"a": 1.50}', '$.a')""": "NOT_SUPPORTED",
    "transform(ARRAY[1], x -> x + 1)": "NOT_SUPPORTED",
    "soundex('a')": "NOT_SUPPORTED: line 1:8: the function 'soundex' is not supported by the local",
}


@pytest.mark.parametrize(
    ("expression", "message"), [pytest.param(*item, id=item[0]) for item in REFUSALS.items()]
)
def test_refusal(failure: Callable[..., str], expression: str, message: str) -> None:
    assert failure(f"SELECT {expression}").startswith(message)


def test_a_guard_keeps_guarding(run: Callable[..., Any]) -> None:
    rows = [{"x": "1"}, {"x": "no"}] * 300
    found = run(
        """WITH numbers AS (
            SELECT CAST(x AS integer) AS n FROM t WHERE regexp_like(replace(x, ' ', ''), '^[0-9]+')
        )
        SELECT count(*) FROM numbers WHERE n > 0""",
        {"t": rows},
        {"t": {"x": "string"}},
    )
    assert found == [(300,)]
