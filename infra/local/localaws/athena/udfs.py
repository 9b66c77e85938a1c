"""Trino's functions that DuckDB lacks or computes otherwise, as Python functions inside DuckDB.

Each takes and returns plain values and raises ValueError whose text is Athena's whole error
message (``CODE: text``); `engine` finds it in DuckDB's. None goes in, None comes out, unless said
otherwise. Names start with ``t_``.
"""

from __future__ import annotations

import base64
import binascii
import calendar
import functools
import hashlib
import math
import re
import urllib.parse
import zlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_HALF_UP, Context, Decimal, InvalidOperation, localcontext
from typing import Any

import duckdb

from localaws.athena import json_cast, json_text, regex, times

# Marks our own messages among DuckDB's (see `engine`).
MARK = "athena: "


@dataclass(frozen=True, slots=True)
class Udf:
    """One function and its DuckDB types."""

    call: Callable[..., Any]
    args: tuple[str, ...]
    returns: str


def _time(parse: Callable[[str], Any], kind: str) -> Callable[[str], Any]:
    def convert(text: str) -> Any:
        try:
            return parse(text)
        except times.BadTime as error:
            raise ValueError(
                f"INVALID_CAST_ARGUMENT: Value cannot be cast to {kind}: {text}"
            ) from error

    return convert


def _iso(parse: Callable[[str], Any]) -> Callable[[str], Any]:
    def convert(text: str) -> Any:
        try:
            return parse(text)
        except times.BadTime as error:
            raise ValueError(f'INVALID_FUNCTION_ARGUMENT: Invalid format: "{text}"') from error

    return convert


def _date_parse(text: str, pattern: str) -> datetime:
    try:
        return times.mysql_parse(text, pattern)
    except times.BadTime as error:
        raise ValueError(f'INVALID_FUNCTION_ARGUMENT: Invalid format: "{text}"') from error


_LONG = re.compile(r"[+-]?[0-9]{1,30}")
_DOUBLE = re.compile(r"[+-]?(NaN|Infinity|(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?)", re.ASCII)
_DECIMAL = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?(?P<exponent>\d+))?", re.ASCII)
_MAX_EXPONENT_DIGITS = 2
_RANGES = {"tinyint": 7, "smallint": 15, "integer": 31, "bigint": 63}


def _unread(text: str, kind: str) -> ValueError:
    """A text that Java's parsers may well understand."""
    return ValueError(
        f"NOT_SUPPORTED: a cast of '{text[:100]}' to {kind} is not supported by the local Athena"
    )


def _to_integer(text: str, kind: str) -> int:
    if not text.isascii() and any(char.isdecimal() for char in text):
        raise _unread(text, kind)
    if not _LONG.fullmatch(text):
        raise ValueError(f"INVALID_CAST_ARGUMENT: Cannot cast '{text}' to {kind.upper()}")
    value = int(text)
    if not -(2 ** _RANGES[kind]) <= value < 2 ** _RANGES[kind]:
        raise ValueError(f"INVALID_CAST_ARGUMENT: Cannot cast '{text}' to {kind.upper()}")
    return value


_JAVA_DOUBLE = re.compile(
    r"[+-]?(0[xX][\da-fA-F.]+[pP][+-]?\d+|[\d.]+([eE][+-]?\d+)?)[dDfF]?", re.ASCII
)
_CONTROLS = "".join(map(chr, range(33)))


def _to_double(text: str) -> float:
    trimmed = text.strip(_CONTROLS)
    if _DOUBLE.fullmatch(trimmed):
        return float(trimmed)
    if _JAVA_DOUBLE.fullmatch(trimmed) and not trimmed.isdecimal():
        raise _unread(text, "double")
    raise ValueError(f"INVALID_CAST_ARGUMENT: Cannot cast '{text}' to DOUBLE")


def _to_boolean(text: str) -> bool:
    if text.lower() in ("t", "true", "1"):
        return True
    if text.lower() in ("f", "false", "0"):
        return False
    raise ValueError(f"INVALID_CAST_ARGUMENT: Cannot cast '{text}' to BOOLEAN")


