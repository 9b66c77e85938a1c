"""Check a case: everything that its members claim, with nothing but the members and keys.

Whoever made the case may have made the keys in it, too. So compare the keys with a copy from
elsewhere before you believe the result.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

from custody.core.case.key_ring import KeyRing
from custody.core.case.manifest import CaseObject, CaseTrail, Filed, Manifest
from custody.core.case.object_check import CheckedVersion, Outcome, check_version
from custody.core.formats.strict_gzip import gunzip
from custody.core.formats.untrusted import MalformedInput
from custody.core.ledger.versions import VersionName, name_in, writes_by_version
from custody.core.lineage.model import HashedObject
from custody.core.lineage.tracing import TracedRun, is_made, trace
from custody.core.records.checking import ReadEnvelope, read_envelope
from custody.core.records.model import HashedVersion, LandingRecord
from custody.core.seal.entries import RecordEntry
from custody.core.seal.layout import log_origin
from custody.core.tlog.checkpoint import Checkpoint
from custody.core.tlog.merkle import BadProof
from custody.core.tlog.proof import check_proof
from custody.core.tlog.signed_note import BadNote
from custody.core.trail.digests.signatures import SignedDigest, UnprovenDigest, verify_digest
from custody.core.trail.events import TrailEvent, merge
from custody.core.trail.log_files import MAX_LOG_BYTES, read_log
from custody.objects import UNVERSIONED, ObjectVersion

_LONG_AGO: Final = datetime(1970, 1, 1, tzinfo=UTC)
"""Stands for when an envelope was stored, which a case does not say."""

ReadMember = Callable[[str], bytes]


@dataclass(frozen=True)
class CaseReport:
    """What the case shows. `objects` begins with the one it is about; `traced` is where that
    comes from, if a run made it; `checkpoints` are the states of the seal it is proven by;
    `unsealed` the records and statements without a proof. Any of `findings` makes it bad."""

    objects: tuple[CheckedVersion, ...]
    traced: TracedRun | None
    checkpoints: tuple[Checkpoint, ...]
    unsealed: tuple[str, ...]
    findings: tuple[str, ...]


@dataclass
class _Findings:
    texts: list[str] = field(default_factory=list)

    def add(self, where: str, problem: object) -> None:
        self.texts.append(f"{where}: {problem}")


def check_case(
    manifest: Manifest,
    read: ReadMember,
    keys: KeyRing,
    contents: Mapping[str, HashedVersion],
) -> CaseReport:
    """Check a case whose members are those of the `manifest`, byte for byte.

    `read` gives a member's bytes; `contents` what the members hash to that are an object's own
    bytes. Never raises for what is in a member.
    """
    findings = _Findings()
    seal = _Seal(manifest, read, keys, findings)
    writes = _proven_events(manifest.trail, read, keys, findings)
    objects = tuple(
        _check_object(item, manifest, read, keys, contents, writes, seal)
        for item in manifest.objects
    )
    for checked in objects:
        where = f"{checked.version.uri} version {checked.version.version_id}"
        if checked.outcome is not Outcome.OK:
            findings.add(where, checked.reason)
        elif manifest.trail is not None and checked.write is None:
            findings.add(where, "no event of its write is in the log files of the case")
    for filed in manifest.lineage:
        seal.check(filed, read(filed.member))
    traced = _trace(objects, manifest.lineage, read, keys, findings)
    return CaseReport(
        objects, traced, tuple(seal.checkpoints), tuple(seal.unsealed), tuple(findings.texts)
    )


class _Seal:
    """Checks that envelopes are in the log."""

    def __init__(
        self, manifest: Manifest, read: ReadMember, keys: KeyRing, findings: _Findings
    ) -> None:
        self._origin = log_origin(manifest.provenance_bucket)
        self._read = read
        self._keys = keys.seal
        self._findings = findings
        self.checkpoints: dict[Checkpoint, None] = {}
        self.unsealed: list[str] = []

    def check(self, filed: Filed, raw: bytes) -> None:
        if filed.proof is None:
            self.unsealed.append(filed.key)
            return
        try:
            entry = RecordEntry(filed.key, hashlib.sha256(raw).hexdigest()).to_bytes()
            proof = self._read(filed.proof)
            included = check_proof(proof, entry, origin=self._origin, keys=self._keys)
        except (BadProof, BadNote, MalformedInput) as error:
            self._findings.add(filed.proof, f"does not prove that {filed.key} is sealed: {error}")
        else:
            self.checkpoints[included.checkpoint] = None


def _check_object(
    item: CaseObject,
    manifest: Manifest,
    read: ReadMember,
    keys: KeyRing,
    contents: Mapping[str, HashedVersion],
    events: Iterable[TrailEvent],
    seal: _Seal,
) -> CheckedVersion:
    envelopes = []
    for filed in item.records:
        raw = read(filed.member)
        seal.check(filed, raw)
        envelopes.append(
            read_envelope(
                raw,
                keys.records,
                stored=ObjectVersion(manifest.provenance_bucket, filed.key, UNVERSIONED),
                stored_at=_LONG_AGO,
            )
        )
    return check_version(
        item.version,
        envelopes=envelopes,
        found=contents[item.content] if item.content is not None else None,
        writes=writes_of(item.version, envelopes, events),
    )


def writes_of(
    version: ObjectVersion,
    envelopes: Iterable[ReadEnvelope],
    events: Iterable[TrailEvent],
) -> list[TrailEvent]:
    """The trail's events of the writing of one object version, each once, by the ledger's rule:
    `custody.core.ledger.versions.writes_by_version`."""
    deliveries: dict[str, list[TrailEvent]] = {}
    for event in events:
        if (event.bucket, event.key) == (version.bucket, version.key):
            deliveries.setdefault(event.event_id, []).append(event)
    claims = [
        e.claim
        for e in sorted(envelopes, key=lambda e: (e.stored.key, repr(e)))
        if e.claim is not None
        and (e.claim.version.bucket, e.claim.version.key) == (version.bucket, version.key)
    ]
    writes = writes_by_version([merge(copies) for copies in deliveries.values()], claims)
    wanted = {name_in(claim) for claim in claims if claim.version == version}
    return [
        write
        for name in sorted(wanted or {VersionName(version.version_id, None)}, key=str)
        for write in writes.get(name, ())
    ]


def _proven_events(
    trail: CaseTrail | None, read: ReadMember, keys: KeyRing, findings: _Findings
) -> list[TrailEvent]:
    """The events of the log files that a signed digest vouches for; each of both must be good."""
    if trail is None:
        return []
    vouched: dict[str, str] = {}
    for digest in trail.digests:
        signed = _digest(trail, digest.key, read(digest.member), digest.metadata, keys, findings)
        if signed is not None:
            vouched |= {
                log.key: log.sha256 for log in signed.digest.log_files if log.bucket == trail.bucket
            }
    events: list[TrailEvent] = []
    for log in trail.logs:
        try:
            content = gunzip(read(log.member), what="log", max_bytes=MAX_LOG_BYTES)
            if vouched.get(log.key) != hashlib.sha256(content).hexdigest():
                findings.add(
                    log.member, f"no digest of the case vouches for these bytes of {log.key}"
                )
                continue
            found = read_log(content, log=log.key, proven=True)
        except MalformedInput as error:
            findings.add(log.member, f"cannot be read: {error}")
            continue
        events += found.events
        for problem in found.problems:
            findings.add(log.member, f"a record of it cannot be read: {problem}")
    return events


def _digest(
    trail: CaseTrail,
    key: str,
    packed: bytes,
    metadata: Mapping[str, str],
    keys: KeyRing,
    findings: _Findings,
) -> SignedDigest | None:
    try:
        return verify_digest(packed, metadata, keys.cloudtrail, bucket=trail.bucket, key=key)
    except UnprovenDigest as error:
        findings.add(key, f"the digest proves nothing: {error}")
        return None


def _trace(
    objects: tuple[CheckedVersion, ...],
    lineage: tuple[Filed, ...],
    read: ReadMember,
    keys: KeyRing,
    findings: _Findings,
) -> TracedRun | None:
    """Follow the lineage of the case from its object; all that it passes must be in the case."""
    subject = objects[0]
    if not is_made(subject.version.key):
        for filed in lineage:
            findings.add(filed.member, "lineage of something that no run made")
        return None
    version = _as_input(subject)
    if version is None:
        return None  # which is a finding already
    members = {filed.key: filed.member for filed in lineage}
    looked_at = set()

    def find(key: str) -> bytes | None:
        looked_at.add(key)
        return read(members[key]) if key in members else None

    traced = trace(version, find, keys.lineage)
    runs = list(traced.walk())
    recorded = set(map(_as_input, objects))
    for trouble in (trouble for run in runs for trouble in run.troubles):
        findings.add("lineage", trouble)
    for landed in sorted({version for run in runs for version in run.landed} - recorded):
        findings.add("lineage", f"no good record of {landed} is in the case")
    for key in sorted(members.keys() - looked_at):
        findings.add(members[key], "lineage that has nothing to do with the object")
    return traced


def _as_input(checked: CheckedVersion) -> HashedObject | None:
    """The version with the bytes its record names; None without a record to believe."""
    if checked.outcome is not Outcome.OK or checked.record is None:
        return None
    claim = checked.record.claim
    if not isinstance(claim, LandingRecord):
        return None
    return HashedObject(claim.version, claim.sha256)
