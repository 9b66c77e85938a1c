"""Check a case: everything that its members claim, with nothing but the members and keys.

Nothing that is left out can be held against a case by what is in it alone. So what belongs into
one is known: the object's bytes, its records and what the seal holds in their places, a proof of
each, the log files that tell who wrote it, and the deployment that all of that has to be of. What
is missing is a gap (`custody.core.case.gaps`).

Whoever made the case may have made the keys in it, too. So check it with keys from elsewhere, or
compare these with them before you believe the result.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

from custody.core.case.gaps import FoundGap, Gap
from custody.core.case.key_ring import KeyRing
from custody.core.case.manifest import CASE_V1, CaseObject, Manifest
from custody.core.case.object_check import CheckedVersion, Outcome, check_version
from custody.core.case.pins import Pins
from custody.core.case.seal_check import CaseSealCheck
from custody.core.case.sealing import KeptRecord
from custody.core.case.trail_check import check_trail
from custody.core.ledger.versions import VersionName, name_in, writes_by_version
from custody.core.lineage.model import HashedObject
from custody.core.lineage.tracing import TracedRun, is_made, trace
from custody.core.records.checking import ReadEnvelope, read_envelope, signer_of
from custody.core.records.model import HashedVersion, LandingRecord
from custody.core.seal.layout import log_origin
from custody.core.tlog.checkpoint import Checkpoint
from custody.core.trail.events import TrailEvent, merge
from custody.objects import UNVERSIONED, ObjectVersion

_AT_LAST: Final = datetime.max.replace(tzinfo=UTC)
"""Stands for when an envelope was stored, which a case does not say: not before its write."""

ReadMember = Callable[[str], bytes]


@dataclass(frozen=True)
class CaseReport:
    """What the case shows. `objects` begins with the one it is about; `traced` is where that
    comes from, if a run made it; `checkpoints` are the states of the seal it is proven by;
    `unsealed` the records and statements without a proof. Any of `findings` makes it bad, and any
    of `gaps` that is not waived."""

    objects: tuple[CheckedVersion, ...]
    traced: TracedRun | None
    checkpoints: tuple[Checkpoint, ...]
    unsealed: tuple[str, ...]
    findings: tuple[str, ...]
    gaps: tuple[FoundGap, ...]


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
    bytes. `keys` are those to trust, and the deployment that they are of. Never raises for what is
    in a member.
    """
    findings = _Findings()
    seal = CaseSealCheck(
        manifest.seal,
        read,
        origin=log_origin(manifest.provenance_bucket),
        keys=keys.seal,
        found=findings.add,
    )
    writes: list[TrailEvent] = []
    if manifest.trail is not None:
        names = {(item.version.bucket, item.version.key) for item in manifest.objects}
        writes = check_trail(
            manifest.trail, read, keys.cloudtrail, keys.deployment, names, findings.add
        )
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
        raw = read(filed.member)
        seal.check_proof(filed, raw)
        for trouble in seal.troubles([KeptRecord.of(filed.key, raw, None)]):
            findings.add(filed.member, trouble)
    seal.check_states()
    if keys.deployment is not None:
        _check_buckets(manifest, keys.deployment, findings)
    traced = _trace(objects, manifest, read, keys, findings)
    return CaseReport(
        objects,
        traced,
        tuple(seal.checkpoints),
        tuple(seal.unsealed),
        tuple(findings.texts),
        (*_gaps(manifest, keys), *seal.gaps),
    )


def _gaps(manifest: Manifest, keys: KeyRing) -> list[FoundGap]:
    """What of the case is missing, beside what of the seal is."""
    found = []
    if keys.deployment is None:
        what = "the keys do not say of which deployment the evidence has to be"
        found.append(FoundGap(Gap.DEPLOYMENT, what))
    if manifest.trail is None:
        found.append(FoundGap(Gap.TRAIL, "nothing of CloudTrail is in the case"))
    if manifest.objects[0].content is None:
        found.append(FoundGap(Gap.BYTES, "the bytes of the object are not in the case"))
    return found


def _check_buckets(manifest: Manifest, pins: Pins, findings: _Findings) -> None:
    if manifest.provenance_bucket != pins.provenance_bucket:
        findings.add(manifest.provenance_bucket, "is not the deployment's bucket of records")
    for item in manifest.objects:
        if item.version.bucket not in pins.data_buckets:
            findings.add(item.version.uri, "is in no bucket of the deployment's data")


def _check_object(
    item: CaseObject,
    manifest: Manifest,
    read: ReadMember,
    keys: KeyRing,
    contents: Mapping[str, HashedVersion],
    events: Iterable[TrailEvent],
    seal: CaseSealCheck,
) -> CheckedVersion:
    envelopes, kept = [], []
    for filed in item.records:
        raw = read(filed.member)
        seal.check_proof(filed, raw)
        kept.append(KeptRecord.of(filed.key, raw, signer_of(raw, keys.records)))
        envelopes.append(
            read_envelope(
                raw,
                keys.records,
                stored=ObjectVersion(manifest.provenance_bucket, filed.key, UNVERSIONED),
                stored_at=_AT_LAST,
            )
        )
    return check_version(
        item.version,
        envelopes=envelopes,
        found=contents[item.content] if item.content is not None else None,
        writes=writes_of(item.version, envelopes, events),
        sealed=seal.troubles(kept),
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


def _trace(
    objects: tuple[CheckedVersion, ...],
    manifest: Manifest,
    read: ReadMember,
    keys: KeyRing,
    findings: _Findings,
) -> TracedRun | None:
    """Follow the lineage of the case from its object; all that it passes must be in the case, and
    nothing else.

    Versions that runs made on the way were not taken into cases of the first format.
    """
    subject = objects[0]
    if not is_made(subject.version.key):
        for filed in manifest.lineage:
            findings.add(filed.member, "lineage of something that no run made")
        _find_strangers(objects[1:], set(), findings)
        return None
    version = _as_input(subject)
    if version is None:
        return None  # which is a finding already
    members = {filed.key: filed.member for filed in manifest.lineage}
    looked_at = set()

    def find(key: str) -> bytes | None:
        looked_at.add(key)
        return read(members[key]) if key in members else None

    traced = trace(version, find, keys.lineage)
    runs = list(traced.walk())
    recorded = set(map(_as_input, objects))
    for trouble in (trouble for run in runs for trouble in run.troubles):
        findings.add("lineage", trouble)
    landed = {version for run in runs for version in run.landed}
    made = {version for run in runs[1:] for version in run.outputs}
    needed = landed if manifest.format == CASE_V1 else landed | made
    for missing in sorted(needed - recorded):
        findings.add("lineage", f"no good record of {missing} is in the case")
    for key in sorted(members.keys() - looked_at):
        findings.add(members[key], "lineage that has nothing to do with the object")
    _find_strangers(objects[1:], {each.version for each in landed | made}, findings)
    return traced


def _find_strangers(
    objects: Iterable[CheckedVersion], behind: Container[ObjectVersion], findings: _Findings
) -> None:
    for checked in objects:
        if checked.version not in behind:
            findings.add(checked.version.uri, "has nothing to do with the object of the case")


def _as_input(checked: CheckedVersion) -> HashedObject | None:
    """The version with the bytes its record names; None without a record to believe."""
    if checked.outcome is not Outcome.OK or checked.record is None:
        return None
    claim = checked.record.claim
    if not isinstance(claim, LandingRecord):
        return None
    return HashedObject(claim.version, claim.sha256)
