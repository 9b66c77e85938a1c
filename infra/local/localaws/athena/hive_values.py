"""Values of JSON documents made to fit Hive column types, as the JSON SerDes do."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from localaws.athena import json_text, times, types
from localaws.athena.types import Type


class Misfit(ValueError):
    """A value that does not fit its column; the message says which."""


def fit(value: Any, kind: Type) -> Any:
    """A JSON-able value of the type; raises Misfit. Numbers come as `json_text.Number`."""
    if value is None:
        return None
    if kind.base == "array":
        if not isinstance(value, list):
            raise _misfit(value, kind)
        return [fit(item, kind.args[0]) for item in value]
    if kind.base == "map":
        if not isinstance(value, dict):
            raise _misfit(value, kind)
        return {key: fit(item, kind.args[1]) for key, item in value.items()}
    if kind.base == "row":
        return fit_struct(value, types.field_names(kind), kind.args)
    fitter = _FITTERS.get(kind.base)
    if fitter is None:
        raise _misfit(value, kind)
    return fitter(value, kind)


def fit_struct(value: Any, names: tuple[str, ...], kinds: tuple[Type, ...]) -> dict[str, Any]:
    """An object's members by lower-case name; of names that differ in case only, the last."""
    if not isinstance(value, dict):
        raise Misfit(f"{_shown(value)} is not an object")
    folded = {key.lower(): item for key, item in value.items()}
    found: dict[str, Any] = {}
    for name, kind in zip(names, kinds, strict=True):
        try:
            found[name] = fit(folded.get(name), kind)
        except Misfit as error:
            raise Misfit(f"{name}: {error}") from error
    return found


def _shown(value: Any) -> str:
    return json_text.dump(value)[:100]


def _misfit(value: Any, kind: Type) -> Misfit:
    return Misfit(f"{_shown(value)} is no {kind}")


def _fit_varchar(value: Any, _kind: Type) -> str:
    """Text as it is; a number as written; an object or array as JSON text."""
    if isinstance(value, str):
        return str(value)
    return json_text.dump(value)


def _fit_boolean(value: Any, kind: Type) -> bool:
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value.lower() in ("true", "false"):
        return value.lower() == "true"
    raise _misfit(value, kind)


_WHOLE = re.compile(r"[+-]?\d{1,19}", re.ASCII)
_BITS = {"tinyint": 7, "smallint": 15, "integer": 31, "bigint": 63}


def _fit_integer(value: Any, kind: Type) -> int:
    if isinstance(value, str) and _WHOLE.fullmatch(value):
        number = int(value)
        if -(2 ** _BITS[kind.base]) <= number < 2 ** _BITS[kind.base]:
            return number
    raise _misfit(value, kind)


_DECIMAL = re.compile(r"[+-]?\d+(\.\d+)?([eE][+-]?\d{1,3})?", re.ASCII)


def _fit_double(value: Any, kind: Type) -> float:
    if isinstance(value, str) and _DECIMAL.fullmatch(value):
        return float(value)
    raise _misfit(value, kind)


def _fit_decimal(value: Any, kind: Type) -> str:
    text = value if isinstance(value, str) else ""
    whole, _, fraction = text.lstrip("+-").partition(".")
    if (
        (whole + fraction).isdecimal()
        and len(fraction) <= kind.scale
        and len(whole.lstrip("0")) <= kind.precision - kind.scale
    ):
        return str(text)
    raise _misfit(value, kind)


def _fit_date(value: Any, kind: Type) -> str:
    try:
        return str(times.parse_date(value if isinstance(value, str) else ""))
    except ValueError as error:
        raise _misfit(value, kind) from error


def _fit_timestamp(value: Any, kind: Type) -> str:
    text = value if isinstance(value, str) else ""
    try:
        stamp = times.parse_timestamp(text)
    except ValueError as error:
        raise _misfit(value, kind) from error
    if stamp.microsecond % 1000:
        raise Misfit(f"{_shown(value)} is finer than milliseconds")
    return str(stamp)


_FITTERS: dict[str, Callable[[Any, Type], Any]] = {
    "varchar": _fit_varchar,
    "boolean": _fit_boolean,
    "real": _fit_double,
    "double": _fit_double,
    "decimal": _fit_decimal,
    "date": _fit_date,
    "timestamp": _fit_timestamp,
    **dict.fromkeys(_BITS, _fit_integer),
}
