"""Proving a deployment's trail, and which log files to read afterwards."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from custody.aws.trail.log_reading import LogToRead, logs_to_read
from custody.aws.trail.regions import find_regions, validate_regions
from custody.aws.trail.state import (
    KnowsRegions,
    enabled_regions,
    fetch_digest_keys,
    read_trail_state,
)
from custody.aws.trail.store import S3TrailStore
from custody.aws.trail.validation import DigestKeys, Pace
from custody.core.formats.untrusted import MalformedInput
from custody.core.trail.defects import TrailDefect
from custody.core.trail.heads import Heads
from custody.core.trail.layout import TrailLayout
from custody.core.trail.report import Head, TrailReport
from custody.settings import Settings

if TYPE_CHECKING:
    from mypy_boto3_cloudtrail import CloudTrailClient
    from mypy_boto3_s3 import S3Client


@dataclass(frozen=True, slots=True)
class TrailClients:
    """The clients a proof needs; `cloudtrail` makes one of a region."""

    s3: S3Client
    ec2: KnowsRegions
    cloudtrail: Callable[[str], CloudTrailClient]

    def keys(self, region: str) -> DigestKeys:
        """The public keys that a region publishes."""
        return lambda first, last: fetch_digest_keys(self.cloudtrail(region), first, last)


@dataclass(frozen=True, slots=True)
class ProvenTrail:
    """The report of each region, the log files to read, the `heads` to remember from now on, and
    why those remembered could not be used (`trouble`), if so."""

    reports: Mapping[str, TrailReport]
    logs: Sequence[LogToRead]
    heads: Heads
    trouble: str | None

    @property
    def defects(self) -> tuple[TrailDefect, ...]:
        """What is wrong, in any region."""
        return tuple(defect for report in self.reports.values() for defect in report.defects)

    @property
    def digests_verified(self) -> int:
        return sum(report.digests_verified for report in self.reports.values())

    @property
    def logs_verified(self) -> int:
        return sum(len(report.logs_verified) for report in self.reports.values())


def prove_recent(
    clients: TrailClients,
    settings: Settings,
    *,
    as_of: datetime,
    since: datetime,
    remembered: bytes | None,
) -> ProvenTrail:
    """Prove the trail as far back as events from `since` on need it; the log files from then on.

    Of the heads `remembered` (JSON) it takes which regions there must be, no more. Times are aware.
    Raises what `validate_trail` raises.
    """
    start = since - settings.digest_seconds
    known, trouble = _usable(remembered, settings.trail_layout)
    return _prove(clients, settings, as_of, since, known, trouble, begin=lambda _: (None, start))


def prove_onward(
    clients: TrailClients,
    settings: Settings,
    *,
    as_of: datetime,
    since: datetime,
    remembered: bytes | None,
) -> ProvenTrail:
    """Prove everything since the heads `remembered` (JSON), a region without one from its
    beginning, or all, if the heads cannot be used. The log files are those from `since` on, proven
    anew: their events name the actors.

    Times are aware. Raises what `validate_trail` raises.
    """
    known, trouble = _usable(remembered, settings.trail_layout)

    def begin(region: str) -> tuple[Head | None, datetime | None]:
        head = known.by_region.get(region)
        return head, None if head is None else since

    return _prove(clients, settings, as_of, since, known, trouble, begin=begin)


def _prove(
    clients: TrailClients,
    settings: Settings,
    as_of: datetime,
    since: datetime,
    known: Heads,
    trouble: str | None,
    *,
    begin: Callable[[str], tuple[Head | None, datetime | None]],
) -> ProvenTrail:
    layout, store = settings.trail_layout, S3TrailStore(clients.s3, settings.trail_bucket)
    regions = find_regions(
        store,
        layout,
        remembered=known.by_region,
        enabled=enabled_regions(clients.ec2),
        awaited=known.awaited,
        as_of=as_of,
    )
    steps = validate_regions(
        store,
        layout,
        clients.keys,
        regions=regions,
        state=read_trail_state(clients.cloudtrail(layout.home_region), settings.trail_name),
        as_of=as_of,
        begin=begin,
        pace=Pace.of_cadence(settings.digest_seconds),
    )
    reports = {
        region: TrailReport.merged(report for _, report in of_region)
        for region, of_region in itertools.groupby(steps, key=lambda step: step[0])
    }
    nothing = TrailReport.merged(())
    logs = [
        log
        for region in regions.every
        for log in logs_to_read(
            store, layout.in_region(region), reports.get(region, nothing), since
        )
    ]
    # A head that moves on must not leave a defect behind.
    heads = {
        region: report.head
        for region, report in reports.items()
        if report.head is not None and not report.defects
    }
    return ProvenTrail(reports, logs, Heads({**known.by_region, **heads}, regions.awaited), trouble)


def _usable(remembered: bytes | None, layout: TrailLayout) -> tuple[Heads, str | None]:
    """The heads to go on from, and what is wrong with those remembered."""
    if remembered is None:
        return Heads(), None
    try:
        return Heads.from_json(remembered, layout), None
    except MalformedInput as error:
        return Heads(), str(error)
