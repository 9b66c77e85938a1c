"""What lies in a trail's bucket: digests, log files, and what is neither."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from custody.aws.trail.store import StoredObject, TrailStore
from custody.core.trail.digests.document import LogFile
from custody.core.trail.layout import DigestName, TrailLayout


@dataclass(frozen=True)
class FoundDigest:
    """A digest object as it was listed."""

    bucket: str
    name: DigestName
    stored: StoredObject


@dataclass(frozen=True)
class DigestListing:
    """The digest objects of a trail, each chain in the order of the ends in their names; and the
    `foreign` files among them, whose names CloudTrail does not give."""

    regular: tuple[FoundDigest, ...]
    backfill: tuple[FoundDigest, ...]
    foreign: tuple[StoredObject, ...]

    @property
    def first_end(self) -> datetime | None:
        """The end of the oldest digest; None if there is none."""
        return min((found.name.end for found in (*self.regular, *self.backfill)), default=None)


def list_digests(
    store: TrailStore, layout: TrailLayout, start: datetime | None, until: datetime | None = None
) -> DigestListing:
    """The digests of the trail that end from `start` to `until`; `None` is no bound."""
    found: list[FoundDigest] = []
    foreign: list[StoredObject] = []
    for stored in list_days(store, layout.digest_prefix, start, until):
        name = layout.digest_name(stored.key)
        if name is not None:
            if (start is None or name.end >= start) and (until is None or name.end <= until):
                found.append(FoundDigest(layout.bucket, name, stored))
        elif not layout.is_digest_of_another_trail(stored.key) and is_file(stored):
            foreign.append(stored)
    found.sort(key=lambda entry: (entry.name.end, entry.name.key))
    return DigestListing(
        regular=tuple(entry for entry in found if not entry.name.backfill),
        backfill=tuple(entry for entry in found if entry.name.backfill),
        foreign=tuple(foreign),
    )


class LogListing:
    """The objects among the logs, listed as far as needed: what digests do not name remains.

    Keys are in the order of their delivery times, so that little more is held than what is not
    named yet. Log files that were delivered after `until` are left out.
    """

    def __init__(
        self,
        store: TrailStore,
        layout: TrailLayout,
        start: datetime | None,
        until: datetime | None = None,
    ) -> None:
        self._bucket = layout.bucket
        self._prefix = layout.log_prefix
        self._reached = _day_prefix(self._prefix, start)
        self._coming = (
            stored
            for stored in list_days(store, self._prefix, start, until)
            if until is None or (layout.log_time(stored.key) or until) <= until
        )
        self._unnamed: dict[str, StoredObject] = {}

    def named(self, log: LogFile) -> StoredObject | None:
        """Note that a digest names `log`, and return the object there, if it was listed."""
        if log.bucket != self._bucket or not log.key.startswith(self._prefix):
            return None
        while self._reached < log.key and (stored := next(self._coming, None)) is not None:
            self._reached = stored.key
            self._unnamed[stored.key] = stored
        return self._unnamed.pop(log.key, None)

    def unnamed(self) -> Iterator[StoredObject]:
        """Everything that no digest has named."""
        yield from self._unnamed.values()
        yield from self._coming


def is_file(stored: StoredObject) -> bool:
    """Whether it holds anything; the console makes empty objects that look like folders."""
    return stored.current.size > 0 or not stored.key.endswith("/")


def list_days(
    store: TrailStore, prefix: str, start: datetime | None, until: datetime | None
) -> Iterator[StoredObject]:
    """The objects under `prefix` of the days from that of `start` to that of `until`."""
    beyond = "" if until is None else _day_prefix(prefix, until + timedelta(days=1))
    every = store.list(prefix, after=_day_prefix(prefix, start))
    return itertools.takewhile(lambda stored: not beyond or stored.key < beyond, every)


def _day_prefix(prefix: str, day: datetime | None) -> str:
    """What to list behind to begin with the keys of a day; empty for the beginning."""
    return f"{prefix}{day:%Y/%m/%d}" if day else ""
