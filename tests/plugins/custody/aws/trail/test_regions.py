"""Which regions of a trail are proven, and what is found of one that is not."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest
from tests.support.trail_history import (
    ANOTHER_KEY,
    HOUR,
    LAYOUT,
    MINUTE,
    NOON,
    PRIVATE_KEY,
    History,
    MemoryStore,
    fingerprint,
)

from custody.aws.trail.checking import WHOLE, Part
from custody.aws.trail.regions import Regions, find_regions, validate_regions
from custody.aws.trail.state import KeysRefused
from custody.aws.trail.validation import Pace
from custody.core.trail.defects import TrailDefect, TrailDefectKind
from custody.core.trail.report import Head
from custody.core.trail.state import TrailState

HOME, OTHER, QUIET = LAYOUT.region, "eu-west-1", "ap-south-1"
EVERY = {HOME, OTHER, QUIET}
OWN_KEY = {HOME: PRIVATE_KEY, OTHER: ANOTHER_KEY}
ON = TrailState(LAYOUT.bucket, "", logging=True, validated=True, started_at=NOON)
K = TrailDefectKind


@pytest.fixture
def store() -> MemoryStore:
    """Six hours of two regions; the third has nothing."""
    made = MemoryStore()
    for region, key in OWN_KEY.items():
        History(made, layout=LAYOUT.in_region(region), key=key, logs_per_hour=1).hours(6)
    return made


END = NOON + 6 * HOUR


def regions_of(
    store: MemoryStore,
    as_of: datetime = END,
    *,
    enabled: set[str] | None = frozenset(EVERY),
    remembered: Mapping[str, Any] | None = None,
    awaited: Mapping[str, datetime] | None = None,
) -> Regions:
    return find_regions(
        store,
        LAYOUT,
        remembered=remembered or {},
        enabled=enabled,
        awaited=awaited or {},
        as_of=as_of,
    )


def keys_of(region: str) -> Any:
    key = OWN_KEY[region]
    return lambda _first, _last: {fingerprint(key): key.public_key()}


def defects(
    store: MemoryStore,
    as_of: datetime = END,
    *,
    heads: Mapping[str, Head] | None = None,
    state: TrailState | None = ON,
    keys: Any = keys_of,
    **known: Any,
) -> list[tuple[str, TrailDefect]]:
    """What is found, each with its region."""
    steps = validate_regions(
        store,
        LAYOUT,
        keys,
        regions=regions_of(store, as_of, remembered=heads, **known),
        state=state,
        as_of=as_of,
        part_of=lambda region: Part((heads or {}).get(region)),
        pace=Pace(workers=2),
    )
    return [(region, defect) for region, report in steps for defect in report.defects]


def kinds(found: list[tuple[str, TrailDefect]]) -> list[tuple[str, TrailDefectKind]]:
    return [(region, defect.kind) for region, defect in found]


def heads_at_the_end(store: MemoryStore) -> dict[str, Head]:
    steps = validate_regions(
        store,
        LAYOUT,
        keys_of,
        regions=regions_of(store),
        state=ON,
        as_of=END,
        part_of=lambda _: WHOLE,
        pace=Pace(workers=2),
    )
    return {region: report.head for region, report in steps if report.head is not None}


def test_regions_are_those_enabled_and_those_that_were_ever_seen(store):
    assert regions_of(store) == Regions((HOME, OTHER), (QUIET,), (), {QUIET: END})
    assert regions_of(store, enabled={HOME}) == Regions((HOME,), (), (OTHER,))
    assert regions_of(MemoryStore(), enabled=set()) == Regions((HOME,), (), ())
    assert regions_of(store, enabled=None) == Regions((HOME, OTHER), (), ())
    remembered = regions_of(MemoryStore(), remembered={OTHER: None})
    assert remembered.chained == (HOME, OTHER)


def test_every_region_is_proven_with_its_own_keys(store):
    assert defects(store) == []
    swapped = {HOME: OTHER, OTHER: HOME}
    found = kinds(defects(store, keys=lambda region: keys_of(swapped[region])))
    assert set(found) == {(HOME, K.DIGEST_UNKNOWN_KEY), (OTHER, K.DIGEST_UNKNOWN_KEY)}


def test_a_region_whose_digests_were_deleted_is_broken_and_named(store):
    heads = heads_at_the_end(store)
    assert set(heads) == {HOME, OTHER}
    prefix = LAYOUT.in_region(OTHER).digests_root
    store.purge(*[key for key in store.objects if key.startswith(f"{prefix}{OTHER}/")])
    ((region, defect),) = defects(store, heads=heads)
    assert (region, defect.kind) == (OTHER, K.NO_DIGESTS)
    assert OTHER in defect.reason
    assert defect.key == f"{prefix}{OTHER}/"
    # Without what was remembered, its log files tell that there must have been some.
    assert kinds(defects(store)) == [(OTHER, K.NO_DIGESTS)]


def test_a_region_that_goes_silent_is_missed(store):
    late = END + 3 * HOUR
    assert (OTHER, K.DIGEST_MISSING) in kinds(defects(store, late, heads=heads_at_the_end(store)))


def test_a_region_enabled_just_now_has_time_for_its_first_digest(store):
    due = END + 2 * HOUR
    awaited = {QUIET: END}
    found = kinds(defects(store, due - MINUTE, awaited=awaited))
    assert QUIET not in {region for region, _ in found}
    found = kinds(defects(store, due, awaited=awaited))
    assert (QUIET, K.NO_DIGESTS) in found


def test_log_files_before_the_first_digest_of_a_region_have_time_too(store):
    first = History(store, start=END, layout=LAYOUT.in_region(QUIET))
    first.log(END + MINUTE)
    began, due = END + MINUTE, END + MINUTE + 2 * HOUR
    assert QUIET not in {region for region, _ in kinds(defects(store, due - MINUTE))}
    late = [d for region, d in defects(store, due) if region == QUIET]
    assert [(d.kind, d.period_start) for d in late] == [(K.NO_DIGESTS, began)]


def test_files_of_a_region_that_is_not_enabled_prove_nothing(store):
    """Whether it was disabled, or somebody invented it."""
    store.put(f"{LAYOUT.logs_root}xx-fake-1/x.json.gz", b"x", NOON)
    found = defects(store, enabled={HOME})
    assert kinds(found) == [(OTHER, K.REGION_OFF), ("xx-fake-1", K.REGION_OFF)]
    assert all(region in defect.reason for region, defect in found)


def test_a_region_that_hands_out_no_keys_does_not_keep_the_others_from_being_proven(store):
    def keys(region: str) -> Any:
        if region == HOME:
            return keys_of(region)

        def refuse(_first: datetime, _last: datetime) -> Any:
            raise KeysRefused("AccessDeniedException")

        return refuse

    ((region, defect),) = defects(store, keys=keys)
    assert (region, defect.kind) == (OTHER, K.UNREADABLE)
    assert "AccessDeniedException" in defect.reason


def test_a_trail_of_one_region_is_told_once_and_the_others_owe_nothing(store):
    narrow = replace(ON, multi_region=False)
    later = END + 9 * HOUR
    found = [d for d in defects(store, later, state=narrow, awaited={QUIET: NOON}) if d[0] != HOME]
    assert found == []
    told = [d for d in kinds(defects(store, state=narrow)) if d[1] is K.TRAIL_OFF]
    assert told == [(HOME, K.TRAIL_OFF)]


def test_a_stopped_trail_is_told_once(store):
    stopped = replace(ON, logging=False, stopped_at=END)
    assert kinds(defects(store, END + 9 * HOUR, state=stopped)) == [(HOME, K.TRAIL_OFF)]
