"""Signed notes, vkeys and consistency proofs, as far as who cosigns reads them."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

NOTE_KEY, COSIGNER_KEY = b"\x01", b"\x04"

Lines = list[tuple[str, bytes]]
"""Name of each line of a signature, and what it has behind it: the key's id and the signature."""


def encoded(data: bytes) -> str:
    return base64.b64encode(data).decode()


def decoded(text: str) -> bytes:
    """The bytes of a text in base64; raises ValueError."""
    return base64.b64decode(text, validate=True)


def key_id(name: str, typed_key: bytes) -> bytes:
    """The id of a key, whose first byte is its type."""
    return hashlib.sha256(name.encode() + b"\n" + typed_key).digest()[:4]


def key_of_log(text: str) -> tuple[str, bytes]:
    """Name and typed key in the vkey of a log; raises ValueError."""
    name, identity, key = text.split("+", 2)
    typed_key = decoded(key)
    if typed_key[:1] != NOTE_KEY or key_id(name, typed_key).hex() != identity:
        raise ValueError(f"{text!r} is no vkey of a log")
    return name, typed_key


def note(raw: bytes) -> tuple[bytes, Lines]:
    """The text of a note and the signatures below it; raises ValueError or IndexError."""
    text, _, block = raw.rpartition(b"\n\n")
    lines = [line.split(" ") for line in block.decode().removesuffix("\n").split("\n")]
    return text + b"\n", [(line[1], decoded(line[2])) for line in lines]


def is_signed(text: bytes, lines: Lines, name: str, typed_key: bytes) -> bool:
    """Whether there are signatures by the key, all of them good."""
    own = [data[4:] for by, data in lines if (by, data[:4]) == (name, key_id(name, typed_key))]
    key = Ed25519PublicKey.from_public_bytes(typed_key[1:])
    try:
        for signature in own:
            key.verify(signature, text)
    except InvalidSignature:
        return False
    return bool(own)


def is_consistent(old: int, new: int, old_root: bytes, root: bytes, proof: Sequence[bytes]) -> bool:
    """Whether the proof shows that the tree of `new` leaves begins with that of `old` (RFC 9162,
    2.1.4.2); all begin with the tree of none."""
    if old in (0, new):
        return not proof and (old == 0 or old_root == root)
    path = [old_root, *proof] if old & (old - 1) == 0 else list(proof)
    if not path:
        return False
    first, last = old - 1, new - 1
    while first & 1:
        first, last = first >> 1, last >> 1
    old_found = new_found = path[0]
    for sibling in path[1:]:
        if last == 0:
            return False
        if first & 1 or first == last:
            old_found, new_found = _node(sibling, old_found), _node(sibling, new_found)
            while first and not first & 1:
                first, last = first >> 1, last >> 1
        else:
            new_found = _node(new_found, sibling)
        first, last = first >> 1, last >> 1
    return last == 0 and old_found == old_root and new_found == root


def _node(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\x01" + left + right).digest()
