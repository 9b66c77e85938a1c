"""Everything that is known of one object version: what `trace` shows and `export` takes along."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from custody.aws.s3.listing import StoredVersion
from custody.cli.errors import CannotCheck
from custody.cli.output import Output
from custody.cli.reading.deployment import Deployment
from custody.cli.reading.locations import Location
from custody.cli.reading.lookup import Kept, Sought, TrailEvidence, records_of, search_trail
from custody.cli.reading.sources import named_versions
from custody.core.case.object_check import CheckedVersion, Outcome, check_version
from custody.core.formats.dsse import MAX_ENVELOPE_BYTES
from custody.core.lineage.model import HashedObject
from custody.core.lineage.tracing import TracedRun, is_made, trace
from custody.core.lineage.trust import Read
from custody.core.records.model import HashedVersion, LandingRecord
from custody.objects import ObjectVersion


@dataclass(frozen=True)
class Known:
    """An object version, what lies in the places of its record, and what that comes to."""

    stored: StoredVersion
    kept: list[Kept]
    checked: CheckedVersion


@dataclass(frozen=True)
class Gathered:
    """`subject` is what was asked for, `run` what made it, if a run did. `landed` are all
    versions behind it that no run made. `lineage` are the envelopes of the statements between, by
    object key; `evidence` is None if the trail was not looked at."""

    subject: Known
    run: TracedRun | None
    landed: dict[HashedObject, Known]
    lineage: dict[str, bytes]
    evidence: TrailEvidence | None

    @property
    def everything(self) -> Iterator[Known]:
        yield self.subject
        yield from self.landed.values()

    @property
    def well(self) -> bool:
        """Whether nothing is wrong, and every write is in the trail if that was looked at."""
        good = all(
            known.checked.outcome is Outcome.OK
            and (self.evidence is None or known.checked.write is not None)
            for known in self.everything
        )
        return good and not (self.run and any(run.troubles for run in self.run.walk()))


def gather(
    deployment: Deployment, stored: StoredVersion, output: Output, *, with_trail: bool
) -> Gathered:
    """Gather what is known about a stored version.

    Raises `CannotCheck` for an object of silver or gold whose bytes cannot be read: its lineage
    is about them.
    """
    found = deployment.source.hash(stored.version)
    subject = _kept(deployment, stored)
    run, lineage = None, dict[str, bytes]()
    if is_made(stored.version.key):
        if not isinstance(found, HashedVersion):
            raise CannotCheck(f"{stored.version.uri} cannot be traced: {found}")
        made = HashedObject(stored.version, found.sha256)
        run = trace(made, _reader(deployment, lineage), deployment.keys.lineage)
    inputs = {
        item: each.lineage.started_on
        for each in (run.walk() if run else ())
        if each.lineage is not None
        for item in each.landed
    }
    landed = {
        item: _kept(deployment, _stored(deployment, item.version, read_at))
        for item, read_at in output.progress(inputs.items(), lambda read: read[0].version.key)
    }
    evidence = _search(deployment, [subject, *landed.values()], output) if with_trail else None
    return Gathered(
        subject=_checked(subject, found, evidence),
        run=run,
        landed={
            item: _held_against(item, _checked(known, None, evidence))
            for item, known in landed.items()
        },
        lineage=lineage,
        evidence=evidence,
    )


def _reader(deployment: Deployment, seen: dict[str, bytes]) -> Read:
    """Reads statements and keeps what was read."""

    def read(key: str) -> bytes | None:
        raw = deployment.source.read(
            deployment.provenance_bucket, key, max_bytes=MAX_ENVELOPE_BYTES
        )
        if raw is not None:
            seen[key] = raw
        return raw

    return read


def _stored(deployment: Deployment, version: ObjectVersion, read_at: datetime) -> StoredVersion:
    """A version that landed, as it is stored; one that is no longer is looked for in the records of
    the week before a run read it."""
    try:
        return next(
            named_versions(
                deployment.source, Location(version.bucket, version.key), version.version_id
            )
        )
    except CannotCheck:
        about = read_at - timedelta(days=7)
        return StoredVersion(version, about)


@dataclass(frozen=True)
class _Kept:
    stored: StoredVersion
    kept: list[Kept]


def _kept(deployment: Deployment, stored: StoredVersion) -> _Kept:
    keys = deployment.keys.records
    return _Kept(stored, records_of(deployment.source, deployment.provenance_bucket, stored, keys))


def _search(deployment: Deployment, versions: list[_Kept], output: Output) -> TrailEvidence:
    sought = []
    for each in versions:
        times = {k.envelope.claim.event.time for k in each.kept if k.envelope.claim}
        times = times or {each.stored.last_modified}
        sought += [
            Sought(each.stored.version.bucket, each.stored.version.key, at) for at in sorted(times)
        ]
    return search_trail(
        deployment.source.trail(deployment.layout.bucket),
        deployment.layout,
        deployment.digest_keys(deployment.layout.region),
        sought,
        within=2 * deployment.pace.cadence + timedelta(hours=1),
        watch=lambda names: output.progress(names, lambda name: name.key),
    )


def _checked(
    each: _Kept, found: HashedVersion | str | None, evidence: TrailEvidence | None
) -> Known:
    envelopes = [kept.envelope for kept in each.kept]
    checked = check_version(
        each.stored.version,
        envelopes=envelopes,
        found=found,
        writes=evidence.writes_of(each.stored.version, envelopes) if evidence else (),
    )
    return Known(each.stored, each.kept, checked)


def _held_against(item: HashedObject, known: Known) -> Known:
    """What was found about a version, and whether a run read what its record says."""
    claim = known.checked.record.claim if known.checked.record else None
    if (
        known.checked.outcome is not Outcome.OK
        or not isinstance(claim, LandingRecord)
        or claim.sha256 == item.sha256
    ):
        return known
    reason = f"A run read bytes that hash to {item.sha256}; the record says {claim.sha256}."
    return replace(known, checked=replace(known.checked, outcome=Outcome.ALTERED, reason=reason))
