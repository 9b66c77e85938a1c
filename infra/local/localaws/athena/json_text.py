"""JSON as Trino's functions see it, which is Jackson reading a stream.

`json_extract` looks at the document only until the path is found: the first of two equal keys
counts, and damage after the match goes unnoticed. A document that is damaged before it gives NULL.
Rules: Trino's JsonExtract and JsonPathTokenizer.
"""

from __future__ import annotations

import functools
import json
import math
import re
from collections.abc import Callable, Iterator
from typing import Any, Final

_SPACE = re.compile(r"[ \t\n\r]*")
_NUMBER = re.compile(r"-?(?:0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?", re.ASCII)
_MISSING: Final = object()


class BadJson(ValueError):
    """The text is not JSON."""


class Number(str):
    """A number as it is written in the document."""

    __slots__ = ()


def _refuse_constant(text: str) -> Any:
    raise BadJson(text)


def _first_wins(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        found.setdefault(key, value)
    return found


_FIRST = json.JSONDecoder(
    object_pairs_hook=_first_wins,
    parse_int=Number,
    parse_float=Number,
    parse_constant=_refuse_constant,
)
# Queries ask the same documents for one path after the other, a few thousand rows at a time.
_CACHED_CHARACTERS = 8192
_LAST = json.JSONDecoder(parse_int=Number, parse_float=Number, parse_constant=_refuse_constant)


def loads(text: str) -> Any:
    """The document as Python values, numbers as `Number`; of equal keys the last counts.

    Raises BadJson.
    """
    try:
        return _LAST.decode(text)
    except (ValueError, RecursionError) as error:
        raise BadJson(str(error)) from error


@functools.lru_cache(maxsize=1024)
def path_keys(path: str) -> tuple[str, ...]:
    """The steps of a JSON path; raises ValueError with Trino's message."""
    keys: list[str] = []
    if not path.startswith("$"):
        raise _bad_path(path)
    index = 1
    while index < len(path):
        if path[index] == ".":
            end = _plain_end(path, index + 1, ":_")
            key = path[index + 1 : end]
        elif path.startswith('["', index):
            key, end = _quoted_key(path, index + 2)
        elif path[index] == "[":
            end = _plain_end(path, index + 1, "_")
            key = path[index + 1 : end]
            end = _closed(path, end)
        else:
            raise _bad_path(path)
        if not key and not path.startswith('["', index):
            raise _bad_path(path)
        keys.append(key)
        index = end
    return tuple(keys)


def _bad_path(path: str) -> ValueError:
    return ValueError(f"INVALID_FUNCTION_ARGUMENT: Invalid JSON path: '{path}'")


def _plain_end(path: str, index: int, extra: str) -> int:
    while index < len(path) and (path[index].isalnum() or path[index] in extra):
        index += 1
    return index


def _closed(path: str, index: int) -> int:
    if not path.startswith("]", index):
        raise _bad_path(path)
    return index + 1


def _quoted_key(path: str, index: int) -> tuple[str, int]:
    key: list[str] = []
    while index < len(path) and path[index] != '"':
        if path[index] == "\\":
            index += 1
            if path[index : index + 1] not in ('"', "\\"):
                raise _bad_path(path)
        key.append(path[index])
        index += 1
    if not path.startswith('"', index):
        raise _bad_path(path)
    return "".join(key), _closed(path, index + 1)


def _index(key: str) -> int:
    return int(key) if re.fullmatch(r"\+?\d{1,9}", key, re.ASCII) else -1


@functools.lru_cache(maxsize=4096)
def _decoded(document: str) -> Any:
    """A document as `find` sees it; not to be changed."""
    return _FIRST.decode(document)


def find(document: str, path: str) -> Any:
    """The value at `path`, numbers as `Number`; see `is_missing` for where there is none.

    Raises ValueError for a bad path.
    """
    keys = path_keys(path)
    try:
        small = len(document) <= _CACHED_CHARACTERS
        value = _decoded(document) if small else _FIRST.decode(document)
    except (ValueError, RecursionError):
        return _find_in_damaged(document, keys)
    for key in keys:
        if isinstance(value, dict):
            value = value.get(key, _MISSING)
        elif isinstance(value, list):
            index = _index(key)
            value = value[index] if 0 <= index < len(value) else _MISSING
        else:
            return _MISSING
        if value is _MISSING:
            return _MISSING
    return value


def _find_in_damaged(text: str, keys: tuple[str, ...]) -> Any:
    """Walk the text as a stream, so that damage behind the match does not matter."""
    try:
        position = _skip_space(text, 0)
        for key in keys:
            position = _step(text, position, key)
            if position < 0:
                return _MISSING
        return _value(text, position)[0]
    except (ValueError, IndexError, RecursionError):
        return _MISSING


def _skip_space(text: str, position: int) -> int:
    match = _SPACE.match(text, position)
    return match.end() if match else position


def _step(text: str, position: int, key: str) -> int:
    """The position of the member `key` of the value at `position`; -1 when it has none."""
    if text[position] == "{":
        return next((at for name, at in _members(text, position) if name == key), -1)
    if text[position] == "[":
        wanted = _index(key)
        return next((at for index, at in enumerate(_items(text, position)) if index == wanted), -1)
    raise BadJson(text[position : position + 10])


def _members(text: str, position: int) -> Iterator[tuple[str, int]]:
    position = _skip_space(text, position + 1)
    while text[position] != "}":
        if text[position] != '"':
            raise BadJson("a member's name")
        name, position = _value(text, position)
        position = _skip_space(text, position)
        if text[position] != ":":
            raise BadJson("':'")
        position = _skip_space(text, position + 1)
        yield name, position
        position = _next(text, _value(text, position)[1], "}")


def _items(text: str, position: int) -> Iterator[int]:
    position = _skip_space(text, position + 1)
    while text[position] != "]":
        yield position
        position = _next(text, _value(text, position)[1], "]")


def _next(text: str, position: int, end: str) -> int:
    position = _skip_space(text, position)
    if text[position] == ",":
        following = _skip_space(text, position + 1)
        if text[following] == end:
            raise BadJson("a value")
        return following
    if text[position] != end:
        raise BadJson(f"',' or '{end}'")
    return position


def _value(text: str, position: int) -> tuple[Any, int]:
    """The complete value at `position` and where it ends."""
    return _FIRST.raw_decode(text, position)


def is_missing(value: object) -> bool:
    """Whether `find` found nothing."""
    return value is _MISSING


def scalar_text(value: Any) -> str | None:
    """What json_extract_scalar returns: None for null, objects and arrays."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, str) else None


_ESCAPES = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t"}
_ESCAPES |= {"\b": "\\b", "\f": "\\f"}
_TO_ESCAPE = re.compile(r'["\\\x00-\x1f]')


def _escape(match: re.Match[str]) -> str:
    char = match.group()
    return _ESCAPES.get(char) or f"\\u{ord(char):04X}"


def dump(value: Any, *, sort: bool = False) -> str:
    """JSON text as Jackson writes it; `sort` orders keys, as json_parse does."""
    if isinstance(value, Number):
        return number_text(value)
    if value is None or isinstance(value, bool):
        return {True: "true", False: "false", None: "null"}[value]
    if isinstance(value, str):
        return '"' + _TO_ESCAPE.sub(_escape, value) + '"'
    if isinstance(value, list):
        return "[" + ",".join(dump(item, sort=sort) for item in value) + "]"
    members = sorted(value.items()) if sort else value.items()
    return "{" + ",".join(f"{dump(key)}:{dump(item, sort=sort)}" for key, item in members) + "}"


def number_text(number: str) -> str:
    """A number as Jackson copies it: integers as they are, others through a double."""
    match = _NUMBER.fullmatch(number)
    if match is None:
        raise BadJson(number)
    if match.group(1) is None and match.group(2) is None:
        return str(int(number))
    return java_double(float(number))


def java_double(value: float, digits: Callable[[float], str] = repr) -> str:
    """`value` as Java's Double.toString; `digits` gives the shortest decimal that reads back."""
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "Infinity" if value > 0 else "-Infinity"
    if value == 0:
        return "-0.0" if math.copysign(1, value) < 0 else "0.0"
    sign = "-" if value < 0 else ""
    mantissa, _, exponent = digits(abs(value)).partition("e")
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
