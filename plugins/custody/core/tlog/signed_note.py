"""Text signed by named keys: https://c2sp.org/signed-note, with Ed25519 (signature type 0x01).

The caller names the keys that are trusted; signatures by others, such as witnesses, are ignored.
Needs `cryptography`.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from custody.core.formats.untrusted import MalformedInput

MAX_NOTE_BYTES: Final = 1024 * 1024
MAX_SIGNATURES: Final = 100
"""Far more than a log and its witnesses make, few enough that checking them all stays cheap."""

_ED25519: Final = b"\x01"
_KEY_BYTES: Final = 32
_ID_BYTES: Final = 4
_VKEY = re.compile(r"([^+]+)\+([0-9a-f]{8})\+([A-Za-z0-9+/=]+)")
_CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f]")
_SIGNATURE_LINE = re.compile(r"— ([^ ]+) ([A-Za-z0-9+/=]+)")


class BadNote(Exception):
    """A note that no trusted key signed; the message says why."""


@dataclass(frozen=True)
class NoteKey:
    """A public key and the name it signs under; `public_key` is the 32 bytes of RFC 8032.

    Raises `ValueError` if the name or the key cannot be one.
    """

    name: str
    public_key: bytes

    def __post_init__(self) -> None:
        if not _is_key_name(self.name):
            raise ValueError(f"{self.name[:80]!r} cannot be the name of a key")
        if len(self.public_key) != _KEY_BYTES:
            raise ValueError(f"an Ed25519 public key has 32 bytes, not {len(self.public_key)}")

    @property
    def key_id(self) -> bytes:
        """Four bytes that help to choose the key to try; they prove nothing."""
        named = self.name.encode() + b"\n" + _ED25519 + self.public_key
        return hashlib.sha256(named).digest()[:_ID_BYTES]

    @property
    def vkey(self) -> str:
        """The key as verifiers configure it: `<name>+<key id>+<base64 of type and key>`."""
        return f"{self.name}+{self.key_id.hex()}+{encode_base64(_ED25519 + self.public_key)}"

    @classmethod
    def parse(cls, vkey: str) -> NoteKey:
        """Read a `vkey`. Raises `MalformedInput`."""
        match = _VKEY.fullmatch(vkey)
        if match is None:
            raise MalformedInput("vkey", "must be <name>+<8 hexadecimal digits>+<base64>")
        name, key_id, encoded = match.groups()
        key = decode_base64(encoded, "vkey")
        if key[:1] != _ED25519:
            raise MalformedInput("vkey", "is not of type 1, Ed25519")
        try:
            parsed = cls(name, key[1:])
        except ValueError as error:
            raise MalformedInput("vkey", str(error)) from error
        if parsed.key_id.hex() != key_id:
            raise MalformedInput("vkey", f"key id {key_id} is not {parsed.key_id.hex()}")
        return parsed

    def verifies(self, signature: bytes, text: bytes) -> bool:
        try:
            Ed25519PublicKey.from_public_bytes(self.public_key).verify(signature, text)
        except (InvalidSignature, ValueError):
            return False
        return True


@dataclass(frozen=True)
class NoteSigner:
    """A key and the function that signs with its private half (message to 64 bytes)."""

    key: NoteKey
    sign: Callable[[bytes], bytes]


def sign_note(text: str, signer: NoteSigner) -> bytes:
    """The note of `text`, which must end in a newline.

    Raises `ValueError` if the text cannot stand in a note, or if what `signer.sign` returns is
    not a signature by `signer.key`: such a note could never be verified.
    """
    if not text.endswith("\n") or _CONTROL.search(text):
        raise ValueError("the text of a note ends in a newline and has no control characters")
    signed = text.encode("utf-8")
    signature = signer.sign(signed)
    if not signer.key.verifies(signature, signed):
        raise ValueError(f"the signer does not sign with the key {signer.key.vkey}")
    encoded = encode_base64(signer.key.key_id + signature)
    return signed + f"\n— {signer.key.name} {encoded}\n".encode()


def open_note(raw: bytes, keys: Iterable[NoteKey]) -> str:
    """Return the text of a note that one of `keys` signed.

    A signature that claims to be by one of `keys` and is not makes the whole note bad, whoever
    else signed it. Raises `BadNote`, or `MalformedInput` for what is no note at all.
    """
    text, signatures = _take_apart(raw)
    trusted = {(key.name, key.key_id): key for key in keys}
    verified = False
    for name, key_id, signature in signatures:
        key = trusted.get((name, key_id))
        if key is None:
            continue
        if not key.verifies(signature, text):
            raise BadNote(f"the signature of {name}+{key_id.hex()} does not match the text")
        verified = True
    if not verified:
        named = ", ".join(f"{name[:80]!r}+{key_id.hex()}" for name, key_id, _ in signatures)
        raise BadNote(f"signed by no trusted key, but by {named}")
    return text.decode("utf-8")


def encode_base64(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")


def decode_base64(text: str, what: str) -> bytes:
    """Decode base64 in its canonical form only, so that no byte of it can change unnoticed.

    Raises `MalformedInput` with `what` as its field.
    """
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise MalformedInput(what, f"not base64 ({error})") from error
    if encode_base64(data) != text:
        raise MalformedInput(what, "not base64 in its canonical form")
    return data


def _take_apart(raw: bytes) -> tuple[bytes, list[tuple[str, bytes, bytes]]]:
    """The signed bytes of a note, and name, key id and signature of each of its signatures."""
    if len(raw) > MAX_NOTE_BYTES:
        raise MalformedInput("note", f"is longer than the {MAX_NOTE_BYTES} bytes accepted")
    try:
        note = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        raise MalformedInput("note", f"not UTF-8 ({error.reason})") from error
    if _CONTROL.search(note):
        raise MalformedInput("note", "has a control character other than newline")
    text, separator, block = note.rpartition("\n\n")
    if not separator or not block.endswith("\n"):
        raise MalformedInput("note", "must be a text, an empty line and lines of signatures")
    lines = block.removesuffix("\n").split("\n")
    if len(lines) > MAX_SIGNATURES:
        raise MalformedInput("note", f"has more than the {MAX_SIGNATURES} signatures accepted")
    return f"{text}\n".encode(), [_signature(line) for line in lines]


def _signature(line: str) -> tuple[str, bytes, bytes]:
    match = _SIGNATURE_LINE.fullmatch(line)
    if match is None or not _is_key_name(match[1]):
        raise MalformedInput("note", f"{line[:80]!r} is no line of a signature")
    data = decode_base64(match[2], "note signature")
    if len(data) <= _ID_BYTES:
        raise MalformedInput("note signature", "is too short")
    return match[1], data[:_ID_BYTES], data[_ID_BYTES:]


def _is_key_name(name: str) -> bool:
    return bool(name) and "+" not in name and not any(c.isspace() or c < " " for c in name)
