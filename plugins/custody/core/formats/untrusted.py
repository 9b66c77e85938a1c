"""Reading JSON that somebody else wrote.

Everything that reaches the platform from outside (notifications, records read back from S3) goes
through here: bounded, unambiguous, and with an error that names the field at fault.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, NoReturn

MAX_TEXT = 1024
"""Longest text field in characters unless a field says otherwise; S3's own limit for a key is 1,024
bytes, and every identifier we store is shorter."""

_HEX_SHA256 = re.compile(r"[0-9a-f]{64}")


class MalformedInput(ValueError):
    """Input that does not have the shape its specification gives it.

    `field` is the path of the offending field, such as `Records[0].s3.object.key`.
    """

    def __init__(self, field: str, problem: str) -> None:
        super().__init__(f"{field}: {problem}")
        self.field = field
        self.problem = problem


def load_json(raw: bytes | str, *, what: str, max_bytes: int) -> object:
    """Parse one JSON document of at most `max_bytes` bytes (characters, if `raw` is a text).

    Stricter than `json.loads`: a repeated name is refused, because two readers may keep different
    ones (Athena and Python do), and so are `NaN` and `Infinity`, which are not JSON.

    Raises `MalformedInput` with `what` as its field.
    """
    if len(raw) > max_bytes:
        raise MalformedInput(what, f"is longer than the {max_bytes} bytes accepted")
    try:
        return _DECODER.decode(raw if isinstance(raw, str) else raw.decode("utf-8"))
    except _Repeated as error:
        raise MalformedInput(what, str(error)) from error
    except UnicodeDecodeError as error:
        raise MalformedInput(what, f"not UTF-8 ({error.reason})") from error
    except RecursionError as error:
        raise MalformedInput(what, "nested too deeply") from error
    except ValueError as error:
        raise MalformedInput(what, f"not JSON ({error})") from error


class _Repeated(ValueError):
    """A name appears twice in one object."""


def _unambiguous(pairs: list[tuple[str, object]]) -> dict[str, object]:
    names = dict(pairs)
    if len(names) != len(pairs):
        repeated = next(name for i, (name, _) in enumerate(pairs) if name in dict(pairs[:i]))
        raise _Repeated(f"the name {repeated[:60]!r} appears twice in one object")
    return names


def _not_json(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON number")


_DECODER: Final = json.JSONDecoder(object_pairs_hook=_unambiguous, parse_constant=_not_json)


@dataclass(frozen=True)
class Fields:
    """The fields of one untrusted JSON object, read with the type each must have.

    `path` is where the object stands in its document; it prefixes every error. Fields nobody asks
    for are ignored, so that newer producers can add some.
    """

    values: Mapping[str, object]
    path: str

    @classmethod
    def of(cls, value: object, path: str) -> Fields:
        if not isinstance(value, (dict, Mapping)):  # a dict is known for one sooner
            raise MalformedInput(path, f"must be an object, not {_kind(value)}")
        return cls(value, path)

    def where(self, name: str) -> str:
        return f"{self.path}.{name}" if self.path else name

    def has(self, name: str) -> bool:
        return self.values.get(name) is not None

    def child(self, name: str) -> Fields:
        return Fields.of(self._required(name), self.where(name))

    def items(self, name: str, *, max_items: int) -> list[object]:
        value = self._required(name)
        if not isinstance(value, list):
            raise MalformedInput(self.where(name), f"must be a list, not {_kind(value)}")
        if len(value) > max_items:
            raise MalformedInput(
                self.where(name), f"has {len(value)} items, more than the {max_items} accepted"
            )
        return value

    def text(self, name: str, *, max_length: int = MAX_TEXT) -> str:
        """A non-empty text of at most `max_length` characters that UTF-8 can carry."""
        value = self.values.get(name)
        if type(value) is str and 0 < len(value) <= max_length and value.isascii():
            return value  # as nearly all are, of millions
        value = self._required(name)
        if not isinstance(value, str):
            raise MalformedInput(self.where(name), f"must be a text, not {_kind(value)}")
        if not value:
            raise MalformedInput(self.where(name), "must not be empty")
        if len(value) > max_length:
            raise MalformedInput(
                self.where(name),
                f"has {len(value)} characters, more than the {max_length} accepted",
            )
        try:
            value.encode("utf-8")
        except UnicodeEncodeError as error:
            raise MalformedInput(self.where(name), "holds half of a surrogate pair") from error
        return value

    def optional_text(self, name: str) -> str | None:
        """A text as `text` reads it, or None where the field is missing, null or empty."""
        return self.text(name) if self.has(name) and self.values[name] != "" else None

    def count(self, name: str) -> int:
        """A whole number that is zero or more and fits 64 bits, as sizes in bytes do."""
        value = self._required(name)
        if isinstance(value, bool) or not isinstance(value, int):
            raise MalformedInput(self.where(name), f"must be a whole number, not {_kind(value)}")
        if not 0 <= value < 2**63:
            raise MalformedInput(self.where(name), "must be between 0 and 2^63 - 1")
        return value

    def sha256(self, name: str) -> str:
        """A SHA-256 as 64 lower-case hexadecimal digits."""
        value = self.text(name)
        if not _HEX_SHA256.fullmatch(value):
            raise MalformedInput(self.where(name), "must be 64 lower-case hexadecimal digits")
        return value

    def _required(self, name: str) -> object:
        value = self.values.get(name)
        if value is None:
            raise MalformedInput(self.where(name), "is missing")
        return value


def _kind(value: object) -> str:
    names: dict[type, str] = {
        dict: "an object",
        list: "a list",
        str: "a text",
        bool: "true or false",
        int: "a number",
        float: "a number",
        type(None): "null",
    }
    return names.get(type(value), type(value).__name__)
