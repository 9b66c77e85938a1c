"""Dates and timestamps."""

from __future__ import annotations

from dataclasses import replace

from localaws.athena import casts, types
from localaws.athena.errors import Position, QueryError, not_supported, syntax_error
from localaws.athena.expression import Expr, build, retyped
from localaws.athena.functions.calls import Call, unified
from localaws.athena.functions.registry import call_function, handles
from localaws.athena.types import BIGINT, DATE, DOUBLE, VARCHAR, timestamp, timestamp_tz


@handles("now")
def _now(call: Call) -> Expr:
    call.count(0)
    return call.translator.now


@handles("from_iso8601_timestamp")
def _from_iso8601_timestamp(call: Call) -> Expr:
    call.count(1)
    text = call.arg(0, VARCHAR)
    instant = build("t_iso_instant({})", timestamp_tz(3, utc=False), text)
    return replace(instant, local=build("t_iso_local({})", timestamp(3), text).sql)


@handles("date")
def _date(call: Call) -> Expr:
    call.count(1)
    if call.args[0].type == DATE:
        return call.args[0]
    return casts.cast(call.args[0], DATE)


@handles("date_format")
def _date_format(call: Call) -> Expr:
    call.count(2)
    value = call.args[0]
    if not types.is_timestamp(value.type) and value.type != DATE:
        raise call.mismatch("date_format(timestamp(p), varchar(x))")
    if value.type.base == "timestamp with time zone":
        value = casts.local_time(value, "date_format")
    stamp = build("CAST({} AS TIMESTAMP)", timestamp(6), value)
    return build("t_date_format({}, {})", VARCHAR, stamp, call.arg(1, VARCHAR))


@handles("to_iso8601")
def _to_iso8601(call: Call) -> Expr:
    call.count(1)
    value = call.args[0]
    if value.type == DATE:
        return build("CAST({} AS VARCHAR)", VARCHAR, value)
    if not types.is_timestamp(value.type):
        raise call.mismatch("to_iso8601(timestamp(p)), to_iso8601(date)")
    zone = ""
    if value.type.base == "timestamp with time zone":
        value, zone = casts.in_utc(value, "to_iso8601"), " || 'Z'"
    written = f"replace(t_timestamp_text({{}}, {value.type.precision}), ' ', 'T')"
    return build(f"({written}{zone})", VARCHAR, value)


@handles("to_unixtime")
def _to_unixtime(call: Call) -> Expr:
    call.count(1)
    if not types.is_timestamp(call.args[0].type) and call.args[0].type != DATE:
        raise call.mismatch("to_unixtime(timestamp(p) with time zone)")
    return build("t_to_unixtime(CAST({} AS TIMESTAMP))", DOUBLE, call.args[0])


@handles("at_timezone", "with_timezone")
def _at_timezone(call: Call) -> Expr:
    call.count(2)
    return at_utc(call.args[0], call.literal(1, "time zone"), call.position)


def at_utc(value: Expr, zone: str, position: Position | None) -> Expr:
    """``value AT TIME ZONE zone``; only UTC is supported."""
    if not types.is_timestamp(value.type):
        raise syntax_error(
            f"Type of value must be a time or timestamp with or without time zone "
            f"(actual {value.type})",
            position,
        )
    if zone.upper() not in ("UTC", "Z", "ETC/UTC", "GMT", "+00:00"):
        raise not_supported(f"the time zone {zone}", position)
    return replace(retyped(value, timestamp_tz(value.type.precision)), local=None)


_TRUNC = ("second", "minute", "hour", "day", "week", "month", "quarter", "year", "millisecond")


