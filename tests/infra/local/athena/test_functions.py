"""Functions give what Trino documents: https://trino.io/docs/current/functions.html"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import pytest

Value = Callable[[str], Any]


def at(*parts: int) -> datetime:
    return datetime(*parts)  # type: ignore[arg-type]  # noqa: DTZ001


TEXT = {
    "lower('ÀB')": "àb",
    "upper('straße')": "STRAßE",
    "length('é😀')": 2,
    "length(X'00ff')": 2,
    "reverse('ab😀')": "😀ba",
    "trim(' \t a\u00a0')": "a\u00a0",
    "ltrim(' a ')": "a ",
    "rtrim(' a ')": " a",
    "trim(BOTH FROM ' a ')": "a",
    "trim(LEADING FROM ' a ')": "a ",
    "replace('abca', 'a')": "bc",
    "replace('abca', 'a', 'x')": "xbcx",
    "replace('ab', '', 'x')": "xaxbx",
    "strpos('häuser', 'user')": 3,
    "strpos('a', 'b')": 0,
    "position('b' IN 'abc')": 2,
    "starts_with('abc', 'ab')": True,
    "substr('hello', 2)": "ello",
    "substr('hello', 2, 3)": "ell",
    "substr('hello', -3, 2)": "ll",
    "substr('hello', 0)": "",
    "substr('hello', -9)": "",
    "substr('hello', 2, -1)": "",
    "substring('hello' FROM 2 FOR 2)": "el",
    "split('a,b,,c', ',')": ["a", "b", "", "c"],
    "split('a,b,c', ',', 2)": ["a", "b,c"],
    "split('', ',')": [""],
    "split_part('a-b', '-', 2)": "b",
    "split_part('a-b', '-', 3)": None,
    "lpad('7', 3, '0')": "007",
    "lpad('1234', 3, '0')": "123",
    "rpad('ab', 5, 'xy')": "abxyx",
    "chr(65)": "A",
    "codepoint('A')": 65,
    "concat('a', 'b', 'c')": "abc",
    "concat('a', NULL)": None,
    "'a' || 'b'": "ab",
    "'a' || NULL": None,
    "concat_ws('-', 'a', NULL, 'b')": "a-b",
    "concat_ws(NULL, 'a', 'b')": None,
    "url_encode('a b&ü~*')": "a+b%26%C3%BC%7E*",
    "url_decode('a+b%26%C3%BC')": "a b&ü",
}

BINARY = {
    "to_utf8('é')": b"\xc3\xa9",
    "from_utf8(X'c3a9')": "é",
    "from_utf8(X'61ff62')": "a\ufffdb",
    "to_hex(X'ab01')": "AB01",
    "from_hex('AB01')": b"\xab\x01",
    "to_base64(X'fbff')": "+/8=",
    "from_base64('+/8=')": b"\xfb\xff",
    "from_base64('+/8')": b"\xfb\xff",
    "to_base64url(X'fbff')": "-_8=",
    "from_base64url('-_8=')": b"\xfb\xff",
    "lower(to_hex(md5(to_utf8('a'))))": "0cc175b9c0f1b6a831c399e269772661",
    "lower(to_hex(sha1(to_utf8('a'))))": "86f7e437faa5a7fce15d1ddcb9eaeaea377667b8",
    "lower(to_hex(sha256(to_utf8('a'))))": (
        "ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb"
    ),
    "length(sha512(X''))": 64,
    "crc32(to_utf8('a'))": 3904355907,
}

# https://trino.io/docs/current/functions/regexp.html
REGULAR_EXPRESSIONS = {
    r"regexp_count('1a 2b 14m', '\s*[a-z]+\s*')": 3,
    r"regexp_extract_all('1a 2b 14m', '\d+')": ["1", "2", "14"],
    r"regexp_extract_all('1a 2b 14m', '(\d+)([a-z]+)', 2)": ["a", "b", "m"],
    r"regexp_extract('1a 2b 14m', '\d+')": "1",
    r"regexp_extract('1a 2b 14m', '(\d+)([a-z]+)', 2)": "a",
    r"regexp_extract('a', 'b')": None,
    r"regexp_extract('b', '(a)?b', 1)": None,
    r"regexp_like('1a 2b 14m', '\d+b')": True,
    r"regexp_replace('1a 2b 14m', '\d+[ab] ')": "14m",
    r"regexp_replace('1a 2b 14m', '(\d+)([ab]) ', '3c$2 ')": "3ca 3cb 14m",
    r"regexp_replace('ab', '(?<first>a)', '${first}$1x\$')": "aax$b",
    r"regexp_split('1a 2b 14m', '\s*[a-z]+\s*')": ["1", "2", "14", ""],
    r"regexp_replace('s3://bucket/a/b', '^s3://[^/]+/', '')": "a/b",
}

# https://trino.io/docs/current/functions/json.html
JSON = {
    "json_extract_scalar('[1, 2, 3]', '$[2]')": "3",
    """json_extract_scalar('{"a": {"b-c": "x"}}', '$.a["b-c"]')""": "x",
    """json_extract_scalar('{"a": 1.50}', '$.a')""": "1.50",
    """json_extract_scalar('{"a": true}', '$.a')""": "true",
    """json_extract_scalar('{"a": null}', '$.a')""": None,
    """json_extract_scalar('{"a": [1]}', '$.a')""": None,
    """json_extract_scalar('{"a": 1, "a": 2}', '$.a')""": "1",
    """json_extract_scalar('{"a": {"b": 1}, oops', '$.a.b')""": "1",
    """json_extract_scalar('{oops', '$.a')""": None,
    """json_extract_scalar('["x"]', '$.0')""": "x",
    """json_extract_scalar('{"a": "\\u00e9\\n"}', '$.a')""": "é\n",
    "json_extract_scalar(NULL, '$.a')": None,
    """json_extract('{"a": {"b": [1, 2.50, null]}}', '$.a')""": '{"b":[1,2.5,null]}',
    """json_extract('{"a": null}', '$.a')""": "null",
    """json_format(json_parse('{"b": 1, "a": "x"}'))""": '{"a":"x","b":1}',
    "json_format(json_parse('1e3'))": "1000.0",
    """json_array_length('[1, 2, 3]')""": 3,
    """json_array_length('{"a": 1}')""": None,
    """json_array_contains('["x", 2]', 'x')""": True,
    """json_size('{"x": {"a": 1, "b": 2}}', '$.x')""": 2,
    """json_size('{"x": [1, 2, 3]}', '$.x')""": 3,
    """json_size('{"x": {"a": 1, "b": 2}}', '$.x.a')""": 0,
    "CAST(json_parse('[1, null, 3]') AS array(integer))": [1, None, 3],
    """CAST(json_parse('{"a": [1]}') AS map(varchar, array(bigint)))""": {"a": [1]},
    """CAST(json_parse('{"V": "x", "k": 1}') AS row(k integer, v varchar))""": {"k": 1, "v": "x"},
    "CAST(json_parse('\"x\"') AS varchar)": "x",
    "CAST(json_parse('true') AS boolean)": True,
    "CAST(json_parse('null') AS bigint)": None,
    "json_format(CAST('a\"b' AS json))": '"a\\"b"',
}

# https://trino.io/docs/current/functions/datetime.html
TIME = {
    "date_add('second', 86, TIMESTAMP '2020-03-01 00:00:00')": at(2020, 3, 1, 0, 1, 26),
    "date_add('day', -1, TIMESTAMP '2020-03-01 00:00:00')": at(2020, 2, 29),
    "date_add('month', 1, DATE '2026-01-31')": date(2026, 2, 28),
    "date_diff('second', TIMESTAMP '2020-03-01 00:00:00', TIMESTAMP '2020-03-02 00:00:00')": 86400,
    "date_diff('day', DATE '2020-03-01', DATE '2020-03-02')": 1,
    "date_diff('hour', TIMESTAMP '2020-03-01 00:59:00', TIMESTAMP '2020-03-01 02:00:00')": 1,
    "date_diff('hour', TIMESTAMP '2020-03-01 02:00:00', TIMESTAMP '2020-03-01 00:59:00')": -1,
    "date_diff('month', TIMESTAMP '2020-01-31 00:00:00', TIMESTAMP '2020-02-29 00:00:00')": 1,
    "date_diff('month', TIMESTAMP '2020-01-31 10:00:00', TIMESTAMP '2020-02-29 00:00:00')": 0,
    "date_diff('year', DATE '2020-02-29', DATE '2021-02-28')": 1,
    "date_diff('quarter', DATE '2020-03-31', DATE '2020-01-01')": 0,
    "date_format(TIMESTAMP '2022-10-20 05:10:00', '%m-%d-%Y %H')": "10-20-2022 05",
    "date_format(TIMESTAMP '2022-10-20 15:10:09.123', '%W %b %e %l:%i:%s.%f %p %% %j')": (
        "Thursday Oct 20 3:10:09.123000 PM % 293"
    ),
    "date_parse('2022/10/20/05', '%Y/%m/%d/%H')": at(2022, 10, 20, 5),
    "date_parse('2026-01-02 03:04:05.678', '%Y-%m-%d %H:%i:%s.%f')": at(
        2026, 1, 2, 3, 4, 5, 678000
    ),
    "date_trunc('week', TIMESTAMP '2022-10-20 05:10:00')": at(2022, 10, 17),
    "date_trunc('hour', TIMESTAMP '2022-10-20 05:10:00')": at(2022, 10, 20, 5),
    "date_trunc('quarter', DATE '2022-12-20')": date(2022, 10, 1),
    "from_iso8601_timestamp('2020-05-11') AT TIME ZONE 'UTC'": at(2020, 5, 11),
    "from_iso8601_timestamp('2020-05-11T11:15:05.055+01:00') AT TIME ZONE 'UTC'": at(
        2020, 5, 11, 10, 15, 5, 55000
    ),
    # a cast drops the zone, it does not convert
    "CAST(from_iso8601_timestamp('2020-05-11T11:15:05.055+01:00') AS timestamp)": at(
        2020, 5, 11, 11, 15, 5, 55000
    ),
    "from_iso8601_date('2020-05-11')": date(2020, 5, 11),
    "to_iso8601(TIMESTAMP '2020-05-11 11:15:05.055')": "2020-05-11T11:15:05.055",
    "to_iso8601(TIMESTAMP '2020-05-11 11:15:05 UTC')": "2020-05-11T11:15:05Z",
    "to_unixtime(TIMESTAMP '1970-01-01 00:01:00.5')": 60.5,
    "from_unixtime(60.5)": at(1970, 1, 1, 0, 1, 0, 500000),
    "current_timestamp": at(2026, 11, 23, 12, 34, 56, 789000),
    "now()": at(2026, 11, 23, 12, 34, 56, 789000),
    "current_date": date(2026, 11, 23),
    "date(TIMESTAMP '2026-01-02 03:04:05')": date(2026, 1, 2),
    "year(DATE '2026-11-23')": 2026,
    "quarter(DATE '2026-11-23')": 4,
    "month(TIMESTAMP '2026-11-23 01:02:03.456')": 11,
    "week(DATE '2026-01-01')": 1,
    "day(DATE '2026-11-23')": 23,
    "day_of_week(DATE '2026-11-22')": 7,
    "day_of_year(DATE '2026-02-01')": 32,
    "year_of_week(DATE '2027-01-01')": 2026,
    "hour(TIMESTAMP '2026-11-23 01:02:03.456')": 1,
    "minute(TIMESTAMP '2026-11-23 01:02:03.456')": 2,
    "second(TIMESTAMP '2026-11-23 01:02:03.956')": 3,
    "millisecond(TIMESTAMP '2026-11-23 01:02:03.456')": 456,
    "extract(DAY FROM DATE '2026-11-23')": 23,
    "last_day_of_month(DATE '2024-02-10')": date(2024, 2, 29),
    "TIMESTAMP '2026-01-31 00:00:00' + INTERVAL '1' MONTH": at(2026, 2, 28),
    "DATE '2026-01-31' - INTERVAL '1' DAY": date(2026, 1, 30),
    "INTERVAL '90' MINUTE + TIMESTAMP '2026-01-01 00:00:00'": at(2026, 1, 1, 1, 30),
}

CONDITIONS = {
    "coalesce(NULL, 1, 2)": 1,
    "nullif(1, 1)": None,
    "nullif(1, NULL)": 1,
    "if(true, 1, 2)": 1,
    "if(false, 1)": None,
    "greatest(1, 3, 2)": 3,
    "greatest(1, NULL)": None,
    "least('b', 'a')": "a",
    "try(1 / 0)": None,
    "try(CAST('x' AS integer))": None,
    "CASE WHEN 1 = 2 THEN 'a' END": None,
    "CASE 2 WHEN 1 THEN 'a' WHEN 2 THEN 'b' ELSE 'c' END": "b",
    # a branch that is not taken raises no error
    "CASE WHEN true THEN 1 ELSE 1 / 0 END": 1,
    "coalesce(1, 1 / 0)": 1,
    "false AND 1 / 0 = 1": False,
    "true OR 1 / 0 = 1": True,
}

NESTED = {
    "cardinality(ARRAY[1, NULL])": 2,
    "cardinality(map(ARRAY['a'], ARRAY[1]))": 1,
    "element_at(ARRAY[1, 2], 2)": 2,
    "element_at(ARRAY[1, 2], -1)": 2,
    "element_at(ARRAY[1, 2], 3)": None,
    "element_at(map(ARRAY['a'], ARRAY[1]), 'b')": None,
    "ARRAY[1, 2][2]": 2,
    "map(ARRAY['a'], ARRAY[1])['a']": 1,
    "contains(ARRAY[1, 2], 2)": True,
    "contains(ARRAY[1, NULL], 2)": None,
    "contains(ARRAY[1, 3], 2)": False,
    "array_join(ARRAY['a', NULL, 'b'], ',')": "a,b",
    "array_join(ARRAY[1, NULL], ',', '?')": "1,?",
    "array_sort(ARRAY[3, NULL, 1])": [1, 3, None],
    "array_distinct(ARRAY[2, 1, 2, NULL, NULL])": [2, 1, None],
    "array_max(ARRAY[1, 3])": 3,
    "array_max(ARRAY[1, NULL])": None,
    "array_min(ARRAY['b', 'a'])": "a",
    "array_position(ARRAY[5, 6], 6)": 2,
    "array_position(ARRAY[5, 6], 7)": 0,
    "slice(ARRAY[1, 2, 3, 4], 2, 2)": [2, 3],
    "slice(ARRAY[1, 2, 3, 4], -2, 2)": [3, 4],
    "slice(ARRAY[1, 2], 5, 1)": [],
    "flatten(ARRAY[ARRAY[1], ARRAY[2, 3]])": [1, 2, 3],
    "ARRAY[1] || ARRAY[2]": [1, 2],
    "sequence(1, 3)": [1, 2, 3],
    "sequence(3, 1)": [3, 2, 1],
    "sequence(1, 6, 2)": [1, 3, 5],
    "sequence(DATE '2026-01-30', DATE '2026-02-01')": [
        date(2026, 1, 30),
        date(2026, 1, 31),
        date(2026, 2, 1),
    ],
    "transform(ARRAY[1, NULL], x -> x + 1)": [2, None],
    "filter(ARRAY[5, NULL, 7], x -> x > 5)": [7],
    "any_match(ARRAY[1, NULL], x -> x = 1)": True,
    "any_match(ARRAY[2, NULL], x -> x = 1)": None,
    "any_match(ARRAY[2], x -> x = 1)": False,
    "all_match(ARRAY[1, NULL], x -> x = 1)": None,
    "all_match(ARRAY[2, NULL], x -> x = 1)": False,
    "none_match(ARRAY[2], x -> x = 1)": True,
    "map_keys(map(ARRAY['a', 'b'], ARRAY[1, 2]))": ["a", "b"],
    "map_values(map(ARRAY['a', 'b'], ARRAY[1, 2]))": [1, 2],
    "CAST(row(1, 'x') AS row(a bigint, b varchar)).b": "x",
}

NUMBERS = {
    "abs(-3)": 3,
    "ceil(1.2)": 2,
    "ceiling(-1.5e0)": -1.0,
    "floor(-1.5)": -2,
    "round(2.5)": 3,
    "round(-2.5e0)": -3.0,
    "round(1.255, 2)": Decimal("1.26"),
    "round(1.25e0, 1)": 1.3,
    "sign(-5)": -1,
    "mod(-7, 3)": -1,
    "sqrt(-1)": pytest.approx(float("nan"), nan_ok=True),
    "is_nan(nan())": True,
    "bitwise_and(12, 10)": 8,
    "bitwise_xor(12, 10)": 6,
}


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        pytest.param(expression, expected, id=expression)
        for group in (
            *(TEXT, BINARY, REGULAR_EXPRESSIONS, JSON),
            *(TIME, CONDITIONS, NESTED, NUMBERS),
        )
        for expression, expected in group.items()
    ],
)
def test_value(value: Value, expression: str, expected: Any) -> None:
    found = value(expression)
    assert found == expected
    assert isinstance(found, bool) == isinstance(expected, bool)


REFUSALS = {
    "1 / 0": "DIVISION_BY_ZERO: Division by zero",
    "ARRAY[1][2]": (
        "INVALID_FUNCTION_ARGUMENT: Array subscript must be less than or equal to array length: 2"
    ),
    "ARRAY[1][0]": "INVALID_FUNCTION_ARGUMENT: SQL array indices start at 1",
    "map(ARRAY['a'], ARRAY[1])['b']": "INVALID_FUNCTION_ARGUMENT: Key not present in map",
    "split_part('a', '-', 0)": "INVALID_FUNCTION_ARGUMENT: Index must be greater than zero",
    "from_base64('%')": "INVALID_FUNCTION_ARGUMENT: Illegal base64 character or ending",
    "from_iso8601_timestamp('x') AT TIME ZONE 'UTC'": (
        'INVALID_FUNCTION_ARGUMENT: Invalid format: "x"'
    ),
    "date_parse('2026', '%Y-%m')": 'INVALID_FUNCTION_ARGUMENT: Invalid format: "2026"',
    "json_parse('{')": "INVALID_FUNCTION_ARGUMENT: Cannot convert value to JSON: '{'",
    "json_extract_scalar('{}', 'a')": "INVALID_FUNCTION_ARGUMENT: Invalid JSON path: 'a'",
    "json_extract_scalar('{}', '$.a-b')": "INVALID_FUNCTION_ARGUMENT: Invalid JSON path: '$.a-b'",
    "CAST(json_parse('[1]') AS bigint)": (
        "INVALID_CAST_ARGUMENT: Cannot cast to bigint. Value: [1]"
    ),
    "regexp_like('a', '(')": "INVALID_FUNCTION_ARGUMENT: '(': missing ), unterminated subpattern",
    "sequence(1, 20000)": "INVALID_FUNCTION_ARGUMENT: result of sequence function must not",
    "lower(1)": (
        "SYNTAX_ERROR: line 1:8: Unexpected parameters (integer) for function lower. "
        "Expected: lower(varchar)"
    ),
    "soundex('a')": (
        "NOT_SUPPORTED: line 1:8: the function 'soundex' is not supported by the local Athena"
    ),
    # Java's and Python's idea of these may differ
    "regexp_like('é', '\\w')": "NOT_SUPPORTED: a character class over text that is not ASCII",
    "regexp_like('a', '\\p{L}')": "NOT_SUPPORTED: \\p in the regular expression",
    "round(1.005e0, 2)": "NOT_SUPPORTED: rounding the double 1.005 to 2 digits",
    "CAST(1e0 AS varchar)": "NOT_SUPPORTED: line 1:13: a cast from double to varchar",
    "from_iso8601_timestamp('2026-01-01T00:00:00Z')": "NOT_SUPPORTED: a result",
    "current_timestamp AT TIME ZONE 'Europe/Berlin'": "NOT_SUPPORTED: line 1:39: the time zone",
    # what Joda reads and we do not is not called invalid
    "try(from_iso8601_timestamp('2026-W01') AT TIME ZONE 'UTC')": "NOT_SUPPORTED: the time",
    "try(from_iso8601_timestamp('2026-1-2T3:04Z') AT TIME ZONE 'UTC')": "NOT_SUPPORTED: the time",
    "CAST('12026-01-02' AS date)": "NOT_SUPPORTED: line 1:13: the time '12026-01-02'",
    "try(date_parse('2026-1-2', '%Y-%m-%d'))": "NOT_SUPPORTED: the time",
    "try_cast('12026-01-02' AS date)": "NOT_SUPPORTED: the time",
    "try_cast(lower('2026-01-02 00:00:00.123456789') AS timestamp)": "NOT_SUPPORTED: the time",
    "try_cast('1d' AS double)": "NOT_SUPPORTED: a cast of '1d' to double",
    "try_cast('1e300' AS decimal(5,2))": "NOT_SUPPORTED: a cast of '1e300' to decimal",
    # what is refused is refused inside TRY too
    "try(regexp_like('é', '\\w'))": "NOT_SUPPORTED: a character class",
    # TRY_CAST tries the cast only
    "try_cast(1 / 0 AS varchar)": "DIVISION_BY_ZERO",
}


@pytest.mark.parametrize(
    ("expression", "message"), [pytest.param(*item, id=item[0]) for item in REFUSALS.items()]
)
def test_refusal(failure: Callable[[str], str], expression: str, message: str) -> None:
    assert failure(f"SELECT {expression}").startswith(message)
