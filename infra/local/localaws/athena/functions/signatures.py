"""Functions that are one DuckDB expression of their arguments, whatever these are."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, replace

from localaws.athena import casts
from localaws.athena.expression import Expr, build, retyped
from localaws.athena.functions.calls import Call
from localaws.athena.types import (
    BIGINT,
    BOOLEAN,
    DATE,
    DOUBLE,
    INTEGER,
    JSON,
    VARBINARY,
    VARCHAR,
    Type,
    array,
    can_coerce,
    timestamp,
    timestamp_tz,
)


@dataclass(frozen=True, slots=True)
class _Signature:
    args: tuple[Type, ...]
    returns: Type
    template: str


_V, _B, _I, _D = VARCHAR, VARBINARY, BIGINT, DOUBLE
_JSON_INPUTS = (JSON, VARCHAR)

_SIGNATURES: dict[str, list[_Signature]] = {}


def _define(name: str, args: Sequence[Type], returns: Type, template: str) -> None:
    _SIGNATURES.setdefault(name, []).append(_Signature(tuple(args), returns, template))


_define("lower", [_V], _V, "t_lower({})")
_define("upper", [_V], _V, "t_upper({})")
_define("length", [_V], _I, "length({})")
_define("length", [_B], _I, "octet_length({})")
_define("reverse", [_V], _V, "t_reverse({})")
_define("trim", [_V], _V, "t_trim({})")
_define("ltrim", [_V], _V, "t_ltrim({})")
_define("rtrim", [_V], _V, "t_rtrim({})")
_define("replace", [_V, _V], _V, "t_replace({}, {}, '')")
_define("replace", [_V, _V, _V], _V, "t_replace({}, {}, {})")
_define("strpos", [_V, _V], _I, "strpos({}, {})")
_define("starts_with", [_V, _V], BOOLEAN, "starts_with({}, {})")
_define("split", [_V, _V], array(_V), "t_split({}, {})")
_define("split", [_V, _V, _I], array(_V), "t_split_limit({}, {}, {})")
_define("split_part", [_V, _V, _I], _V, "t_split_part({}, {}, {})")
_define("lpad", [_V, _I, _V], _V, "t_lpad({}, {}, {})")
_define("rpad", [_V, _I, _V], _V, "t_rpad({}, {}, {})")
_define("chr", [_I], _V, "t_chr({})")
_define("codepoint", [_V], INTEGER, "t_codepoint({})")
for _substring in ("substr", "substring"):
    _define(_substring, [_V, _I], _V, "t_substr2({}, {})")
    _define(_substring, [_V, _I, _I], _V, "t_substr3({}, {}, {})")
_define("to_utf8", [_V], _B, "t_to_utf8({})")
_define("from_utf8", [_B], _V, "t_from_utf8({})")
_define("to_hex", [_B], _V, "hex({})")
_define("from_hex", [_V], _B, "t_from_hex({})")
_define("to_base64", [_B], _V, "t_to_base64({})")
_define("from_base64", [_V], _B, "t_from_base64({})")
_define("to_base64url", [_B], _V, "t_to_base64url({})")
_define("from_base64url", [_V], _B, "t_from_base64url({})")
for _digest in ("md5", "sha1", "sha256", "sha512"):
    _define(_digest, [_B], _B, f"t_{_digest}({{}})")
_define("crc32", [_B], _I, "t_crc32({})")
_define("url_encode", [_V], _V, "t_url_encode({})")
_define("url_decode", [_V], _V, "t_url_decode({})")

_define("regexp_like", [_V, _V], BOOLEAN, "t_regexp_like({}, {})")
_define("regexp_extract", [_V, _V], _V, "t_regexp_extract2({}, {})")
_define("regexp_extract", [_V, _V, _I], _V, "t_regexp_extract3({}, {}, {})")
_define("regexp_extract_all", [_V, _V], array(_V), "t_regexp_extract_all2({}, {})")
_define("regexp_extract_all", [_V, _V, _I], array(_V), "t_regexp_extract_all3({}, {}, {})")
_define("regexp_replace", [_V, _V], _V, "t_regexp_replace({}, {}, '')")
_define("regexp_replace", [_V, _V, _V], _V, "t_regexp_replace({}, {}, {})")
_define("regexp_split", [_V, _V], array(_V), "t_regexp_split({}, {})")
_define("regexp_count", [_V, _V], _I, "t_regexp_count({}, {})")

_define("json_parse", [_V], JSON, "t_json_parse({})")
_define("json_format", [JSON], _V, "{}")
for _input in _JSON_INPUTS:
    _define("json_array_length", [_input], _I, "t_json_array_length({})")
    _define("json_array_contains", [_input, _V], BOOLEAN, "t_json_array_contains({}, {})")

_define("from_iso8601_date", [_V], DATE, "t_iso_date({})")
_define("date_parse", [_V, _V], timestamp(3), "t_date_parse({}, {})")
_define("last_day_of_month", [DATE], DATE, "last_day({})")
_define("last_day_of_month", [timestamp(6)], DATE, "last_day({})")
_define("from_unixtime", [_D], timestamp_tz(3), "t_from_unixtime({})")
for _fields, _part in (
    (("year",), "year"),
    (("quarter",), "quarter"),
    (("month",), "month"),
    (("week", "week_of_year"), "week"),
    (("day", "day_of_month"), "day"),
    (("day_of_week", "dow"), "isodow"),
    (("day_of_year", "doy"), "doy"),
    (("year_of_week", "yow"), "isoyear"),
):
    for _field in _fields:
        _define(_field, [DATE], _I, f"extract({_part} FROM {{}})")
        _define(_field, [timestamp(6)], _I, f"extract({_part} FROM {{}})")
_define("hour", [timestamp(6)], _I, "extract(hour FROM {})")
_define("minute", [timestamp(6)], _I, "extract(minute FROM {})")
_define("second", [timestamp(6)], _I, "CAST(floor(extract(second FROM {})) AS BIGINT)")
_define("millisecond", [timestamp(6)], _I, "(extract(millisecond FROM {}) % 1000)")

_define("sqrt", [_D], _D, "CASE WHEN {0} < 0 THEN CAST('nan' AS DOUBLE) ELSE sqrt({0}) END")
_define("pi", [], _D, "pi()")
_define("is_nan", [_D], BOOLEAN, "isnan({})")
_define("is_finite", [_D], BOOLEAN, "isfinite({})")
_define("is_infinite", [_D], BOOLEAN, "isinf({})")
_define("infinity", [], _D, "CAST('inf' AS DOUBLE)")
_define("nan", [], _D, "CAST('nan' AS DOUBLE)")
_define("bitwise_and", [_I, _I], _I, "({} & {})")
_define("bitwise_or", [_I, _I], _I, "({} | {})")
_define("bitwise_xor", [_I, _I], _I, "xor({}, {})")


def is_listed(name: str) -> bool:
    """Whether a function of this name is listed here."""
    return name in _SIGNATURES


def by_signature(call: Call) -> Expr | None:
    """The expression of a call listed here; None when its name is not.

    Raises QueryError when the arguments fit no signature.
    """
    signatures = _SIGNATURES.get(call.name)
    if signatures is None:
        return None
    call = _in_session_zone(call)
    given = tuple(arg.type for arg in call.args)
    exact = [s for s in signatures if s.args == given]
    fitting = exact or [
        s
        for s in signatures
        if len(s.args) == len(given)
        and all(itertools.starmap(can_coerce, zip(given, s.args, strict=True)))
    ]
    if not fitting:
        raise call.mismatch(
            ", ".join(f"{call.name}({', '.join(map(str, s.args))})" for s in signatures)
        )
    chosen = fitting[0]
    args = [casts.coerce(arg, kind) for arg, kind in zip(call.args, chosen.args, strict=True)]
    return build(chosen.template, chosen.returns, *args)


def _in_session_zone(call: Call) -> Call:
    """A timestamp with time zone shows its own zone's time to functions that read its fields."""
    args = tuple(
        retyped(casts.local_time(arg, call.name), timestamp(arg.type.precision))
        if arg.type.base == "timestamp with time zone"
        else arg
        for arg in call.args
    )
    return replace(call, args=args)