@handles("date_trunc")
def _date_trunc(call: Call) -> Expr:
    call.count(2)
    unit = call.literal(0, "unit").lower()
    value = call.args[1]
    if unit not in _TRUNC:
        raise QueryError("INVALID_FUNCTION_ARGUMENT", f"'{unit}' is not a valid TIMESTAMP field")
    if value.type == DATE:
        if _TRUNC.index(unit) < _TRUNC.index("day") or unit == "millisecond":
            raise QueryError("INVALID_FUNCTION_ARGUMENT", f"'{unit}' is not a valid DATE field")
        return build(f"CAST(date_trunc('{unit}', {{}}) AS DATE)", DATE, value)
    if not types.is_timestamp(value.type):
        raise call.mismatch("date_trunc(varchar(x), timestamp(p)), date_trunc(varchar(x), date)")
    if value.type.base == "timestamp with time zone":
        casts.in_utc(value, "date_trunc")
    return build(f"date_trunc('{unit}', {{}})", value.type, value)


_UNIT_MICROS = {
    "millisecond": 1_000,
    "second": 1_000_000,
    "minute": 60_000_000,
    "hour": 3_600_000_000,
    "day": 86_400_000_000,
    "week": 604_800_000_000,
}
_UNIT_MONTHS = {"month": 1, "quarter": 3, "year": 12}


def _unit(call: Call) -> str:
    unit = call.literal(0, "unit").lower()
    if unit not in _UNIT_MICROS and unit not in _UNIT_MONTHS:
        raise QueryError("INVALID_FUNCTION_ARGUMENT", f"'{unit}' is not a valid TIMESTAMP field")
    return unit


def _temporal(call: Call, index: int) -> Expr:
    value = call.args[index]
    if value.type != DATE and not types.is_timestamp(value.type):
        raise call.mismatch(f"{call.name}(varchar(x), bigint, timestamp(p))")
    return value


@handles("date_add")
def _date_add(call: Call) -> Expr:
    call.count(3)
    unit, amount, value = _unit(call), call.arg(1, BIGINT), _temporal(call, 2)
    if value.type == DATE and unit in ("millisecond", "second", "minute", "hour"):
        raise QueryError("INVALID_FUNCTION_ARGUMENT", f"'{unit}' is not a valid DATE field")
    if unit in _UNIT_MONTHS:
        if value.type.base == "timestamp with time zone":
            casts.in_utc(value, "date_add")
        step = f"to_months(CAST({{1}} * {_UNIT_MONTHS[unit]} AS INTEGER))"
    else:
        step = f"to_microseconds({{1}} * {_UNIT_MICROS[unit]})"
    total = f"({{0}} + {step})"
    if value.type == DATE:
        total = f"CAST({total} AS DATE)"
    return build(total, value.type, value, amount)


@handles("date_diff")
def _date_diff(call: Call) -> Expr:
    call.count(3)
    unit = _unit(call)
    start, end = unified(
        [_temporal(call, 1), _temporal(call, 2)], "Arguments of date_diff", call.position
    )
    if start.type == DATE and unit in ("millisecond", "second", "minute", "hour"):
        raise QueryError("INVALID_FUNCTION_ARGUMENT", f"'{unit}' is not a valid DATE field")
    if unit in _UNIT_MICROS:
        # Complete units of whole milliseconds, towards zero.
        start_ms, end_ms = (
            f"CAST(floor(epoch_us(CAST({{{index}}} AS TIMESTAMP)) / 1000) AS BIGINT)"
            for index in range(2)
        )
        difference = f"(({end_ms} - {start_ms}) // {_UNIT_MICROS[unit] // 1000})"
        return build(difference, BIGINT, start, end)
    for value in (start, end):
        if value.type.base == "timestamp with time zone":
            casts.in_utc(value, "date_diff")
    months = "t_months_between(CAST({0} AS TIMESTAMP), CAST({1} AS TIMESTAMP))"
    return build(f"({months} // {_UNIT_MONTHS[unit]})", BIGINT, start, end)


_PARTS = frozenset(
    {
        *("year", "quarter", "month", "week", "day", "day_of_month", "day_of_week", "dow"),
        *("day_of_year", "doy", "year_of_week", "yow", "hour", "minute", "second"),
    }
)


def extract_field(part: str, value: Expr, call: Call) -> Expr:
    """``EXTRACT(part FROM value)``."""
    if part not in _PARTS:
        raise not_supported(f"EXTRACT({part.upper()} …)", call.position)
    return call_function(replace(call, name=part, args=(value,)))
