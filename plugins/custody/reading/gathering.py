"""Everything that is known of one object version: what `trace` shows and `export` takes along."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Protocol, TypeVar

from custody.aws.s3.listing import StoredVersion
from custody.core.case.gaps import FoundGap, Gap
from custody.core.case.object_check import CheckedVersion, Outcome, check_version
from custody.core.case.sealing import KeptRecord
from custody.core.formats.dsse import MAX_ENVELOPE_BYTES
from custody.core.lineage.model import HashedObject
from custody.core.lineage.tracing import TracedRun, is_made, trace
from custody.core.lineage.trust import Read
from custody.core.records.model import HashedVersion, LandingRecord
from custody.reading.deployment import Deployment
from custody.reading.errors import CannotCheck
from custody.reading.locations import Location
from custody.reading.lookup import (
    Kept,
    Sought,
    TrailEvidence,
    records_of,
    seal_troubles,
    search_trail,
)
from custody.reading.sources import named_versions

T = TypeVar("T")


class Watch(Protocol):
    """Sees what is gathered pass."""

    def progress(self, items: Iterable[T], what: Callable[[T], str]) -> Iterator[T]:
        """The items, each of which `what` names."""
        ...


class Unwatched:
    """Nobody looks."""

    def progress(self, items: Iterable[T], what: Callable[[T], str]) -> Iterator[T]:  # noqa: ARG002
        """The items."""
        return iter(items)


@dataclass(frozen=True)
class Known:
    """An object version, what lies in the places of its record, and what that comes to."""

    stored: StoredVersion
    kept: list[Kept]
    checked: CheckedVersion


@dataclass(frozen=True)
class Gathered:
    """`subject` is what was asked for, `run` what made it, if a run did. `landed` are all
    versions behind it that no run made, `made` those between. `lineage` are the envelopes of the
    statements between, by object key; `troubles` what does not agree between these and the seal;
    `evidence` is None if the trail was not looked at."""

    subject: Known
    run: TracedRun | None
    landed: dict[HashedObject, Known]
    made: dict[HashedObject, Known]
    lineage: dict[str, bytes]
    troubles: list[str]
    evidence: TrailEvidence | None

    @property
    def everything(self) -> Iterator[Known]:
        yield self.subject
        yield from self.landed.values()
        yield from self.made.values()

    @property
    def gaps(self) -> list[FoundGap]:
        """What could not be compared."""
        gone = [known for known in self.everything if known.checked.found is None]
        what = f"the bytes of {len(gone)} versions behind it are not stored any more, or not here"
        return [FoundGap(Gap.BYTES, what)] if gone else []

    @property
    def well(self) -> bool:
        """Whether nothing is wrong, and every write is in the trail if that was looked at."""
        return not any(True for _ in self.findings)

    @property
    def findings(self) -> Iterator[str]:
        """What is wrong, each in a sentence that names the object or run."""
        for known in self.everything:
            where = f"{known.stored.version.uri} version {known.stored.version.version_id}"
            if known.checked.outcome is not Outcome.OK:
                yield f"{where}: {known.checked.outcome}: {known.checked.reason}"
            elif self.evidence is not None and known.checked.write is None:
                yield f"{where}: CloudTrail shows no event of this write"
        for run in self.run.walk() if self.run else ():
            yield from (f"run {run.run.id} of {run.run.dt}: {trouble}" for trouble in run.troubles)
        yield from self.troubles


def gather(
    deployment: Deployment,
    stored: StoredVersion,
    watch: Watch,
    *,
    with_trail: bool,
    most: int | None = None,
) -> Gathered:
    """Gather what is known about a stored version.

    Raises `CannotCheck` for an object of silver or gold of which nothing says what its bytes hash
    to, as its lineage is about them, and if more than `most` versions are behind it.
    """
    found = deployment.source.hash(stored.version)
    subject = _kept(deployment, stored)
    run, lineage = None, dict[str, bytes]()
    if is_made(stored.version.key):
        made = HashedObject(stored.version, _sha256(subject, found))
        run = trace(made, _reader(deployment, lineage), deployment.keys.lineage)
    read_at = {
        item: each.lineage.started_on
        for each in (run.walk() if run else ())
        if each.lineage is not None
        for item in each.lineage.inputs
    }
    if most is not None and len(read_at) > most:
        raise CannotCheck(
            f"{len(read_at)} versions are behind {stored.version.uri}, of which {most} at most are "
            "gathered here; custody export has no limit"
        )
    behind = {
        item: _behind(deployment, item, at)
        for item, at in watch.progress(read_at.items(), lambda read: read[0].version.key)
    }
    versions = [subject, *(kept for kept, _ in behind.values())]
    evidence = _search(deployment, versions, watch) if with_trail else None
    known = {
        item: _held_against(item, _checked(deployment, kept, found, evidence))
        for item, (kept, found) in behind.items()
    }
    return Gathered(
        subject=_checked(deployment, subject, found, evidence),
        run=run,
        landed={item: each for item, each in known.items() if not is_made(item.version.key)},
        made={item: each for item, each in known.items() if is_made(item.version.key)},
        lineage=lineage,
        troubles=[
            trouble
            for key, raw in lineage.items()
            for trouble in deployment.sealed.troubles([key], [KeptRecord.of(key, raw, None)])
        ],
        evidence=evidence,
    )


def known_of(deployment: Deployment, stored: StoredVersion) -> Known:
    """What is known of one version by its records and the seal alone; its bytes are not read."""
    return _checked(deployment, _kept(deployment, stored), None, None)


def _sha256(subject: _Kept, found: HashedVersion | str | None) -> str:
    """What the bytes of a version hash to: as they were read or, if they were not asked for, as the
    one record of it says. Raises `CannotCheck`."""
    if isinstance(found, HashedVersion):
        return found.sha256
    claims = [kept.envelope.claim for kept in subject.kept if kept.envelope.trouble is None]
    said = {claim.sha256 for claim in claims if isinstance(claim, LandingRecord)}
    if found is None and len(said) == 1:
        return said.pop()
    why = found or f"{len(said)} records say what its bytes are"
    raise CannotCheck(f"{subject.stored.version.uri} cannot be traced: {why}")


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


@dataclass(frozen=True)
class _Kept:
    """A version and what is kept about it; `dated` is S3's date of it, None if it is not stored."""

    stored: StoredVersion
    kept: list[Kept]
    dated: datetime | None


