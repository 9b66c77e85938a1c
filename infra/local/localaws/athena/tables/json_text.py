"""JSON documents as Hive's SerDes read them: numbers stay as they are written."""

from __future__ import annotations

import json
import math
import re
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
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "Infinity" if value > 0 else "-Infinity"
    if value == 0:
        return "-0.0" if math.copysign(1, value) < 0 else "0.0"
    sign = "-" if value < 0 else ""
    mantissa, _, exponent = repr(abs(value)).partition("e")
    whole, _, fraction = mantissa.partition(".")
    point = len(whole) + int(exponent or 0)
    all_digits = (whole + fraction).lstrip("0")
    point -= len(whole + fraction) - len(all_digits)
    all_digits = all_digits.rstrip("0") or "0"
    if -3 < point <= 7:
        if point <= 0:
            return f"{sign}0.{'0' * -point}{all_digits}"
        padded = all_digits.ljust(point, "0")
        return f"{sign}{padded[:point]}.{padded[point:] or '0'}"
    return f"{sign}{all_digits[0]}.{all_digits[1:] or '0'}E{point - 1}"
