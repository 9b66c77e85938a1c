"""Values of JSON documents made to fit Hive column types, as the JSON SerDes do."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import date, datetime
from typing import Any

from localaws.athena.errors import not_supported
from localaws.athena.sql.types import Type
from localaws.athena.tables import json_text


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
        return fit_struct(value, kind.names, kind.args)
    if kind.base not in _FITTERS:
        raise not_supported(f"a JSON column of type {kind}")
    try:
        return _FITTERS[kind.base](value)
    except (TypeError, ValueError) as error:
        raise _misfit(value, kind) from error


def fit_struct(value: Any, names: tuple[str, ...], kinds: tuple[Type, ...]) -> dict[str, Any]:
    """An object's members by lower-case name; of names that differ in case only, the last."""
    if not isinstance(value, dict):
        raise Misfit(f"{json.dumps(value)[:100]} is not an object")
    folded = {key.lower(): item for key, item in value.items()}
    found: dict[str, Any] = {}
    for name, kind in zip(names, kinds, strict=True):
        try:
            found[name] = fit(folded.get(name), kind)
        except Misfit as error:
            raise Misfit(f"{name}: {error}") from error
    return found


def _misfit(value: Any, kind: Type) -> Misfit:
    return Misfit(f"{json.dumps(value)[:100]} is no {kind}")


def _fit_varchar(value: Any) -> str:
    """Text as it is; a number as written; an object or array as JSON text."""
    return str(value) if isinstance(value, str) else json_text.dump(value)


def _fit_boolean(value: Any) -> bool:
    if not isinstance(value, bool):
        raise TypeError
    return value


def _fit_integer(value: Any) -> int:
    if not re.fullmatch(r"-?\d{1,18}", value, re.ASCII):
        raise ValueError
    return int(value)


def parse_date(text: str) -> date:
    """`yyyy-MM-dd`; raises ValueError."""
    if not re.fullmatch(r"\d{4}-\d{2}-\d{2}", text, re.ASCII):
        raise ValueError(text)
    return date.fromisoformat(text)


def parse_timestamp(text: str) -> datetime:
    """`yyyy-MM-dd HH:mm:ss` with at most milliseconds, in UTC; raises ValueError."""
    if not re.fullmatch(r"\d{4}-\d{2}-\d{2} \d{2}:\d{2}:\d{2}(\.\d{1,3})?", text, re.ASCII):
        raise ValueError(text)
    return datetime.fromisoformat(text.ljust(23, "0") if "." in text else text)


_FITTERS: dict[str, Callable[[Any], Any]] = {
    "varchar": _fit_varchar,
    "boolean": _fit_boolean,
    "integer": _fit_integer,
    "bigint": _fit_integer,
    "double": lambda value: float(str.__str__(value)),
    "date": lambda value: str(parse_date(value)),
    "timestamp": lambda value: str(parse_timestamp(value)),
}
