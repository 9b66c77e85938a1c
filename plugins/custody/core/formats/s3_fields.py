"""The S3 values that notifications and records share, each with the form S3 gives it.

All raise `MalformedInput` naming the field.
"""

from __future__ import annotations

import re
from datetime import datetime
from typing import Final

from custody.core.formats.timestamps import parse_utc
from custody.core.formats.untrusted import Fields, MalformedInput

MAX_KEY_BYTES: Final = 1024

_BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]", re.ASCII)
_SEQUENCER = re.compile(r"[0-9A-Fa-f]{1,64}", re.ASCII)


def bucket_name(fields: Fields, name: str) -> str:
    value = fields.text(name)
    if not _BUCKET.fullmatch(value):
        raise MalformedInput(fields.where(name), f"{value[:80]!r} is no bucket name")
    return value


def object_key(fields: Fields, name: str) -> str:
    """A decoded object key: 1 to 1,024 bytes of UTF-8."""
    return checked_key(fields.text(name), fields.where(name))


def checked_key(key: str, where: str) -> str:
    size = len(key.encode("utf-8"))
    if not 1 <= size <= MAX_KEY_BYTES:
        raise MalformedInput(where, f"has {size} bytes; an object key has 1 to {MAX_KEY_BYTES}")
    return key


def etag(fields: Fields, name: str) -> str:
    """An entity tag without the quotes HTTP puts around it; what is in it is S3's business."""
    value = fields.text(name)
    if '"' in value:
        raise MalformedInput(fields.where(name), "must be without quotes")
    return value


def sequencer(fields: Fields, name: str) -> str:
    value = fields.text(name)
    if not _SEQUENCER.fullmatch(value):
        raise MalformedInput(fields.where(name), "must be hexadecimal digits, 64 at most")
    return value


def instant(fields: Fields, name: str) -> datetime:
    value = fields.text(name)
    try:
        return parse_utc(value)
    except ValueError as error:
        raise MalformedInput(fields.where(name), f"{value[:80]!r}: {error}") from error
