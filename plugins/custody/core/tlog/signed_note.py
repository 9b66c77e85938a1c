"""Text signed by named keys: https://c2sp.org/signed-note, with Ed25519 (signature type 0x01).

The caller names the keys that are trusted; signatures by others, such as cosigners
(`custody.core.tlog.cosignature`), are ignored. Needs `cryptography`.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final, Protocol, TypeVar

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
        if not is_key_name(self.name):
            raise ValueError(f"{self.name[:80]!r} cannot be the name of a key")
        if len(self.public_key) != _KEY_BYTES:
            raise ValueError(f"an Ed25519 public key has 32 bytes, not {len(self.public_key)}")

    @property
    def key_id(self) -> bytes:
        """Four bytes that help to choose the key to try; they prove nothing."""
        return key_id_of(self.name, _ED25519 + self.public_key)

    @property
    def vkey(self) -> str:
        """The key as verifiers configure it."""
        return vkey_of(self.name, _ED25519 + self.public_key)

    @property
    def all(self) -> tuple[NoteKey, ...]:
        """Every key that may have signed under the name, the one that signs now first."""
        return (self,)

    @classmethod
    def parse(cls, vkey: str) -> NoteKey:
        """Read a `vkey`. Raises `MalformedInput`."""
        return parse_vkey(vkey, cls._of_type)

    @classmethod
    def _of_type(cls, name: str, key_type: bytes, public_key: bytes) -> NoteKey:
        if key_type != _ED25519:
            raise ValueError("is not of type 1, Ed25519")
        return cls(name, public_key)

    def verifies(self, signature: bytes, text: bytes) -> bool:
        try:
            Ed25519PublicKey.from_public_bytes(self.public_key).verify(signature, text)
        except (InvalidSignature, ValueError):
            return False
        return True


@dataclass(frozen=True)
class RenewedKey(NoteKey):
    """A key that took over from `former` ones of the same name: what these signed is believed
    too."""

    former: tuple[NoteKey, ...]

    @property
    def all(self) -> tuple[NoteKey, ...]:
        return NoteKey(self.name, self.public_key), *self.former

    def verifies(self, signature: bytes, text: bytes) -> bool:
        return any(key.verifies(signature, text) for key in self.all)


@dataclass(frozen=True)
class NoteSignature:
    """One signature under a note: the name and the four bytes of the key's id that it claims, and
    what is after them."""

    name: str
    key_id: bytes
    data: bytes

    @property
    def key(self) -> tuple[str, bytes]:
        """The key that it claims to be by."""
        return self.name, self.key_id

    def to_line(self) -> bytes:
        """The line as it stands under the note, newline included."""
        return f"— {self.name} {encode_base64(self.key_id + self.data)}\n".encode()


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
    if not signer.key.all[0].verifies(signature, signed):
        raise ValueError(f"the signer does not sign with the key {signer.key.vkey}")
    line = NoteSignature(signer.key.name, signer.key.key_id, signature).to_line()
    return signed + b"\n" + line


def open_note(raw: bytes, keys: Iterable[NoteKey]) -> str:
    """Return the text of a note that one of `keys` signed.

    A signature that claims to be by one of `keys` and is not makes the whole note bad, whoever
    else signed it. Raises `BadNote`, or `MalformedInput` for what is no note at all.
    """
    text, signatures = take_apart(raw)
    trusted = {(key.name, key.key_id): key for key in keys}
    verified = False
    for each in signatures:
        key = trusted.get(each.key)
        if key is None:
            continue
        if not key.verifies(each.data, text):
            raise BadNote(
                f"the signature of {each.name}+{each.key_id.hex()} does not match the text"
            )
        verified = True
    if not verified:
        named = ", ".join(f"{each.name[:80]!r}+{each.key_id.hex()}" for each in signatures)
        raise BadNote(f"signed by no trusted key, but by {named}")
    return text.decode("utf-8")


def take_apart(raw: bytes) -> tuple[bytes, list[NoteSignature]]:
    """The text of a note and the signatures under it, none of which is checked.

    Raises `MalformedInput`.
    """
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
    return f"{text}\n".encode(), _signatures(block)


def parse_signatures(raw: bytes) -> list[NoteSignature]:
    """Lines of signatures alone. Raises `MalformedInput`."""
    try:
        return _signatures(raw.decode("utf-8"))
    except UnicodeDecodeError as error:
        raise MalformedInput("signatures", f"not UTF-8 ({error.reason})") from error


def put_together(text: bytes, signatures: Iterable[NoteSignature]) -> bytes:
    """The note that `take_apart` takes apart into these."""
    return b"".join([text, b"\n", *(each.to_line() for each in signatures)])


def key_id_of(name: str, typed_key: bytes) -> bytes:
    """The id of a key: `typed_key` is its signature type, one byte, and its public half."""
    return hashlib.sha256(name.encode() + b"\n" + typed_key).digest()[:_ID_BYTES]


def vkey_of(name: str, typed_key: bytes) -> str:
    """A key as verifiers configure it: `<name>+<key id>+<base64 of type and key>`."""
    return f"{name}+{key_id_of(name, typed_key).hex()}+{encode_base64(typed_key)}"


class NamedKey(Protocol):
    """A key that signs notes under a name."""

    @property
    def key_id(self) -> bytes: ...


_Key = TypeVar("_Key", bound=NamedKey)


def parse_vkey(vkey: str, make: Callable[[str, bytes, bytes], _Key]) -> _Key:
    """The key in a vkey, as `make` makes it of name, signature type (one byte) and public half.

    Raises `MalformedInput`, also where `make` raises `ValueError`.
    """
    match = _VKEY.fullmatch(vkey)
    if match is None:
        raise MalformedInput("vkey", "must be <name>+<8 hexadecimal digits>+<base64>")
    name, key_id, encoded = match.groups()
    typed_key = decode_base64(encoded, "vkey")
    try:
        key = make(name, typed_key[:1], typed_key[1:])
    except ValueError as error:
        raise MalformedInput("vkey", str(error)) from error
    if key.key_id.hex() != key_id:
        raise MalformedInput("vkey", f"key id {key_id} is not {key.key_id.hex()}")
    return key


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


def is_key_name(name: str) -> bool:
    """Whether a key can have this name."""
    return bool(name) and "+" not in name and not any(c.isspace() or c < " " for c in name)


def _signatures(block: str) -> list[NoteSignature]:
    lines = block.removesuffix("\n").split("\n")
    if len(lines) > MAX_SIGNATURES:
        raise MalformedInput("note", f"has more than the {MAX_SIGNATURES} signatures accepted")
    return [_signature(line) for line in lines]


def _signature(line: str) -> NoteSignature:
    match = _SIGNATURE_LINE.fullmatch(line)
    if match is None or not is_key_name(match[1]):
        raise MalformedInput("note", f"{line[:80]!r} is no line of a signature")
    data = decode_base64(match[2], "note signature")
    if len(data) <= _ID_BYTES:
        raise MalformedInput("note signature", "is too short")
    return NoteSignature(match[1], data[:_ID_BYTES], data[_ID_BYTES:])
