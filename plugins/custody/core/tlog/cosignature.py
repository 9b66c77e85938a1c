"""Signatures of others under a checkpoint: https://c2sp.org/tlog-cosignature.

A cosigner says that, at the time in its signature, the checkpoint was the largest it knew of the
log, and that the log had only grown until then. Its signature is one of two types: Ed25519 (0x04)
or ML-DSA-44 (0x06). Needs `cryptography`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PublicKey

from custody.core.tlog.checkpoint import Checkpoint
from custody.core.tlog.signed_note import is_key_name, key_id_of, parse_vkey, vkey_of

_ED25519: Final = b"\x04"
_ML_DSA_44: Final = b"\x06"
_KEY_BYTES: Final = {_ED25519: 32, _ML_DSA_44: 1312}
_TIME_BYTES: Final = 8
_LAST_SECOND: Final = int(datetime.max.replace(tzinfo=UTC, microsecond=0).timestamp())


@dataclass(frozen=True)
class CosignerKey:
    """The public key of a cosigner, its signature type, and the name it signs under.

    Raises `ValueError` if name or key cannot be those of one.
    """

    name: str
    key_type: bytes
    public_key: bytes

    def __post_init__(self) -> None:
        # The name is part of what is signed, with a length of one byte.
        if not is_key_name(self.name) or len(self.name.encode()) > 255:
            raise ValueError(f"{self.name[:80]!r} cannot be the name of a cosigner's key")
        if self.key_type not in _KEY_BYTES:
            raise ValueError("is not of type 4 (Ed25519) or 6 (ML-DSA-44), as cosigners' keys are")
        if len(self.public_key) != (length := _KEY_BYTES[self.key_type]):
            raise ValueError(f"such a public key has {length} bytes, not {len(self.public_key)}")

    @property
    def key_id(self) -> bytes:
        """Four bytes that help to choose the key to try; they prove nothing."""
        return key_id_of(self.name, self.key_type + self.public_key)

    @property
    def vkey(self) -> str:
        """The key as verifiers configure it (https://c2sp.org/signed-note)."""
        return vkey_of(self.name, self.key_type + self.public_key)

    @classmethod
    def parse(cls, vkey: str) -> CosignerKey:
        """Read a `vkey`. Raises `MalformedInput`."""
        return parse_vkey(vkey, cls)

    def time_of(self, signature: bytes, text: bytes) -> datetime | None:
        """When this key cosigned the checkpoint `text`; None if the signature is none of it.

        A signature without a time is none: it does not say that the checkpoint was the largest.
        """
        seconds = int.from_bytes(signature[:_TIME_BYTES], "big")
        if not 0 < seconds <= _LAST_SECOND:
            return None
        key: Ed25519PublicKey | MLDSA44PublicKey
        try:
            if self.key_type == _ED25519:
                key = Ed25519PublicKey.from_public_bytes(self.public_key)
                signed = b"cosignature/v1\ntime %d\n" % seconds + text
            else:
                key = MLDSA44PublicKey.from_public_bytes(self.public_key)
                signed = self._subtree(seconds, Checkpoint.of_text(text.decode()))
            key.verify(signature[_TIME_BYTES:], signed)
        except (InvalidSignature, ValueError):
            return None
        return datetime.fromtimestamp(seconds, UTC)

    def _subtree(self, seconds: int, checkpoint: Checkpoint) -> bytes:
        """What is signed with ML-DSA-44: a subtree, here the whole tree."""
        start, end = 0, checkpoint.size
        return b"".join(
            [
                b"subtree/v1\n\0",
                _with_length(self.name),
                _uint64(seconds),
                _with_length(checkpoint.origin),
                _uint64(start),
                _uint64(end),
                checkpoint.root,
            ]
        )


def _uint64(number: int) -> bytes:
    return number.to_bytes(8, "big")


def _with_length(text: str) -> bytes:
    return bytes([len(text.encode())]) + text.encode()
