"""What a case's log files tell, as far as CloudTrail's digests in it vouch for them."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Final

from cryptography.hazmat.primitives.asymmetric import rsa

from custody.core.case.manifest import CaseDigest, CaseTrail
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


def check_trail(
    trail: CaseTrail,
    read: ReadMember,
    keys: Mapping[str, rsa.RSAPublicKey],
    pins: Pins | None,
    objects: Collection[tuple[str, str]],
    found: Callable[[str, object], None],
) -> list[TrailEvent]:
    """The events of the log files that a signed digest vouches for.

    Every file must be good, of the trail that `pins` names, and tell of one of the `objects` (bucket
    and key). What is not is `found`: where, and what.
    """
    if pins is not None and trail.bucket != pins.layout.bucket:
        found("trail", f"it is of the bucket {trail.bucket}, not {pins.layout.bucket}")
    vouched: dict[str, tuple[str, str]] = {}
    for digest in trail.digests:
        signed = _digest(trail, digest, read, keys, pins, found)
        for log in signed.digest.log_files if signed is not None else ():
            if log.bucket == trail.bucket:
                vouched[log.key] = (log.sha256, digest.key)
    events: list[TrailEvent] = []
    used = set[str]()
    for log in trail.logs:
        sha256, by = vouched.get(log.key, ("", ""))
        try:
            content = _vouched_content(read(log.member), sha256)
            if content is None:
                found(log.member, f"no digest of the case vouches for these bytes of {log.key}")
                continue
            told = read_log(content, log=log.key, proven=True)
        except MalformedInput as error:
            found(log.member, f"cannot be read: {error}")
            continue
        used.add(by)
        events += told.events
        for problem in told.problems:
            found(log.member, f"a record of it cannot be read: {problem}")
        if not any((event.bucket, event.key) in objects for event in told.events):
            found(log.member, "it tells of no object of the case")
    for digest in trail.digests:
        if digest.key not in used:
            found(digest.member, "it vouches for no log file of the case")
    return events


def _digest(
    trail: CaseTrail,
    digest: CaseDigest,
    read: ReadMember,
    keys: Mapping[str, rsa.RSAPublicKey],
    pins: Pins | None,
    found: Callable[[str, object], None],
) -> SignedDigest | None:
    if pins is not None and pins.layout.region_of_digest(digest.key) is None:
        found(digest.key, "the digest is of another trail, account or bucket prefix")
        return None
    packed = read(digest.member)
    try:
        for _ in _unpacked(packed, what="digest"):
            pass
        signed = verify_digest(packed, digest.metadata, keys, bucket=trail.bucket, key=digest.key)
    except (UnprovenDigest, MalformedInput) as error:
        found(digest.key, f"the digest proves nothing: {error}")
        return None
    if pins is not None and signed.digest.account_id != pins.account_id:
        found(digest.key, f"the digest is of the account {signed.digest.account_id}")
        return None
    return signed


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
