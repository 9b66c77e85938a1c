"""What is kept about an object version, against what the seal holds.

What is sealed was there when it was sealed. So whatever was removed or put in its place since is
found, even if a trusted key signed it: whoever may sign may not rewrite what he signed.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from custody.core.records.checking import TrustedKey
from custody.core.seal.appends import Appends, SealedRecord

SEALED_WITHIN: Final = timedelta(days=7)
"""The audit seals every night what came since; some nights may be missed."""


@dataclass(frozen=True)
class KeptRecord:
    """An envelope at its place in the provenance bucket, and the key that signed it (None: none
    that is trusted)."""

    key: str
    sha256: str
    signer: TrustedKey | None

    @classmethod
    def of(cls, key: str, raw: bytes, signer: TrustedKey | None) -> KeptRecord:
        return cls(key, hashlib.sha256(raw).hexdigest(), signer)


def troubles_with_seal(
    kept: Collection[KeptRecord], sealed: Collection[SealedRecord], appends: Appends
) -> Iterator[str]:
    """What does not agree between what is `kept` in one place and what is `sealed` of it."""
    there = {(each.key, each.sha256) for each in kept}
    leaves = {(each.entry.key, each.entry.sha256): each.index for each in sealed}
    for key, sha256 in sorted(leaves.keys() - there):
        yield f"The seal holds {key} with SHA-256 {sha256}, which is not there."
    for each in sorted(kept, key=lambda record: (record.key, record.sha256)):
        index = leaves.get((each.key, each.sha256))
        if index is None and leaves:
            yield f"{each.key} with SHA-256 {each.sha256} came to what is sealed in its place."
        elif each.signer is not None:
            yield from _signed_too_late(each, each.signer, index, appends)


def _signed_too_late(
    kept: KeptRecord, signer: TrustedKey, index: int | None, appends: Appends
) -> Iterator[str]:
    """A key that was replaced can sign any date; what it signed in its time was sealed then."""
    reached = appends.reached(index)
    if signer.valid_until is None or reached is None:
        return
    if reached > (signer.valid_until + SEALED_WITHIN).date():
        when = "is not sealed" if index is None else f"was sealed as entry {index}"
        yield (
            f"{kept.key} is signed with {signer.key_id}, which was replaced at "
            f"{signer.valid_until.isoformat()}; it {when} although the seal had reached {reached}."
        )
