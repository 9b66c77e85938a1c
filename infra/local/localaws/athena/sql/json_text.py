"""JSON documents as Hive's SerDes read them: numbers stay as they are written."""

from __future__ import annotations

import json
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
    """JSON text as Jackson writes it; raises BadJson for a fraction, which it would write anew."""
    if isinstance(value, Number):
        if re.fullmatch(r"-?\d+(\.\d*[1-9]|\.0)?", value, re.ASCII) and len(value) < 16:
            return str(value)
        raise BadJson(f"{value} (its text in AWS's Athena is not known)")
    if isinstance(value, list):
        return "[" + ",".join(map(dump, value)) + "]"
    if isinstance(value, dict):
        return "{" + ",".join(f"{dump(key)}:{dump(item)}" for key, item in value.items()) + "}"
    return json.dumps(value, ensure_ascii=False)