_WIDE = Context(prec=120)


def _rounded(value: Decimal, precision: int, scale: int, shown: str) -> str:
    with localcontext(_WIDE):
        result = value.quantize(Decimal(1).scaleb(-scale), ROUND_HALF_UP)
    if abs(result) >= Decimal(10) ** (precision - scale):
        raise ValueError(
            f"INVALID_CAST_ARGUMENT: Cannot cast '{shown}' to DECIMAL({precision}, {scale})"
        )
    return format(result, "f")


def _to_decimal(text: str, precision: int, scale: int) -> str:
    match = _DECIMAL.fullmatch(text)
    if match is not None and len(match["exponent"] or "") > _MAX_EXPONENT_DIGITS:
        raise _unread(text, "decimal")
    if match is None:
        raise ValueError(
            f"INVALID_CAST_ARGUMENT: Cannot cast VARCHAR '{text}' to "
            f"DECIMAL({precision}, {scale}). Value is not a number."
        )
    return _rounded(Decimal(text), precision, scale, text)


def _double_to_decimal(value: float, precision: int, scale: int) -> str:
    """Trino's releases disagree whether the double or its shortest text is rounded."""
    if math.isnan(value) or math.isinf(value):
        raise ValueError(
            f"INVALID_CAST_ARGUMENT: Cannot cast DOUBLE '{json_text.java_double(value)}' to "
            f"DECIMAL({precision}, {scale})"
        )
    exact = _rounded(Decimal(value), precision, scale, repr(value))
    shown = _rounded(Decimal(repr(value)), precision, scale, repr(value))
    if exact != shown:
        raise ValueError(
            f"NOT_SUPPORTED: rounding the double {value!r} to {scale} digits is not supported by "
            "the local Athena (it lies on a tie)"
        )
    return exact


def _round_double(value: float, digits: int) -> float:
    if math.isnan(value) or math.isinf(value):
        return value
    rounded = _double_to_decimal(value, 400, digits) if digits >= 0 else None
    if rounded is None:
        raise ValueError(
            "NOT_SUPPORTED: round() of a double to negative digits is not supported by the local "
            "Athena"
        )
    return float(rounded)


def _divide(left: str, right: str, scale: int) -> str:
    """Decimal division, rounded half up to `scale` digits, as text."""
    divisor = Decimal(right)
    if divisor == 0:
        raise ValueError("DIVISION_BY_ZERO: Division by zero")
    with localcontext(_WIDE):
        try:
            quotient = (Decimal(left) / divisor).quantize(Decimal(1).scaleb(-scale), ROUND_HALF_UP)
        except InvalidOperation as error:
            raise ValueError("NUMERIC_VALUE_OUT_OF_RANGE: Decimal overflow") from error
    return format(quotient, "f")


# Java's Character.isWhitespace: no-break spaces are not white.
_SPACE = "\t\n\x0b\x0c\r\x1c\x1d\x1e\x1f \u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006"
_SPACE += "\u2008\u2009\u200a\u2028\u2029\u205f\u3000"


def _upper(text: str) -> str:
    """Character by character, as Java's Character.toUpperCase: none becomes two."""
    return text.upper() if text.isascii() else "".join(map(_upper_character, text))


def _upper_character(char: str) -> str:
    return next((one for one in (char.upper(), char.title()) if len(one) == 1), char)


def _lower(text: str) -> str:
    """Character by character, as Java's Character.toLowerCase."""
    return text.lower() if text.isascii() else "".join(char.lower()[0] for char in text)


def _substr(text: str, start: int, length: int | None) -> str:
    if start == 0 or (length is not None and length <= 0):
        return ""
    if start < 0:
        start += len(text) + 1
        if start <= 0:
            return ""
    return text[start - 1 :] if length is None else text[start - 1 : start - 1 + length]


def _substr2(text: str, start: int) -> str:
    return _substr(text, start, None)


def _split(text: str, delimiter: str) -> list[str]:
    if not delimiter:
        raise ValueError("INVALID_FUNCTION_ARGUMENT: The delimiter may not be the empty string")
    return text.split(delimiter)


