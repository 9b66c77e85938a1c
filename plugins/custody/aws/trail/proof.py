"""Proving a deployment's trail, and which log files to read afterwards."""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING

from custody.aws.trail.checking import Part
from custody.aws.trail.log_reading import LogToRead, named_log, unnamed_logs, was_delivered
from custody.aws.trail.logs import NamedLog
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
from custody.core.trail.report import TrailReport
from custody.core.trail.span import Span
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
    """What the digests of each region came to (`reports`), the log files still to be checked and
    read (`logs`), the heads that were `known`, why those remembered could not be used
    (`trouble`), if so, and the regions that were `walked_anew` behind their heads."""

    reports: Mapping[str, TrailReport]
    logs: Sequence[LogToRead]
    known: Heads
    trouble: str | None
    walked_anew: frozenset[str] = frozenset()

    @property
    def defects(self) -> tuple[TrailDefect, ...]:
        """What is wrong with the digests and with what no digest names, in any region."""
        return tuple(defect for report in self.reports.values() for defect in report.defects)

    @property
    def digests_verified(self) -> int:
        return sum(report.digests_verified for report in self.reports.values())

    def heads(self, broken: Collection[TrailDefect]) -> Heads:
        """The heads to remember from now on, `broken` being what is wrong with `logs`.

        A head that moves on must not leave a defect behind.
        """
        keys = {defect.key for defect in broken}
        stopped = {log.region for log in self.logs if log.key in keys}
        moved = {
            region: report.head
            for region, report in self.reports.items()
            if report.head is not None and not report.defects and region not in stopped
        }
        # What was found in what is proven already must be found again, for as long as it holds.
        anew = {region for region in self.walked_anew if region in stopped | self._broken}
        return replace(
            self.known, by_region={**self.known.by_region, **moved}, anew=frozenset(anew)
        )

    @property
    def _broken(self) -> set[str]:
        return {region for region, report in self.reports.items() if report.defects}


def prove_recent(
    clients: TrailClients,
    settings: Settings,
    *,
    as_of: datetime,
    span: Span,
    remembered: bytes | None,
) -> ProvenTrail:
    """Prove the digests that may tell of `span`, and choose the log files that do.

    However old it is, no more is read than that, unless something is not as CloudTrail leaves it:
    then everything since, to find who did it. Of the heads `remembered` (JSON) it takes which
    regions there must be, no more. Times are aware. Raises what `validate_trail` raises.
    """
    known, trouble = _usable(remembered, settings.trail_layout)
    start = span.start - settings.digest_seconds
    until = span.delivered_until if span.delivered_until < as_of else None

    def prove(until: datetime | None) -> ProvenTrail:
        return _prove(
            clients,
            settings,
            known,
            trouble,
            as_of=as_of,
            since=span.start,
            part_of=lambda _: Part(since=start, until=until),
            choose=lambda region, log: (
                named_log(region, log, wanted=True) if span.may_hold(log.log) else None
            ),
        )

    proven = prove(until)
    if until is None or (not proven.defects and all(log.is_as_delivered for log in proven.logs)):
        return proven
    return prove(None)


def prove_onward(
    clients: TrailClients,
    settings: Settings,
    *,
    as_of: datetime,
    since: datetime,
    remembered: bytes | None,
    anew: bool = False,
) -> ProvenTrail:
    """Prove the digests since the heads `remembered` (JSON), of a region without one from its
    beginning, or all, if the heads cannot be used; all log files since then are to be checked.
    Those delivered from `since` on are wanted, proven before or not: their events name the actors.

    `anew`: what was proven before is proven once more, back to the beginning; and so it is of a
    region in which something was found so, until nothing is.

    Times are aware. Raises what `validate_trail` raises.
    """
    layout = settings.trail_layout
    known, trouble = _usable(remembered, layout)
    again = frozenset(known.by_region) if anew else known.anew

    def part_of(region: str) -> Part:
        head = known.by_region.get(region)
        if head is None:
            return Part()
        return Part(head=head, since=since, anew=region in again)

    def choose(region: str, log: NamedLog) -> LogToRead:
        wanted = was_delivered(layout.in_region(region), log.log.key, since)
        return named_log(region, log, wanted=wanted)

    proven = _prove(
        clients,
        settings,
        known,
        trouble,
        as_of=as_of,
        since=since,
        part_of=part_of,
        choose=choose,
    )
    return replace(proven, walked_anew=again)


def _prove(
    clients: TrailClients,
    settings: Settings,
    known: Heads,
    trouble: str | None,
    *,
    as_of: datetime,
    since: datetime,
    part_of: Callable[[str], Part],
    choose: Callable[[str, NamedLog], LogToRead | None],
) -> ProvenTrail:
    """Prove the part of each region. `choose` says what to do with a log file that a digest names;
    those that none names are read from `since` on."""
    layout, store = settings.trail_layout, S3TrailStore(clients.s3, settings.trail_bucket)
    regions = find_regions(
        store,
        layout,
        remembered=known.by_region,
        enabled=enabled_regions(clients.ec2),
        awaited=known.awaited,
        as_of=as_of,
    )
    named: defaultdict[str, list[NamedLog]] = defaultdict(list)
    steps = validate_regions(
        store,
        layout,
        clients.keys,
        regions=regions,
        state=read_trail_state(clients.cloudtrail(layout.home_region), settings.trail_id),
        as_of=as_of,
        part_of=lambda region: replace(part_of(region), leave=named[region].append),
        pace=Pace.of_cadence(settings.digest_seconds),
    )
    reports = {
        region: TrailReport.merged(report for _, report in of_region)
        for region, of_region in itertools.groupby(steps, key=lambda step: step[0])
    }
    nothing = TrailReport.merged(())
    logs: list[LogToRead] = []
    for region in regions.every:
        chosen = [found for log in named[region] if (found := choose(region, log))]
        logs += chosen
        logs += unnamed_logs(
            store,
            layout.in_region(region),
            {log.log.key for log in named[region]},
            reports.get(region, nothing),
            since,
            part_of(region).until,
        )
    return ProvenTrail(reports, logs, replace(known, awaited=regions.awaited), trouble)


def _usable(remembered: bytes | None, layout: TrailLayout) -> tuple[Heads, str | None]:
    """The heads to go on from, and what is wrong with those remembered."""
    if remembered is None:
        return Heads(), None
    try:
        return Heads.from_json(remembered, layout), None
    except MalformedInput as error:
        return Heads(), str(error)
