"""Reading one digest object: the digest that CloudTrail wrote, and the defect of the object.

An older version that verifies still proves the chain and the logs, so that one altered or deleted
digest is one defect and no more.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from cryptography.hazmat.primitives.asymmetric import rsa

from custody.aws.s3.errors import ObjectAbsent, ObjectRefused
from custody.aws.trail.listing import FoundDigest
from custody.aws.trail.store import TrailStore, Version
from custody.core.trail.defects import TrailDefect, TrailDefectKind
from custody.core.trail.digests.document import MAX_DIGEST_BYTES
from custody.core.trail.digests.signatures import SignedDigest, UnprovenDigest, verify_digest

_VERSIONS_TRIED: Final = 8
"""Versions of one digest among which the one CloudTrail wrote is looked for, the oldest first."""


@dataclass(frozen=True)
class LoadedDigest:
    """`signed` is the digest CloudTrail wrote, if any version is that; `defect` what is wrong.

    Neither is set if a forged object was deleted again: there is no such digest.
    """

    signed: SignedDigest | None
    defect: TrailDefect | None


def load_digest(
    store: TrailStore, keys: Mapping[str, rsa.RSAPublicKey], found: FoundDigest
) -> LoadedDigest:
    """Read and verify a digest; raises what the store raises when it is not the object's fault."""
    current, *older = found.stored.versions
    problem: UnprovenDigest | None = None
    if not current.deletes:
        try:
            return LoadedDigest(_verify(store, keys, found, current), None)
        except UnprovenDigest as error:
            problem = error
    signed = _oldest_proven(store, keys, found, older)
    if problem is None:
        if signed is None:
            return LoadedDigest(None, None)
        problem = UnprovenDigest(TrailDefectKind.DIGEST_MISSING, "it was deleted")
    defect = TrailDefect(
        problem.kind,
        found.bucket,
        found.name.key,
        f"The digest proves nothing: {problem}.",
        version_id=current.id,
        digest_key=found.name.key,
        period_start=signed.digest.start if signed else None,
        period_end=found.name.end,
    )
    return LoadedDigest(signed, defect)


def _oldest_proven(
    store: TrailStore,
    keys: Mapping[str, rsa.RSAPublicKey],
    found: FoundDigest,
    newest_first: list[Version],
) -> SignedDigest | None:
    stored = [version for version in reversed(newest_first) if not version.deletes]
    for version in stored[:_VERSIONS_TRIED]:
        try:
            return _verify(store, keys, found, version)
        except UnprovenDigest:
            continue
    return None


def _verify(
    store: TrailStore,
    keys: Mapping[str, rsa.RSAPublicKey],
    found: FoundDigest,
    version: Version,
) -> SignedDigest:
    key = found.name.key

    def verify(metadata: Mapping[str, str], chunks: Iterator[bytes]) -> SignedDigest:
        packed = bytearray()
        for chunk in chunks:
            packed += chunk
            if len(packed) > MAX_DIGEST_BYTES:
                raise UnprovenDigest(
                    TrailDefectKind.DIGEST_ALTERED,
                    f"it is longer than the {MAX_DIGEST_BYTES} bytes accepted",
                )
        return verify_digest(bytes(packed), metadata, keys, bucket=found.bucket, key=key)

    try:
        return store.read(found.bucket, key, version.id, verify)[0]
    except ObjectAbsent as error:
        raise UnprovenDigest(TrailDefectKind.DIGEST_MISSING, "it is gone") from error
    except ObjectRefused as error:
        raise UnprovenDigest(
            TrailDefectKind.UNREADABLE, f"S3 does not hand it out ({error})"
        ) from error
