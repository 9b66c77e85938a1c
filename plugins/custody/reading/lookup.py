"""Finding what is kept about an object version: its records, and the trail's events of it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Final

from cryptography.hazmat.primitives.asymmetric import rsa

from custody.aws.s3.errors import ObjectAbsent, ObjectRefused
from custody.aws.s3.listing import StoredVersion
from custody.aws.s3.reading import first_bytes
from custody.aws.trail.store import TrailStore
from custody.aws.trail.validation import DigestKeys
from custody.core.case.check import writes_of
from custody.core.case.sealing import KeptRecord
from custody.core.formats.dsse import MAX_ENVELOPE_BYTES
from custody.core.formats.strict_gzip import gunzip
from custody.core.formats.untrusted import MalformedInput
from custody.core.records.checking import ReadEnvelope, TrustedKey, read_envelope, signer_of
from custody.core.records.names import record_keys
from custody.core.trail.digests.document import MAX_DIGEST_BYTES, LogFile
from custody.core.trail.digests.signatures import SignedDigest, UnprovenDigest, verify_digest
from custody.core.trail.events import TrailEvent
from custody.core.trail.layout import DigestName, TrailLayout
from custody.core.trail.log_files import MAX_LOG_BYTES, read_log
from custody.objects import ObjectVersion
from custody.reading.sealed import SealedRecords
from custody.reading.sources import Source

_SKEW: Final = timedelta(minutes=5)
"""How far the times of a notification and of the trail may differ."""

_SIGNATURE: Final = ("signature", "signature-algorithm")
"""The user metadata of a digest that its check needs."""


@dataclass(frozen=True)
class Kept:
    """An envelope about an object version, as it is stored and as it was read."""

    raw: bytes
    envelope: ReadEnvelope


def records_of(
    source: Source,
    provenance_bucket: str,
    version: StoredVersion,
    keys: Mapping[str, TrustedKey],
) -> list[Kept]:
    """Everything at the keys of a version's record, overwritten and hidden ones too."""
    for key in record_keys(version.version, version.last_modified, version.etag):
        stored = source.versions(provenance_bucket, key.removesuffix(".json"))
        found = [_read(source, record, keys) for record in stored]
        if found:
            return found
    return []


def seal_troubles(
    sealed: SealedRecords,
    version: StoredVersion,
    kept: Collection[Kept],
    keys: Mapping[str, TrustedKey],
) -> list[str]:
    """What does not agree between what is kept about a version and what the seal holds of it."""
    places = record_keys(version.version, version.last_modified, version.etag)
    records = [
        KeptRecord.of(each.envelope.stored.key, each.raw, signer_of(each.raw, keys))
        for each in kept
    ]
    return sealed.troubles(places, records)


def _read(source: Source, stored: StoredVersion, keys: Mapping[str, TrustedKey]) -> Kept:
    raw = source.read_version(stored.version, max_bytes=MAX_ENVELOPE_BYTES) or b""
    envelope = read_envelope(raw, keys, stored=stored.version, stored_at=stored.last_modified)
    return Kept(raw, envelope)


@dataclass
class TrailEvidence:
    """What of the trail is about some object versions: digests and log files as they are stored,
    by object key, and the events in them."""

    digests: dict[str, tuple[bytes, dict[str, str]]] = field(default_factory=dict)
    logs: dict[str, bytes] = field(default_factory=dict)
    events: list[TrailEvent] = field(default_factory=list)

    def writes_of(
        self, version: ObjectVersion, envelopes: Collection[ReadEnvelope]
    ) -> list[TrailEvent]:
        return writes_of(version, envelopes, self.events)


@dataclass(frozen=True)
class Sought:
    """A write to be found in the trail: of an object, at about a time."""

    bucket: str
    key: str
    at: datetime


def search_trail(
    store: TrailStore,
    layout: TrailLayout,
    keys: DigestKeys,
    sought: Collection[Sought],
    *,
    within: timedelta,
    watch: Callable[[Iterator[DigestName]], Iterator[DigestName]] = iter,
) -> TrailEvidence:
    """The log files that tell of the writes `sought`, and the digests that vouch for them.

    Looks at the digests that end up to `within` after each write. What does not verify is passed
    over: nothing follows from it, and `custody.aws.trail.validation` is what names it. `watch`
    sees the digests pass.
    """
    evidence = TrailEvidence()
    if not sought:
        return evidence
    wanted = {(write.bucket, write.key) for write in sought}
    first = min(write.at for write in sought) - _SKEW
    public = keys(first - within, max(write.at for write in sought) + within)
    for name in watch(_digests(store, layout, sought, within)):
        found = _read_digest(store, layout, name, public)
        if found is None:
            continue
        packed, metadata, signed = found
        for log in signed.digest.log_files:
            contents = _read_log(store, log, wanted)
            if contents is None:
                continue
            evidence.digests[name.key] = (packed, metadata)
            evidence.logs[log.key], events = contents
            evidence.events += events
    return evidence


def _digests(
    store: TrailStore, layout: TrailLayout, sought: Collection[Sought], within: timedelta
) -> Iterator[DigestName]:
    first = min(write.at for write in sought) - _SKEW
    last = max(write.at for write in sought) + within
    prefix = layout.digest_prefix
    for stored in store.list(prefix, after=f"{prefix}{first:%Y/%m/%d}"):
        if stored.key > f"{prefix}{last:%Y/%m/%d}0":  # behind all of that day, as "/" < "0"
            return
        name = layout.digest_name(stored.key)
        if name is not None and any(w.at - _SKEW <= name.end <= w.at + within for w in sought):
            yield name


def _read_digest(
    store: TrailStore,
    layout: TrailLayout,
    name: DigestName,
    keys: Mapping[str, rsa.RSAPublicKey],
) -> tuple[bytes, dict[str, str], SignedDigest] | None:
    def consume(
        metadata: Mapping[str, str], chunks: Iterator[bytes]
    ) -> tuple[bytes, dict[str, str]]:
        signature = {field: metadata[field] for field in _SIGNATURE if field in metadata}
        return first_bytes(chunks, MAX_DIGEST_BYTES), signature

    try:
        (packed, metadata), _ = store.read(layout.bucket, name.key, None, consume)
        signed = verify_digest(packed, metadata, keys, bucket=layout.bucket, key=name.key)
    except (ObjectAbsent, ObjectRefused, UnprovenDigest):
        return None
    return packed, metadata, signed


def _read_log(
    store: TrailStore, log: LogFile, wanted: Collection[tuple[str, str]]
) -> tuple[bytes, list[TrailEvent]] | None:
    """A log file and its events about objects `wanted`; None without any, or if it is altered."""
    try:
        packed, _ = store.read(
            log.bucket, log.key, None, lambda _, chunks: first_bytes(chunks, MAX_LOG_BYTES)
        )
        content = gunzip(packed, what="log", max_bytes=MAX_LOG_BYTES)
        if sha256(content).hexdigest() != log.sha256:
            return None
        log_content = read_log(content, log=log.key, proven=True)
    except (ObjectAbsent, ObjectRefused, MalformedInput):
        return None
    events = [event for event in log_content.events if (event.bucket, event.key) in wanted]
    return (packed, events) if events else None