def _split_limit(text: str, delimiter: str, limit: int) -> list[str]:
    if not delimiter:
        raise ValueError("INVALID_FUNCTION_ARGUMENT: The delimiter may not be the empty string")
    if limit <= 0:
        raise ValueError("INVALID_FUNCTION_ARGUMENT: Limit must be positive")
    return text.split(delimiter, limit - 1)


def _split_part(text: str, delimiter: str, index: int) -> str | None:
    if index <= 0:
        raise ValueError("INVALID_FUNCTION_ARGUMENT: Index must be greater than zero")
    parts = _split(text, delimiter)
    return parts[index - 1] if index <= len(parts) else None


def _pad(text: str, size: int, padding: str, left: bool) -> str:
    if not 0 <= size < 2**31:
        raise ValueError(
            f"INVALID_FUNCTION_ARGUMENT: Target length must be in the range [0..{2**31 - 1}]"
        )
    if not padding:
        raise ValueError("INVALID_FUNCTION_ARGUMENT: Padding string must not be empty")
    if size > 1_000_000:
        raise ValueError("NOT_SUPPORTED: padding to more than 1,000,000 characters")
    missing = size - len(text)
    if missing <= 0:
        return text[:size]
    fill = (padding * (missing // len(padding) + 1))[:missing]
    return fill + text if left else text + fill


def _from_base64(text: str) -> bytes:
    return _decode64(text, url=False)


def _from_base64url(text: str) -> bytes:
    return _decode64(text, url=True)


def _decode64(text: str, *, url: bool) -> bytes:
    alphabet = rb"[A-Za-z0-9_-]*={0,2}" if url else rb"[A-Za-z0-9+/]*={0,2}"
    raw = text.encode()
    body = raw.rstrip(b"=")
    padded = raw != body
    if not re.fullmatch(alphabet, raw) or len(body) % 4 == 1 or (padded and len(raw) % 4 != 0):
        raise ValueError("INVALID_FUNCTION_ARGUMENT: Illegal base64 character or ending")
    body += b"=" * (-len(body) % 4)
    return base64.urlsafe_b64decode(body) if url else base64.b64decode(body)


def _from_hex(text: str) -> bytes:
    if re.search(r"\s", text):
        raise ValueError("INVALID_FUNCTION_ARGUMENT: invalid hex character")
    try:
        return binascii.unhexlify(text)
    except (binascii.Error, ValueError) as error:
        raise ValueError(f"INVALID_FUNCTION_ARGUMENT: {error}") from error


def _url_decode(text: str) -> str:
    if re.search(r"%(?![0-9A-Fa-f]{2})", text):
        raise ValueError(
            "INVALID_FUNCTION_ARGUMENT: URLDecoder: Illegal hex characters in escape (%) pattern"
        )
    return urllib.parse.unquote_plus(text, errors="replace")


def _url_encode(text: str) -> str:
    """Guava's form escaper: letters, digits and ``-_.*`` stay, a space becomes ``+``."""
    return urllib.parse.quote_plus(text, safe="*-_.").replace("~", "%7E")


def _chr(code: int) -> str:
    if not 0 <= code <= 0x10FFFF or 0xD800 <= code <= 0xDFFF or code == 0:
        raise ValueError(f"INVALID_FUNCTION_ARGUMENT: Not a valid Unicode code point: {code}")
    return chr(code)


def _json_extract_scalar(document: str, path: str) -> str | None:
    found = json_text.find(document, path)
    return None if json_text.is_missing(found) else json_text.scalar_text(found)


def _json_extract(document: str, path: str) -> str | None:
    found = json_text.find(document, path)
    return None if json_text.is_missing(found) else json_text.dump(found)


def _json_parse(text: str) -> str:
    try:
        return json_text.dump(json_text.loads(text), sort=True)
    except json_text.BadJson as error:
        raise ValueError(
            f"INVALID_FUNCTION_ARGUMENT: Cannot convert value to JSON: '{text[:200]}'"
        ) from error


def _json_array_length(document: str) -> int | None:
    try:
        value = json_text.loads(document)
    except json_text.BadJson:
        return None
    return len(value) if isinstance(value, list) else None


def _json_size(document: str, path: str) -> int | None:
    found = json_text.find(document, path)
    if json_text.is_missing(found):
        return None
    return len(found) if isinstance(found, (list, dict)) else 0


def _json_array_contains(document: str, wanted: str) -> bool | None:
    try:
        value = json_text.loads(document)
    except json_text.BadJson:
        return None
    if not isinstance(value, list):
        return None
    return any(
        isinstance(item, str) and not isinstance(item, json_text.Number) and item == wanted
        for item in value
    )


def _json_string(text: str) -> str:
    return json_text.dump(text)


def _crc32(raw: bytes) -> int:
    return zlib.crc32(raw)


def _fail(message: str) -> bool:
    raise ValueError(message)


def _to_unixtime(value: datetime) -> float:
    return (value - datetime(1970, 1, 1)).total_seconds()  # noqa: DTZ001


def _codepoint(text: str) -> int:
    if len(text) != 1:
        raise ValueError("INVALID_FUNCTION_ARGUMENT: codepoint() takes a single character")
    return ord(text)


def _months_between(start: datetime, end: datetime) -> int:
    """Complete months from the earlier to the later, negative if `end` is earlier (as Joda).

    A month is complete when adding it to the earlier time (the day cut to the month's length)
    does not pass the later one.
    """
    if end < start:
        return -_months_between(end, start)
    months = (end.year - start.year) * 12 + end.month - start.month
    return months if _plus_months(start, months) <= end else months - 1


def _plus_months(value: datetime, months: int) -> datetime:
    year, month = divmod(value.year * 12 + value.month - 1 + months, 12)
    day = min(value.day, calendar.monthrange(year, month + 1)[1])
    return value.replace(year=year, month=month + 1, day=day)


def _timestamp_text(value: datetime, precision: int) -> str:
    text = value.strftime("%H:%M:%S")
    day = f"{value.year:04}-{value.month:02}-{value.day:02}"
    fraction = f".{value.microsecond:06}"[: precision + 1] if precision else ""
    return f"{day} {text}{fraction}"


def _digest(name: str) -> Callable[[bytes], bytes]:
    return lambda value: hashlib.new(name, value, usedforsecurity=False).digest()


def _regex_extract(text: str, pattern: str) -> str | None:
    return regex.extract(text, pattern, 0)


def _regex_extract_all(text: str, pattern: str) -> list[str | None]:
    return regex.extract_all(text, pattern, 0)


_TEXT, _LONG_TYPE, _STAMP, _BYTES = "VARCHAR", "BIGINT", "TIMESTAMP", "BLOB"

UDFS: dict[str, Udf] = {
    "t_fail": Udf(_fail, (_TEXT,), "BOOLEAN"),
    "t_integer": Udf(_to_integer, (_TEXT, _TEXT), _LONG_TYPE),
    "t_double": Udf(_to_double, (_TEXT,), "DOUBLE"),
    "t_boolean": Udf(_to_boolean, (_TEXT,), "BOOLEAN"),
    "t_decimal": Udf(_to_decimal, (_TEXT, _LONG_TYPE, _LONG_TYPE), _TEXT),
    "t_double_decimal": Udf(_double_to_decimal, ("DOUBLE", _LONG_TYPE, _LONG_TYPE), _TEXT),
    "t_round": Udf(_round_double, ("DOUBLE", _LONG_TYPE), "DOUBLE"),
    "t_divide": Udf(_divide, (_TEXT, _TEXT, _LONG_TYPE), _TEXT),
    "t_date": Udf(_time(times.parse_date, "date"), (_TEXT,), "DATE"),
    "t_timestamp": Udf(_time(times.parse_timestamp, "timestamp"), (_TEXT,), _STAMP),
    "t_zoned": Udf(_time(times.parse_zoned, "timestamp with time zone"), (_TEXT,), _STAMP),
    "t_timestamp_text": Udf(_timestamp_text, (_STAMP, _LONG_TYPE), _TEXT),
    "t_iso_instant": Udf(_iso(times.iso_instant), (_TEXT,), _STAMP),
    "t_iso_local": Udf(_iso(times.iso_local), (_TEXT,), _STAMP),
    "t_iso_date": Udf(_iso(times.iso_date), (_TEXT,), "DATE"),
    "t_date_parse": Udf(_date_parse, (_TEXT, _TEXT), _STAMP),
    "t_date_format": Udf(times.mysql_format, (_STAMP, _TEXT), _TEXT),
    "t_to_unixtime": Udf(_to_unixtime, (_STAMP,), "DOUBLE"),
    "t_from_unixtime": Udf(times.from_unixtime, ("DOUBLE",), _STAMP),
    "t_trim": Udf(lambda text: text.strip(_SPACE), (_TEXT,), _TEXT),
    "t_ltrim": Udf(lambda text: text.lstrip(_SPACE), (_TEXT,), _TEXT),
    "t_rtrim": Udf(lambda text: text.rstrip(_SPACE), (_TEXT,), _TEXT),
    "t_substr2": Udf(_substr2, (_TEXT, _LONG_TYPE), _TEXT),
    "t_substr3": Udf(_substr, (_TEXT, _LONG_TYPE, _LONG_TYPE), _TEXT),
    "t_replace": Udf(lambda text, old, new: text.replace(old, new), (_TEXT,) * 3, _TEXT),
    "t_split": Udf(_split, (_TEXT, _TEXT), "VARCHAR[]"),
    "t_split_limit": Udf(_split_limit, (_TEXT, _TEXT, _LONG_TYPE), "VARCHAR[]"),
    "t_split_part": Udf(_split_part, (_TEXT, _TEXT, _LONG_TYPE), _TEXT),
    "t_lpad": Udf(lambda s, n, p: _pad(s, n, p, True), (_TEXT, _LONG_TYPE, _TEXT), _TEXT),
    "t_rpad": Udf(lambda s, n, p: _pad(s, n, p, False), (_TEXT, _LONG_TYPE, _TEXT), _TEXT),
    "t_upper": Udf(_upper, (_TEXT,), _TEXT),
    "t_lower": Udf(_lower, (_TEXT,), _TEXT),
    "t_reverse": Udf(lambda text: text[::-1], (_TEXT,), _TEXT),
    "t_chr": Udf(_chr, (_LONG_TYPE,), _TEXT),
    "t_codepoint": Udf(_codepoint, (_TEXT,), "INTEGER"),
    "t_months_between": Udf(_months_between, (_STAMP, _STAMP), _LONG_TYPE),
    "t_to_utf8": Udf(lambda text: text.encode(), (_TEXT,), _BYTES),
    "t_from_utf8": Udf(lambda raw: bytes(raw).decode("utf-8", "replace"), (_BYTES,), _TEXT),
    "t_from_hex": Udf(_from_hex, (_TEXT,), _BYTES),
    "t_to_base64": Udf(lambda raw: base64.b64encode(raw).decode(), (_BYTES,), _TEXT),
    "t_from_base64": Udf(_from_base64, (_TEXT,), _BYTES),
    "t_to_base64url": Udf(lambda raw: base64.urlsafe_b64encode(raw).decode(), (_BYTES,), _TEXT),
    "t_from_base64url": Udf(_from_base64url, (_TEXT,), _BYTES),
    "t_md5": Udf(_digest("md5"), (_BYTES,), _BYTES),
    "t_sha1": Udf(_digest("sha1"), (_BYTES,), _BYTES),
    "t_sha256": Udf(_digest("sha256"), (_BYTES,), _BYTES),
    "t_sha512": Udf(_digest("sha512"), (_BYTES,), _BYTES),
    "t_crc32": Udf(_crc32, (_BYTES,), _LONG_TYPE),
    "t_url_decode": Udf(_url_decode, (_TEXT,), _TEXT),
    "t_url_encode": Udf(_url_encode, (_TEXT,), _TEXT),
    "t_regexp_like": Udf(regex.like, (_TEXT, _TEXT), "BOOLEAN"),
    "t_regexp_extract2": Udf(_regex_extract, (_TEXT, _TEXT), _TEXT),
    "t_regexp_extract3": Udf(regex.extract, (_TEXT, _TEXT, _LONG_TYPE), _TEXT),
    "t_regexp_extract_all2": Udf(_regex_extract_all, (_TEXT, _TEXT), "VARCHAR[]"),
    "t_regexp_extract_all3": Udf(regex.extract_all, (_TEXT, _TEXT, _LONG_TYPE), "VARCHAR[]"),
    "t_regexp_replace": Udf(regex.replace, (_TEXT, _TEXT, _TEXT), _TEXT),
    "t_regexp_split": Udf(regex.split, (_TEXT, _TEXT), "VARCHAR[]"),
    "t_regexp_count": Udf(regex.count, (_TEXT, _TEXT), _LONG_TYPE),
    "t_json_extract_scalar": Udf(_json_extract_scalar, (_TEXT, _TEXT), _TEXT),
    "t_json_extract": Udf(_json_extract, (_TEXT, _TEXT), _TEXT),
    "t_json_parse": Udf(_json_parse, (_TEXT,), _TEXT),
    "t_json_array_length": Udf(_json_array_length, (_TEXT,), _LONG_TYPE),
    "t_json_size": Udf(_json_size, (_TEXT, _TEXT), _LONG_TYPE),
    "t_json_array_contains": Udf(_json_array_contains, (_TEXT, _TEXT), "BOOLEAN"),
    "t_json_string": Udf(_json_string, (_TEXT,), _TEXT),
    "t_json_cast": Udf(json_cast.normalise, (_TEXT, _TEXT), _TEXT),
}


# The functions that never raise, whatever text they get (a path or pattern is checked before).
_TOTAL = frozenset(
    {
        *(
            "t_trim",
            "t_ltrim",
            "t_rtrim",
            "t_substr2",
            "t_substr3",
            "t_replace",
            "t_reverse",
            "t_upper",
            "t_lower",
        ),
        *("t_to_utf8", "t_from_utf8", "t_to_base64", "t_to_base64url", "t_md5", "t_sha1"),
        *("t_sha256", "t_sha512", "t_crc32", "t_url_encode", "t_to_unixtime"),
        *("t_timestamp_text", "t_json_extract_scalar", "t_json_extract", "t_json_size"),
        *("t_json_array_length", "t_json_array_contains", "t_json_string"),
    }
)
FALLIBLE = frozenset(UDFS) - _TOTAL


_CALL = re.compile(r"\bt_\w+(?=\()")


def named_in(sql: str) -> frozenset[str]:
    """The functions a DuckDB statement calls (or has in a string)."""
    return frozenset(_CALL.findall(sql)) & UDFS.keys()


def register(
    connection: duckdb.DuckDBPyConnection, names: Iterable[str], refused: Callable[[str], None]
) -> None:
    """Make functions known to `connection`.

    `refused` is told of every NOT_SUPPORTED, which a TRY in the statement must not hide.
    """
    for name in names:
        udf = UDFS[name]
        connection.create_function(
            name,
            _marked(udf.call, refused),
            list(udf.args),
            udf.returns,
            null_handling="special" if _may_return_null(udf) else "default",
        )


def _may_return_null(udf: Udf) -> bool:
    # DuckDB's default handling insists that a value in gives a value out.
    return udf.call in _NULLABLE


_NULLABLE: frozenset[Callable[..., Any]] = frozenset(
    {
        _split_part,
        _regex_extract,
        regex.extract,
        _json_extract_scalar,
        _json_extract,
        _json_array_length,
        _json_size,
        _json_array_contains,
        json_cast.normalise,
    }
)


def _marked(call: Callable[..., Any], refused: Callable[[str], None]) -> Callable[..., Any]:
    nullable = call in _NULLABLE

    @functools.wraps(call)  # DuckDB counts the parameters of the signature
    def run(*args: Any) -> Any:
        if nullable and any(arg is None for arg in args):
            return None
        try:
            return call(*args)
        except ValueError as error:
            if str(error).startswith("NOT_SUPPORTED"):
                refused(str(error))
            raise ValueError(f"{MARK}{error}") from error

    return run
