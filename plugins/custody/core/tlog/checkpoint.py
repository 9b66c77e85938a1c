"""The head of a transparency log: https://c2sp.org/tlog-checkpoint."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from custody.core.formats.untrusted import MalformedInput
from custody.core.tlog.merkle import HASH_BYTES
from custody.core.tlog.signed_note import (
    NoteKey,
    NoteSigner,
    decode_base64,
    encode_base64,
    open_note,
    sign_note,
)

_DECIMAL = re.compile(r"0|[1-9][0-9]{0,18}", re.ASCII)
_MAX_SIZE: Final = 2**63


@dataclass(frozen=True)
class Checkpoint:
    """The log named `origin` had `size` entries, and its tree this `root` (32 bytes)."""

    origin: str
    size: int
    root: bytes

    def sign(self, signer: NoteSigner) -> bytes:
        """The checkpoint as a signed note."""
        return sign_note(f"{self.origin}\n{self.size}\n{encode_base64(self.root)}\n", signer)

    @classmethod
    def open(cls, raw: bytes, *, origin: str, keys: Iterable[NoteKey]) -> Checkpoint:
        """Read a checkpoint of the log `origin` that one of `keys` signed.

        Raises `BadNote` if no key signed it, and `MalformedInput` if it is no checkpoint or one
        of another log.
        """
        text = open_note(raw, keys)
        if (head := text.partition("\n")[0]) != origin:
            raise MalformedInput("checkpoint origin", f"is {head[:120]!r}, not {origin!r}")
        return cls.of_text(text)

    @classmethod
    def of_text(cls, text: str) -> Checkpoint:
        """The checkpoint in the text of a note, whose signatures somebody else checks.

        Extension lines are ignored. Raises `MalformedInput`.
        """
        head, *rest = text.removesuffix("\n").split("\n")
        if len(rest) < 2 or not all(rest):
            raise MalformedInput("checkpoint", "must have three lines or more, none of them empty")
        return cls(
            origin=head,
            size=decimal(rest[0], "checkpoint size"),
            root=digest(rest[1], "checkpoint root"),
        )


def decimal(text: str, what: str) -> int:
    """A whole number in its one decimal form, below 2^63. Raises `MalformedInput`."""
    if not _DECIMAL.fullmatch(text) or int(text) >= _MAX_SIZE:
        raise MalformedInput(what, f"{text[:40]!r} is no number without leading zeroes below 2^63")
    return int(text)


def digest(text: str, what: str) -> bytes:
    """A SHA-256 in base64. Raises `MalformedInput`."""
    value = decode_base64(text, what)
    if len(value) != HASH_BYTES:
        raise MalformedInput(what, f"has {len(value)} bytes, not {HASH_BYTES}")
    return value
