"""``CAST(json AS type)``: the value made to fit, as JSON text that DuckDB reads into the type."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable
from typing import Any

import sqlglot
from sqlglot import exp

from localaws.athena import json_text
from localaws.athena.errors import not_supported
from localaws.athena.types import Type, field_names, parse_sql, trino_name

_SCALARS = frozenset({"boolean", "bigint", "integer", "smallint", "tinyint", "double", "varchar"})


def supported(target: Type) -> bool:
    """Whether a JSON value can be cast to `target` here."""
    if target.base in ("array", "row"):
        return all(supported(arg) for arg in target.args)
    if target.base == "map":
        return target.args[0].base == "varchar" and supported(target.args[1])
    return target.base in _SCALARS or target.base == "json"


def normalise(document: str, type_name: str) -> str | None:
    """JSON text of `document` as `type_name`; None for a JSON null.

    Raises ValueError with Trino's message when the value does not fit.
    """
    target = _parsed(type_name)
    value = json_text.loads(document)
    fitted = _fit(value, target)
    return None if fitted is None else json_text.dump(fitted)


@functools.lru_cache(maxsize=256)
def _parsed(type_name: str) -> Type:
    node = sqlglot.parse_one(f"CAST(NULL AS {type_name})", read="trino")
    if not isinstance(node, exp.Cast):
        raise not_supported(f"the type {type_name}")
    return parse_sql(node.to)[0]


def _bad(value: Any, target: Type) -> ValueError:
    shown = json_text.dump(value)[:200]
    return ValueError(f"INVALID_CAST_ARGUMENT: Cannot cast to {trino_name(target)}. Value: {shown}")


def _fit(value: Any, target: Type) -> Any:
    if target.base == "json":
        # Held as text inside the JSON that carries it.
        return json_text.dump(value)
    if value is None:
        return None
    if target.base == "array":
        if not isinstance(value, list):
            raise _bad(value, target)
        return [_fit(item, target.args[0]) for item in value]
    if target.base == "map":
        if not isinstance(value, dict):
            raise _bad(value, target)
        return {key: _fit(item, target.args[1]) for key, item in value.items()}
    if target.base == "row":
        return _fit_row(value, target)
    if isinstance(value, (dict, list)):
        raise _bad(value, target)
    return _FITTERS[target.base](value, target)


def _fit_row(value: Any, target: Type) -> Any:
    names = field_names(target)
    if isinstance(value, list) and len(value) == len(names):
        items = value
    elif isinstance(value, dict):
        folded: dict[str, Any] = {}
        for key, item in value.items():
            if key.lower() in folded:
                raise _bad(value, target)
            folded[key.lower()] = item
        items = [folded.get(name) for name in names]
    else:
        raise _bad(value, target)
    fitted = (_fit(item, kind) for item, kind in zip(items, target.args, strict=True))
    return dict(zip(names, fitted, strict=True))


def _fit_varchar(value: Any, target: Type) -> str:
    if isinstance(value, json_text.Number):
        return str(json_text.number_text(value))
    text = json_text.scalar_text(value)
    if text is None:
        raise _bad(value, target)
    return str(text)


def _fit_boolean(value: Any, target: Type) -> bool:
    if isinstance(value, bool):
        return value
    if isinstance(value, json_text.Number):
        return float(value) != 0
    if value.lower() in ("true", "false"):
        return bool(value.lower() == "true")
    raise _bad(value, target)


_WHOLE = re.compile(r"[+-]?\d{1,19}", re.ASCII)
_BITS = {"tinyint": 7, "smallint": 15, "integer": 31, "bigint": 63}


def _fit_integer(value: Any, target: Type) -> json_text.Number:
    if isinstance(value, bool):
        return json_text.Number(int(value))
    if not _WHOLE.fullmatch(value):
        # Trino rounds a fraction; which way it breaks ties has changed.
        raise _not_a_whole(value, target)
    number = int(value)
    if not -(2 ** _BITS[target.base]) <= number < 2 ** _BITS[target.base]:
        raise _bad(value, target)
    return json_text.Number(number)


def _not_a_whole(value: Any, target: Type) -> ValueError:
    """A string that is no number is Trino's error; a fraction is ours."""
    if isinstance(value, json_text.Number):
        return ValueError(
            f"NOT_SUPPORTED: casting the JSON number {value} to {trino_name(target)} is not "
            "supported by the local Athena"
        )
    return _bad(value, target)


def _fit_double(value: Any, target: Type) -> json_text.Number:
    if isinstance(value, bool):
        return json_text.Number("1.0" if value else "0.0")
    try:
        number = float(value)
    except ValueError as error:
        raise _bad(value, target) from error
    if number != number or number in (float("inf"), float("-inf")):  # noqa: PLR0124
        raise _bad(value, target)
    return json_text.Number(repr(number))


_FITTERS: dict[str, Callable[[Any, Type], Any]] = {
    "varchar": _fit_varchar,
    "boolean": _fit_boolean,
    "double": _fit_double,
    **dict.fromkeys(_BITS, _fit_integer),
}
