"""Runs that no publication shows any more: which of them expire, and by what their removal is
explained.

Two roles do it, in two steps. Who judges signs that a run expires, and removes nothing
(`custody.core.publications.expiry_statement`); who removes signs nothing, and removes what has been
signed `OBJECTION` ago. No run is published of which that is signed, and publishing takes minutes:
so whoever removes sees every publication that was made before, and the visible run stays.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from custody.core.lineage.model import Run, run_of
from custody.core.publications.model import Publication, place_of
from custody.objects import ObjectVersion

EXPIRY_PREFIX: Final = "provenance/expiry/"

SHORTEST: Final = timedelta(days=7)
"""No run expires sooner: people have to see that a day is bad, and what to show instead."""

OBJECTION: Final = timedelta(hours=12)
"""How long what was signed lies before anything is removed: by far longer than publishing takes."""

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

    def shows_others(self, locations: Iterable[str]) -> bool:
        """Whether it shows another run in the place of each of the locations."""
        shown = {each.location for each in self.publication.shown}
        days = {_day_of(location) for location in shown}
        return all(_day_of(each) in days and each not in shown for each in locations)


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
    """That a run expires: as it lay at `stated_at` (aware), no publication having shown it for
    `retention`. `instead` is the key of the publication that shows another run in its place.

    Raises `ValueError` for one that cannot be meant.
    """

    run: Run
    locations: tuple[str, ...]
    listing: str
    instead: str
    stated_at: datetime
    retention: timedelta

    def __post_init__(self) -> None:
        if self.retention < SHORTEST:
            raise ValueError(f"no run expires within {SHORTEST.days} days")
        if not self.locations or any(_run_at(each) != self.run for each in self.locations):
            raise ValueError(f"these are not the locations of run {self.run.id}")
        place = place_of(self.instead)
        if place is None or place[1] != self.run.dt:
            raise ValueError(f"{self.instead[:200]} is no publication of {self.run.dt}")

    @property
    def key(self) -> str:
        """Where it lies in the provenance bucket."""
        return expiry_key(self.run)

    @property
    def written_before(self) -> datetime:
        """When the last of the run must have been written, and shown."""
        return self.stated_at - self.retention

    @property
    def dataset(self) -> str:
        """The dataset that the run is of."""
        return self.instead.split("/")[1]


@dataclass(frozen=True, slots=True)
class Removable:
    """A run that may be removed `since` then, and stays removed."""

    expiry: Expiry
    since: datetime

    def explains(self, bucket: str, key: str, at: datetime) -> bool:
        """Whether an object of it may have been removed then."""
        return at >= self.since and f"s3://{bucket}/{key}".startswith(self.expiry.locations)


def expiry_key(run: Run) -> str:
    """Where it is stated that a run expires."""
    return f"{EXPIRY_PREFIX}dt={run.dt}/{run.id}.json"


def is_of_a_run(layer: str, key: str) -> bool:
    """Whether what lies under a key of a layer can expire."""
    return key.startswith(AREAS.get(layer, ())) and run_of(key) is not None


def publications_at_rest(
    stored: Iterable[tuple[Publication, datetime, bool]],
) -> list[PublicationAtRest]:
    """The publications of a day out of each with when it was stored and whether its key leads to
    it."""
    found = sorted(stored, key=lambda one: (one[0].number, one[1]))
    current = [since for _, since, is_current in found if is_current]
    ends: list[datetime | None] = [*current[1:], None]
    return [
        PublicationAtRest(publication, since, ends.pop(0) if is_current else None, is_current)
        for publication, since, is_current in found
    ]


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


def not_alone(runs: Sequence[RunAtRest]) -> list[RunAtRest]:
    """Those beside which others lie: where a run lies alone, it is what is shown."""
    together: dict[str, int] = {}
    for run in runs:
        for location in run.locations:
            together[_day_of(location)] = together.get(_day_of(location), 0) + 1
    return [
        run for run in runs if any(together[_day_of(location)] > 1 for location in run.locations)
    ]


def expiry_of(
    lying: RunAtRest, day: Sequence[PublicationAtRest], at: datetime, retention: timedelta
) -> Expiry | None:
    """That a run expires, by the publications of its dataset and `day`; None if it stays."""
    counting = next((one for one in reversed(day) if one.is_current), None)
    if counting is None or lying.written_at > at - retention:
        return None
    instead = counting.publication.key
    expiry = Expiry(lying.run, lying.locations, lying.listing, instead, at, retention)
    return None if objection(expiry, day) else expiry


def objection(expiry: Expiry, day: Sequence[PublicationAtRest]) -> str | None:
    """Why a run must not be removed, whoever has signed that it expires, by the publications of its
    dataset and `day`; None if it may.

    None may have shown it since the retention before, up to now. What somebody has hidden of
    them counts as if it did still: so nobody has a run removed by removing a publication.
    """
    for one in day:
        if one.shows_since(expiry.locations, expiry.written_before):
            return f"{one.publication.key} shows run {expiry.run.id}, or did in the retention"
    instead = [
        one
        for one in day
        if one.publication.key == expiry.instead and one.since <= expiry.stated_at
    ]
    if not any(one.shows_others(expiry.locations) for one in instead):
        return f"{expiry.instead} shows no other run in the place of run {expiry.run.id}"
    return None


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
