"""DSSE: the signed envelope every record is stored in.

Rules from https://github.com/secure-systems-lab/dsse (`protocol.md` and `envelope.md`, v1).
"""

from __future__ import annotations

import base64
import binascii
import json
from dataclasses import dataclass
from typing import Final

from custody.core.formats.untrusted import MAX_TEXT, Fields, MalformedInput, load_json

PAYLOAD_TYPE: Final = "application/vnd.in-toto+json"
"""Payload type of an in-toto Statement."""

MAX_ENVELOPE_BYTES: Final = 1024 * 1024
MAX_SIGNATURES: Final = 16
"""More signatures than anybody needs, few enough that checking them all stays cheap."""


def pae(payload_type: str, payload: bytes) -> bytes:
    """Pre-authentication encoding: the exact bytes that are signed.

    `"DSSEv1" SP LEN(type) SP type SP LEN(body) SP body`, lengths in bytes as ASCII decimals.
    """
    kind = payload_type.encode("utf-8")
    return b"DSSEv1 %d %b %d %b" % (len(kind), kind, len(payload), payload)


@dataclass(frozen=True)
class Signature:
    """One signature: `sig` in the encoding of its algorithm, and an *unauthenticated* `keyid`.

    `keyid` may narrow down which key to try, never decide anything; `""` means unset.
    """

    keyid: str
    sig: bytes


@dataclass(frozen=True)
class Envelope:
    """A payload, its type, and the signatures over `pae(payload_type, payload)`."""

    payload: bytes
    payload_type: str
    signatures: tuple[Signature, ...]

    def to_json_line(self) -> bytes:
        """The JSON envelope on one line with a newline: Athena reads one document per line."""
        document = {
            "payload": base64.b64encode(self.payload).decode("ascii"),
            "payloadType": self.payload_type,
            "signatures": [
                {"keyid": s.keyid, "sig": base64.b64encode(s.sig).decode("ascii")}
                for s in self.signatures
            ],
        }
        return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"

    @classmethod
    def parse(cls, raw: bytes | str) -> Envelope:
        """Read a JSON envelope of at most `MAX_ENVELOPE_BYTES`; nothing in it is verified yet.

        As the specification says: unknown fields are ignored, an unset `keyid` is an empty one,
        and base64 may use the standard or the URL-safe alphabet. Raises `MalformedInput`.
        """
        fields = Fields.of(
            load_json(raw, what="envelope", max_bytes=MAX_ENVELOPE_BYTES), "envelope"
        )
        return cls(
            payload=_base64(fields, "payload"),
            payload_type=_text(fields, "payloadType"),
            signatures=tuple(
                _signature(Fields.of(item, f"envelope.signatures[{i}]"))
                for i, item in enumerate(fields.items("signatures", max_items=MAX_SIGNATURES))
            ),
        )


def _signature(fields: Fields) -> Signature:
    keyid = _text(fields, "keyid") if fields.has("keyid") else ""
    return Signature(keyid=keyid, sig=_base64(fields, "sig"))


def _text(fields: Fields, name: str, *, max_length: int = MAX_TEXT) -> str:
    """Like `fields.text`, but empty is allowed: DSSE fields "MUST be set, even if empty"."""
    return "" if fields.values.get(name) == "" else fields.text(name, max_length=max_length)


def _base64(fields: Fields, name: str) -> bytes:
    """Decode base64 that has exactly one reading.

    Stray characters, missing padding and leftover bits are refused, so that one envelope cannot be
    written in two ways that some decoder tells apart.
    """
    text = _text(fields, name, max_length=MAX_ENVELOPE_BYTES)
    try:
        data = base64.b64decode(text.replace("-", "+").replace("_", "/"), validate=True)
    except (binascii.Error, ValueError) as error:
        raise MalformedInput(fields.where(name), f"not base64 ({error})") from error
    encoded = text.encode("ascii")
    if base64.b64encode(data) != encoded and base64.urlsafe_b64encode(data) != encoded:
        raise MalformedInput(fields.where(name), "not base64 in its canonical form")
    return data
