"""The life of one object version, as a line of moments: what happened to it, who says so, and what
proves it."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

from custody.core.case.object_check import CheckedVersion, Outcome
from custody.core.console.objects.asked import Place
from custody.core.console.objects.onward import Onward
from custody.core.console.overview import Overview
from custody.core.console.standing import Standing
from custody.core.formats.timestamps import parse_utc
from custody.core.lineage.tracing import TracedRun
from custody.core.publications.model import Publication
from custody.core.records.model import LandingRecord
from custody.core.runs.model import JudgingRun
from custody.objects import ObjectVersion


class Kind(StrEnum):
    """What happened."""

    MADE = "made"
    WRITTEN = "written"
    LOGGED = "logged"
    RECORDED = "recorded"
    SEALED = "sealed"
    JUDGED = "judged"
    FOUND = "finding"
    AUDITED = "audited"
    READ = "read"
    PUBLISHED = "published"
    REPLACED = "replaced"
    REMOVED = "removed"


@dataclass(frozen=True, slots=True)
class StoredThen:
    """A version, or a delete marker, as S3 lists it: since when, and how large."""

    version_id: str
    at: datetime
    size: int
    is_latest: bool
    is_delete_marker: bool


@dataclass(frozen=True, slots=True)
class Moment:
    """One thing that happened, in a sentence; `finding` is the fingerprint of what it is about.

    Without `is_dated` nobody says when: `at` is only where it stands among the others.
    """

    at: datetime
    kind: Kind
    text: str
    finding: str | None = None
    is_dated: bool = True


@dataclass(frozen=True, slots=True)
class Entry:
    """The entry of the seal's log that holds a record, of how many there are."""

    index: int
    size: int


@dataclass(frozen=True, slots=True)
class Life:
    """What is known of one version of an object.

    `stored` is what S3 has of it, `later` what came to the object next; `versions` are all that S3
    has of the object, the latest first, and more than these if `is_cut`. `entry` is where the seal
    has its record. `back` is the run that made it, if one did, `onward` are the runs that read it,
    `publications` show what these made; `unread` says what of the day's lineage is not in that.
    `judge` judged the hour of its write last, `audit` is the last audit.
    """

    place: Place
    version: ObjectVersion
    stored: StoredThen | None
    later: StoredThen | None
    versions: Sequence[StoredThen]
    is_cut: bool
    checked: CheckedVersion
    entry: Entry | None
    back: TracedRun | None
    onward: Sequence[Onward]
    publications: Sequence[Publication]
    unread: str
    findings: Sequence[Standing]
    judge: JudgingRun | None
    audit: JudgingRun | None

    @property
    def is_well(self) -> bool:
        """Whether its record is believed, sealed or young, and nothing about it stands."""
        return self.checked.outcome is Outcome.OK and not any(e.is_open for e in self.findings)

    @property
    def moments(self) -> list[Moment]:
        """All that happened to it, in order of time."""
        found = [
            *_written(self),
            *_made(self.back),
            *_judged(self),
            *(_found(each) for each in self.findings),
            *(_read(each, each in self.onward) for run in self.onward for each in run.walk()),
            *(moment for each in self.publications for moment in _published(each)),
            *_ended(self.later),
        ]
        order = list(Kind)
        return sorted(found, key=lambda each: (each.at, order.index(each.kind)))


def findings_about(
    overview: Overview, version: ObjectVersion, others: Collection[str]
) -> list[Standing]:
    """What the runs found about a version: whatever names its object, and not one of the `others`,
    the versions of it that hold bytes."""
    own = (version.bucket, version.key)
    return [
        each
        for each in overview.findings.values()
        if (each.finding.bucket, each.finding.object_key) == own
        and each.finding.version_id not in others
    ]


def judge_of(overview: Overview, written: datetime) -> JudgingRun | None:
    """The run that judged the hour of a write last; None if none did in these days."""
    hour = written.astimezone(UTC)
    return overview.judges.get((f"{hour:%Y-%m-%d}", f"{hour:%H}"))


def _written(life: Life) -> Iterator[Moment]:
    record, entry, stored = life.checked.record, life.entry, life.stored
    write = life.checked.write
    if write is not None:
        text = (
            f"by {write.who.arn} from {write.source_ip}, says CloudTrail (event {write.event_id})"
        )
        yield Moment(write.time, Kind.LOGGED, text)
    if stored is not None:
        yield Moment(stored.at, Kind.WRITTEN, f"S3 has {stored.size} bytes of it since then")
    if record is None:
        return
    claim = record.claim
    event = claim.event
    who = f"by {event.principal_id} from {event.source_ip} with {event.name}"
    yield Moment(event.time, Kind.WRITTEN, f"{who}, S3 told the recorder")
    if isinstance(claim, LandingRecord):
        said = f"{claim.size_bytes} bytes with SHA-256 {claim.sha256}"
    else:
        said = f"that nobody can read it: {claim.reason.value}"
    yield Moment(claim.made_at, Kind.RECORDED, f"{said}, signed with {record.key_id}")
    if entry is not None:
        text = f"its record is entry {entry.index} of the {entry.size} of the log"
        yield Moment(claim.made_at, Kind.SEALED, text, is_dated=False)


def _made(back: TracedRun | None) -> Iterator[Moment]:
    if back is not None and back.lineage is not None:
        made = back.lineage
        yield Moment(
            made.finished_on, Kind.MADE, f"by run {made.run.id} of {made.builder_id}, it states"
        )


def _judged(life: Life) -> Iterator[Moment]:
    judge, audit = life.judge, life.audit
    if judge is not None:
        of_it = [each.finding.verdict for each in life.findings if each.last == judge]
        came = ", ".join(of_it) or "nothing wrong with it"
        text = f"run {judge.id} held its hour against CloudTrail's log, and found {came}"
        yield Moment(judge.as_of, Kind.JUDGED, text)
    written = life.stored.at if life.stored else None
    if audit is not None and written is not None and audit.as_of > written:
        text = f"the last audit, {audit.id}, looked at all that stands"
        yield Moment(audit.as_of, Kind.AUDITED, text)


def _found(each: Standing) -> Moment:
    row = each.finding
    who = f" by {row.principal_arn}" if row.principal_arn and not row.is_claimed else ""
    return Moment(
        row.event_time, Kind.FOUND, f"{row.verdict}{who}: {row.verdict_reason}", row.fingerprint
    )


def _read(each: Onward, itself: bool) -> Moment:
    run, count = each.lineage, len(each.lineage.outputs)
    by = f"by run {run.run.id} of {run.builder_id}, which wrote {count} files"
    return Moment(run.started_on, Kind.READ, by if itself else f"what was made of it, {by}")


def _published(each: Publication) -> Iterator[Moment]:
    with suppress(ValueError):  # only Airflow's word says when
        at = parse_utc(each.published_at)
        yield Moment(at, Kind.PUBLISHED, f"in number {each.number} of {each.dataset}, {each.dt}")


def _ended(later: StoredThen | None) -> Iterator[Moment]:
    if later is not None and later.is_delete_marker:
        yield Moment(later.at, Kind.REMOVED, f"hidden by delete marker {later.version_id}")
    elif later is not None:
        yield Moment(later.at, Kind.REPLACED, f"by version {later.version_id}")
