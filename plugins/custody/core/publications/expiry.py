"""Runs that no publication shows any more: which of them expire, and by what their removal is
explained.

Two roles do it, in two steps. Who judges signs that a run expires, and removes nothing
(`custody.core.publications.expiry_statement`); who removes signs nothing, and removes what has been
signed `OBJECTION` ago. No run is published of which that is signed, and publishing takes minutes:
so whoever removes sees every publication that was made before, and the visible run stays.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from custody.core.datasets.table_names import table_in
from custody.core.lineage.model import Lineage, Run, run_of
from custody.core.publications.model import Publication, Shown, folder_of, place_of
from custody.objects import ObjectVersion

EXPIRY_PREFIX: Final = "provenance/expiry/"

SHORTEST: Final = timedelta(days=7)
"""No run expires sooner: people have to see that a day is bad, and what to show instead."""

LONGEST: Final = timedelta(days=36_500)
"""What is longer reaches back to before there were days."""

OBJECTION: Final = timedelta(hours=12)
"""How long what was signed lies before anything is removed: by far longer than publishing takes."""

FRESH: Final = timedelta(days=1)
"""How long whoever judges holds a statement against the retention that is deployed: until the next
audit has read it, and before that job removes anything. An older one was held against what was
deployed then."""

AREAS: Final[Mapping[str, tuple[str, ...]]] = {
    "silver": ("files/", "quarantine/", "silver/"),
    "gold": ("gold/",),
}
"""What the keys of a run begin with, by layer. What was found of its quality stays."""


@dataclass(frozen=True, slots=True)
class PublicationAtRest:
    """A publication as it lies: `since` when, and `until` another one of the day took its place,
    which is None of the one that counts, and of one that somebody has hidden (not `is_current`)."""

    publication: Publication
    since: datetime
    until: datetime | None
    is_current: bool

    def shows_since(self, locations: Iterable[str], then: datetime) -> bool:
        """Whether it has shown any of the locations at any time since then."""
        shown = {each.location for each in self.publication.shown}
        return not shown.isdisjoint(locations) and (self.until is None or self.until > then)

    @property
    def counts(self) -> bool:
        """Whether its dataset's day is shown as it says."""
        return self.is_current and self.until is None


@dataclass(frozen=True, slots=True)
class Objection:
    """Why a run must not be removed, and `since` when: what was removed before stays explained."""

    why: str
    since: datetime

    def __str__(self) -> str:
        return self.why


@dataclass(frozen=True, slots=True)
class DayAtRest:
    """What lies of the publications of a day, those of every dataset: any of them may show any run
    of the day. `objections` are to all of these: of what was published, something is not known."""

    publications: tuple[PublicationAtRest, ...]
    objections: tuple[Objection, ...] = ()


@dataclass(frozen=True, slots=True)
class RunAtRest:
    """What lies of a run: at which `locations` (`s3://…/dt=<day>/run=<id>/`), `written_at` when the
    last of it, and the SHA-256 of the `listing` of its versions."""

    run: Run
    locations: tuple[str, ...]
    written_at: datetime
    listing: str


@dataclass(frozen=True, slots=True)
class Expiry:
    """That a run of a dataset expires: as it lay at `stated_at` (aware), no publication having
    shown it for `retention`. `instead` is the key of the dataset's publication that shows another
    run in its place.

    Raises `ValueError` for one that cannot be meant.
    """

    run: Run
    dataset: str
    locations: tuple[str, ...]
    listing: str
    instead: str
    stated_at: datetime
    retention: timedelta

    def __post_init__(self) -> None:
        if self.retention < SHORTEST:
            raise ValueError(f"no run expires within {SHORTEST.days} days")
        if self.retention > LONGEST:
            raise ValueError(f"no run is kept for more than {LONGEST.days} days")
        if not self.locations or any(_run_at(each) != self.run for each in self.locations):
            raise ValueError(f"these are not the locations of run {self.run.id}")
        place = place_of(self.instead)
        if place is None or place[:2] != (self.dataset, self.run.dt):
            raise ValueError(
                f"{self.instead[:200]} is no publication of {self.dataset[:200]}, {self.run.dt}"
            )

    @property
    def key(self) -> str:
        """Where it lies in the provenance bucket."""
        return expiry_key(self.run)

    @property
    def written_before(self) -> datetime:
        """When the last of the run must have been written, and shown."""
        return self.stated_at - self.retention