def _behind(
    deployment: Deployment, item: HashedObject, read_at: datetime
) -> tuple[_Kept, HashedVersion | str | None]:
    """A version that a run read, and what its bytes are now, None if it is not stored any more.

    Of such a one, the records of the week before it was read are looked through.
    """
    version = item.version
    location = Location(version.bucket, version.key)
    try:
        stored = next(named_versions(deployment.source, location, version.version_id))
    except CannotCheck:
        gone = _kept(deployment, StoredVersion(version, read_at - timedelta(days=7)))
        return replace(gone, dated=None), None
    return _kept(deployment, stored), deployment.source.hash(version)


def _kept(deployment: Deployment, stored: StoredVersion) -> _Kept:
    keys = deployment.keys.records
    kept = records_of(deployment.source, deployment.provenance_bucket, stored, keys)
    return _Kept(stored, kept, stored.last_modified)


def _search(deployment: Deployment, versions: list[_Kept], watch: Watch) -> TrailEvidence:
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
        watch=lambda names: watch.progress(names, lambda name: name.key),
    )


def _checked(
    deployment: Deployment,
    each: _Kept,
    found: HashedVersion | str | None,
    evidence: TrailEvidence | None,
) -> Known:
    envelopes = [kept.envelope for kept in each.kept]
    checked = check_version(
        each.stored.version,
        envelopes=envelopes,
        found=found,
        writes=evidence.writes_of(each.stored.version, envelopes) if evidence else (),
        sealed=seal_troubles(deployment.sealed, each.stored, each.kept, deployment.keys.records),
        dated=each.dated,
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
