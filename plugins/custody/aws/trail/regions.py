"""Proving a trail of all regions: a chain of digests and keys for each, and which there must be.

A region whose digests were seen once is looked for ever after. One that the account has enabled has
to have some, as soon as CloudTrail had the time to write one: else whoever enables a region could
take roles there unseen.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from custody.aws.trail.checking import Part
from custody.aws.trail.state import KeysRefused
from custody.aws.trail.store import TrailStore
from custody.aws.trail.validation import DigestKeys, Pace, validate_trail
from custody.core.trail import reasons
from custody.core.trail.defects import TrailDefect
from custody.core.trail.layout import TrailLayout
from custody.core.trail.report import TrailReport
from custody.core.trail.state import TrailState, narrow_reason, off_reason


@dataclass(frozen=True)
class Regions:
    """The regions of a trail: `chained` have digests, the home region, which should, first;
    `digestless` have none so far, `off` are not enabled although there are files or a head of them.

    `awaited` tells since when a region without any file is enabled, as far as that is known.
    """

    chained: tuple[str, ...]
    digestless: tuple[str, ...]
    off: tuple[str, ...]
    awaited: Mapping[str, datetime] = field(default_factory=dict)

    @property
    def every(self) -> tuple[str, ...]:
        """All that may have log files which can be proven."""
        return (*self.chained, *self.digestless)


def find_regions(
    store: TrailStore,
    layout: TrailLayout,
    *,
    remembered: Collection[str],
    enabled: Collection[str] | None,
    awaited: Mapping[str, datetime],
    as_of: datetime,
) -> Regions:
    """The regions of the trail of `layout`.

    `remembered` are those with a head, `enabled` those of the account, None if nobody can be asked:
    then those with files are all.
    """
    with_digests = {*store.folders(layout.digests_root), *remembered, layout.home_region}
    known = with_digests | set(store.folders(layout.logs_root))
    there = known if enabled is None else {*enabled, layout.home_region}
    digestless = there - with_digests
    chained = sorted(
        with_digests & there, key=lambda region: (region != layout.home_region, region)
    )
    return Regions(
        chained=tuple(chained),
        digestless=tuple(sorted(digestless)),
        off=tuple(sorted(known - there)),
        awaited={region: awaited.get(region, as_of) for region in sorted(digestless - known)},
    )


def validate_regions(
    store: TrailStore,
    layout: TrailLayout,
    keys: Callable[[str], DigestKeys],
    *,
    regions: Regions,
    state: TrailState | None,
    as_of: datetime,
    part_of: Callable[[str], Part],
    pace: Pace,
) -> Iterator[tuple[str, TrailReport]]:
    """Prove the files of each region as they stand at `as_of`, report by report.

    `keys` gives those of a region, `part_of` the part of its files that is to be proven. What keeps
    one region from being proven is a defect of it, and the others are proven. Raises what
    `validate_trail` raises else.
    """
    if (narrow := narrow_reason(state, layout)) is not None:
        yield layout.home_region, _only(reasons.trail_off(layout, narrow))
    for region in regions.chained:
        of_region = layout.in_region(region)
        reports = validate_trail(
            store,
            of_region,
            keys(region),
            state=state,
            as_of=as_of,
            part=part_of(region),
            pace=pace,
        )
        try:
            for report in reports:
                yield region, report
        except KeysRefused as refused:
            yield region, _only(reasons.keys_refused(of_region, str(refused)))
    for region in regions.digestless:
        of_region = layout.in_region(region)
        began = regions.awaited.get(region) or _first_log(store, of_region) or as_of
        is_due = as_of >= began + pace.cadence + pace.grace
        if is_due and off_reason(state, of_region) is None:
            yield region, _only(reasons.no_digests(of_region, None, began, as_of))
    for region in regions.off:
        yield region, _only(reasons.region_off(layout.in_region(region)))


def _first_log(store: TrailStore, layout: TrailLayout) -> datetime | None:
    first = next(store.list(layout.log_prefix), None)
    if first is None:
        return None
    return layout.log_time(first.key) or first.delivered_at


def _only(defect: TrailDefect) -> TrailReport:
    return TrailReport((defect,), None, None, 0, ())