@dataclass(frozen=True, slots=True)
class Removable:
    """A run that may be removed `since` then, `until` a publication objects (None: none does), and
    stays removed."""

    expiry: Expiry
    since: datetime
    until: datetime | None = None

    def explains(self, bucket: str, key: str, at: datetime) -> bool:
        """Whether an object of it may have been removed then."""
        was_due = self.since <= at and (self.until is None or at < self.until)
        return was_due and f"s3://{bucket}/{key}".startswith(self.expiry.locations)


def expiry_key(run: Run) -> str:
    """Where it is stated that a run expires."""
    return f"{EXPIRY_PREFIX}dt={run.dt}/{run.id}.json"


def is_of_a_run(layer: str, key: str) -> bool:
    """Whether what lies under a key of a layer can expire."""
    return key.startswith(AREAS.get(layer, ())) and run_of(key) is not None


def publications_at_rest(
    stored: Iterable[tuple[Publication, datetime, bool]],
) -> tuple[PublicationAtRest, ...]:
    """The publications of a day out of each with when it was stored and whether its key leads to
    it."""
    found, ends = [], dict[str, datetime]()
    by_number = sorted(stored, key=lambda one: (one[0].number, one[1]), reverse=True)
    for publication, since, is_current in by_number:
        until = ends.get(publication.dataset) if is_current else None
        found.append(PublicationAtRest(publication, since, until, is_current))
        if is_current:
            ends[publication.dataset] = since
    return tuple(reversed(found))


def lost_publications(stored: Iterable[tuple[str, bool, datetime]]) -> tuple[Objection, ...]:
    """The objection for each dataset's first publication of a day of which no version is left, by
    the keys that lie there, each with whether it is a delete marker's, and when it was stored.

    They are numbered without a gap: that one is lost shows since what comes after it lies there.
    """
    held: dict[str, set[int]] = {}
    lying: dict[str, list[tuple[int, datetime]]] = {}
    for key, is_marker, at in stored:
        if (place := place_of(key)) is None:
            continue
        folder, number = folder_of(*place[:2]), place[2]
        held.setdefault(folder, set()).update(() if is_marker else (number,))
        lying.setdefault(folder, []).append((number, at))
    found = []
    for folder, numbers in held.items():
        last = max(number for number, _ in lying[folder])
        first = next((n for n in range(1, last + 1) if n not in numbers), None)
        if first is not None:
            why = f"{folder}{first:06}.json was removed, and nobody knows what it showed"
            found.append(Objection(why, min(at for n, at in lying[folder] if n >= first)))
    return tuple(found)


def runs_at_rest(held: Iterable[tuple[ObjectVersion, datetime]]) -> list[RunAtRest]:
    """The runs that these versions are of, each of which can expire; with when it was stored."""
    runs: dict[Run, list[tuple[ObjectVersion, datetime]]] = {}
    for version, stored_at in held:
        run = run_of(version.key)
        if run is not None:
            runs.setdefault(run, []).append((version, stored_at))
    return [
        RunAtRest(
            run,
            tuple(sorted({_location(version) for version, _ in some})),
            max(stored_at for _, stored_at in some),
            _listing(version for version, _ in some),
        )
        for run, some in runs.items()
    ]


def by_location(versions: Iterable[ObjectVersion]) -> dict[str, set[ObjectVersion]]:
    """Versions of runs, by where the run lies that each is of."""
    found: dict[str, set[ObjectVersion]] = {}
    for version in versions:
        found.setdefault(_location(version), set()).add(version)
    return found


def may_expire(
    lying: Iterable[tuple[ObjectVersion, datetime]],
    before: datetime,
    stated: Collection[str],
    missing: Iterable[ObjectVersion],
) -> list[RunAtRest]:
    """The runs of what is `lying` there, each version with when it was stored, of which is to be
    asked whether they expire: the last of them was written `before`, others lie beside them, and of
    none is that `stated` (by the keys of what is).

    None of a day of which a publication is on record, and `missing`: it may have shown any.
    """
    lost = {place[1] for version in missing if (place := place_of(version.key)) is not None}
    return [
        run
        for run in not_alone(runs_at_rest(lying))
        if run.written_at <= before and expiry_key(run.run) not in stated and run.run.dt not in lost
    ]


def not_alone(runs: Sequence[RunAtRest]) -> list[RunAtRest]:
    """Those beside which others lie: where a run lies alone, it is what is shown."""
    together: dict[str, int] = {}
    for run in runs:
        for location in run.locations:
            together[_day_of(location)] = together.get(_day_of(location), 0) + 1
    return [
        run for run in runs if any(together[_day_of(location)] > 1 for location in run.locations)
    ]


