"""What a case's log files tell, as far as CloudTrail's digests in it vouch for them."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Final

from cryptography.hazmat.primitives.asymmetric import rsa

from custody.core.case.manifest import CaseDigest, CaseLog, CaseTrail
from custody.core.case.pins import Pins
from custody.core.formats.strict_gzip import Gunzip
from custody.core.formats.untrusted import MalformedInput
from custody.core.trail.digests.signatures import SignedDigest, UnprovenDigest, verify_digest
from custody.core.trail.events import TrailEvent
from custody.core.trail.log_files import read_log

ReadMember = Callable[[str], bytes]

MAX_UNPACKED_BYTES: Final = 64 * 1024 * 1024
MAX_UNPACKED_RATIO: Final = 64
"""How much longer a file may be unpacked. CloudTrail's are no more than some thirty times: every
event has ids that cannot be packed. What a stranger hands over may be made to be."""


Found = Callable[[str, object], None]


def check_trail(
    trail: CaseTrail,
    read: ReadMember,
    keys: Mapping[str, rsa.RSAPublicKey],
    pins: Pins | None,
    objects: Collection[tuple[str, str]],
    found: Found,
) -> list[TrailEvent]:
    """The events of the log files that a signed digest vouches for.

    Every file must be good, of the trail that `pins` names, and tell of one of the `objects`
    (bucket and key). What is not is `found`: where, and what.
    """
    if pins is not None and trail.bucket != pins.layout.bucket:
        found("trail", f"it is of the bucket {trail.bucket}, not {pins.layout.bucket}")
    signed = {
        digest.member: each
        for digest in trail.digests
        if (each := _digest(trail, digest, read, keys, pins, found)) is not None
    }
    vouched = {
        log.key: (log.sha256, member)
        for member, each in signed.items()
        for log in each.digest.log_files
        if log.bucket == trail.bucket
    }
    events: list[TrailEvent] = []
    for log in trail.logs:
        sha256, member = vouched.get(log.key, ("", ""))
        told = _told(log, read(log.member), sha256, found)
        if told is not None:
            signed.pop(member, None)
            events += told
            if not any((event.bucket, event.key) in objects for event in told):
                found(log.member, "it tells of no object of the case")
    for unused in signed:
        found(unused, "it vouches for no log file of the case")
    return events


def _digest(
    trail: CaseTrail,
    digest: CaseDigest,
    read: ReadMember,
    keys: Mapping[str, rsa.RSAPublicKey],
    pins: Pins | None,
    found: Found,
) -> SignedDigest | None:
    if pins is not None and pins.layout.region_of_digest(digest.key) is None:
        found(digest.key, "the digest is of another account or trail")
        return None
    packed = read(digest.member)
    try:
        for _ in _unpacked(packed, what="digest"):
            pass  # before it is read, which takes several times the memory
        signed = verify_digest(packed, digest.metadata, keys, bucket=trail.bucket, key=digest.key)
    except (UnprovenDigest, MalformedInput) as error:
        found(digest.key, f"the digest proves nothing: {error}")
        return None
    if pins is not None and signed.digest.account_id != pins.account_id:
        found(digest.key, f"the digest is of the account {signed.digest.account_id}")
        return None
    return signed


def _told(log: CaseLog, packed: bytes, sha256: str, found: Found) -> list[TrailEvent] | None:
    """The events of a log file whose content must have this SHA-256."""
    try:
        content = _vouched_content(packed, sha256)
        if content is None:
            found(log.member, f"no digest of the case vouches for these bytes of {log.key}")
            return None
        told = read_log(content, log=log.key, proven=True)
    except MalformedInput as error:
        found(log.member, f"cannot be read: {error}")
        return None
    for problem in told.problems:
        found(log.member, f"a record of it cannot be read: {problem}")
    return list(told.events)


def _vouched_content(packed: bytes, sha256: str) -> bytes | None:
    """The content of a log file that has this SHA-256, else None: what nobody vouches for is not
    held in memory."""
    digest = hashlib.sha256()
    for piece in _unpacked(packed, what="log"):
        digest.update(piece)
    return b"".join(_unpacked(packed, what="log")) if digest.hexdigest() == sha256 else None


def _unpacked(packed: bytes, *, what: str) -> Iterator[bytes]:
    most = min(MAX_UNPACKED_BYTES, MAX_UNPACKED_RATIO * len(packed))
    reader = Gunzip(what, max_bytes=most)
    yield from reader.feed(packed)
    reader.finish()
