"""JSON documents as Hive's SerDes read them: numbers stay as they are written."""

from __future__ import annotations

import json
import math
import re
from decimal import Decimal
from typing import Any


class BadJson(ValueError):
    """The text is not JSON."""


class Number(str):
    """A number as it is written in the document."""

    __slots__ = ()


def _refuse_constant(text: str) -> Any:
    raise BadJson(text)


_DECODER = json.JSONDecoder(parse_int=Number, parse_float=Number, parse_constant=_refuse_constant)


def loads(text: str) -> Any:
    """The document as Python values, numbers as `Number`; raises BadJson."""
    try:
        return _DECODER.decode(text)
    except (ValueError, RecursionError) as error:
        raise BadJson(str(error)) from error


def dump(value: Any) -> str:
    """JSON text as Jackson writes it."""
    if isinstance(value, Number):
        # Jackson copies integers as they are, others through a double.
        whole = re.fullmatch(r"-?\d+", value, re.ASCII)
        return str(int(value)) if whole else java_double(float(value))
    if isinstance(value, list):
        return "[" + ",".join(map(dump, value)) + "]"
    if isinstance(value, dict):
        return "{" + ",".join(f"{dump(key)}:{dump(item)}" for key, item in value.items()) + "}"
    return json.dumps(value, ensure_ascii=False)


def java_double(value: float) -> str:
    """`value` as Java's Double.toString."""
    if not math.isfinite(value) or value == 0:
        return {"nan": "NaN", "inf": "Infinity", "-inf": "-Infinity"}.get(str(value), str(value))
    exact = Decimal(repr(value)).normalize()
    digits = "".join(map(str, exact.as_tuple().digits))
    power = exact.adjusted()
    if -3 <= power < 7:
        plain = f"{exact:f}"
        return plain if "." in plain else f"{plain}.0"
    return f"{'-' * (value < 0)}{digits[0]}.{digits[1:] or '0'}E{power}"
