"""Cosigners for tests: their keys, what they sign, and a policy that names them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from custody.core.tlog.cosignature import CosignerKey
from custody.core.tlog.signed_note import NoteSignature, put_together, take_apart

NOW = datetime(2026, 11, 3, 4, 0, tzinfo=UTC)


@dataclass(frozen=True)
class TestCosigner:
    """One who signs whatever is shown to him."""

    __test__ = False
    name: str

    @property
    def _private(self) -> Ed25519PrivateKey:
        return Ed25519PrivateKey.from_private_bytes(sha256(self.name.encode()).digest())

    @property
    def key(self) -> CosignerKey:
        return CosignerKey(
            f"{self.name}.example", b"\x04", self._private.public_key().public_bytes_raw()
        )

    def signature(self, text: bytes, at: datetime = NOW) -> NoteSignature:
        seconds = int(at.timestamp())
        signed = self._private.sign(b"cosignature/v1\ntime %d\n" % seconds + text)
        return NoteSignature(self.key.name, self.key.key_id, seconds.to_bytes(8, "big") + signed)

    def sign(self, note: bytes, at: datetime = NOW) -> bytes:
        """The note with his signature below the others."""
        text, signatures = take_apart(note)
        return put_together(text, [*signatures, self.signature(text, at)])


ANNE, BOB, CARL = map(TestCosigner, ("anne", "bob", "carl"))
EVERYBODY = (ANNE, BOB, CARL)


def policy_text(
    quorum: str = "2",
    cosigners: Sequence[TestCosigner] = EVERYBODY,
    urls: Mapping[str, str] | None = None,
) -> str:
    """A policy with a group of the cosigners, of which `quorum` must sign."""
    lines = [
        f"witness {each.name} {each.key.vkey} {(urls or {}).get(each.name, '')}".rstrip()
        for each in cosigners
    ]
    names = " ".join(each.name for each in cosigners)
    return "\n".join([*lines, f"group outside {quorum} {names}", "quorum outside", ""])