def as_signed(
    publication: Publication,
    lineage: Callable[[Run], Lineage | None],
    lying: Mapping[str, Collection[ObjectVersion]],
) -> Publication:
    """A publication with those tables alone of which what it shows is what a run signed to have
    built of its dataset; by the runs' `lineage` that is to be believed, and what is `lying` at each
    location (`by_location`).

    Whoever may publish may name any dataset, and any run: of one of which nothing lies there, no
    lineage is asked for.
    """

    def is_signed(location: str) -> bool:
        run, there = _run_at(location), lying.get(location, ())
        stated = lineage(run) if run is not None and there else None
        if stated is None or stated.parameters.get("dataset") != publication.dataset:
            return False
        built = [item.version for item in stated.outputs if item.version.uri.startswith(location)]
        return bool(built) and all(version in there for version in built)

    shown = tuple(table for table in publication.shown if is_signed(table.location))
    return replace(publication, shown=shown)


def expiry_of(
    lying: RunAtRest,
    day: DayAtRest,
    at: datetime,
    retention: timedelta,
    signed: Callable[[Publication], Publication],
) -> Expiry | None:
    """That a run expires, by the publications of its `day`; None if it stays. `signed` leaves of
    one what may be believed (`as_signed`): by what else it shows, nothing expires."""
    if lying.written_at > at - retention:
        return None
    for one in day.publications:
        of = one.publication
        if one.counts and _shows_others(of, lying.locations):
            expiry = Expiry(
                lying.run, of.dataset, lying.locations, lying.listing, of.key, at, retention
            )
            if objection(expiry, day) is None and _shows_others(signed(of), lying.locations):
                return expiry
    return None


def objection(expiry: Expiry, day: DayAtRest, retention: timedelta = SHORTEST) -> Objection | None:
    """Why a run must not be removed, whoever has signed that it expires, by the publications of its
    `day` and the `retention` that is deployed; None if it may. Of several reasons, the one that has
    held for longest.

    None may have shown it since the retention before, up to now. What somebody has hidden of
    them counts as if it did still, and where one is lost, nobody knows what it showed: so nobody
    has a run removed by removing a publication, but the last one of a day for good, which the
    records tell of (`may_expire`).
    """
    found = [
        replace(one, since=max(one.since, expiry.stated_at))
        for one in _objections(expiry, day, retention)
    ]
    return min(found, key=lambda one: one.since, default=None)


def _objections(expiry: Expiry, day: DayAtRest, retention: timedelta) -> Iterator[Objection]:
    run, stated_at = expiry.run.id, expiry.stated_at
    if expiry.retention < retention:
        why = f"it keeps run {run} for {expiry.retention.days} days, not {retention.days}"
        yield Objection(why, stated_at)
    yield from day.objections
    for one in day.publications:
        if one.shows_since(expiry.locations, expiry.written_before):
            why = f"{one.publication.key} shows run {run}, or did in the retention"
            yield Objection(why, one.since)
    instead = [
        one.publication
        for one in day.publications
        if one.publication.key == expiry.instead and one.since <= stated_at
    ]
    if not any(_shows_others(one, expiry.locations) for one in instead):
        why = f"{expiry.instead} shows no other run in the place of run {run}"
        yield Objection(why, stated_at)


def _shows_others(publication: Publication, locations: Iterable[str]) -> bool:
    """Whether it shows another run in the place of each of the locations, and readers follow."""
    shown = {each.location for each in publication.shown}
    days = {_day_of(each.location) for each in publication.shown if _is_followed(each)}
    return all(_day_of(each) in days and each not in shown for each in locations)


def _is_followed(shown: Shown) -> bool:
    """Whether a partition moves there: by any other name readers stay with the run before."""
    run, folder = _run_at(shown.location), shown.location.split("/", 3)[-1].partition("/dt=")[0]
    return run is not None and run.id == shown.run and table_in(folder) == shown.table_name


def _location(version: ObjectVersion) -> str:
    """Where the run lies that a version is of."""
    return "/".join(version.uri.split("/")[:7]) + "/"


def _day_of(location: str) -> str:
    """Where the day of a table lies that a location is of."""
    return location.removesuffix("/").rpartition("/")[0]


def _run_at(location: str) -> Run | None:
    key = location.removeprefix("s3://").partition("/")[2]
    return run_of(key) if key.count("/") == 4 else None


def _listing(versions: Iterable[ObjectVersion]) -> str:
    """The SHA-256 of the URIs and version ids, a line each, in order."""
    lines = sorted(f"{version.uri}\t{version.version_id}\n" for version in versions)
    return hashlib.sha256("".join(lines).encode()).hexdigest()
