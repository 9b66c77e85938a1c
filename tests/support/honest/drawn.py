"""Honest hours and seasons, drawn at random."""

from __future__ import annotations

from datetime import timedelta

from hypothesis import strategies as st
from tests.support.honest.hours import HOURS_A_DAY, MAY_BE_LATE, Activity, Hour
from tests.support.honest.seasons import NEVER, Season


def histories(
    longest: timedelta, *, events: timedelta | None = None, days: int = 1
) -> st.SearchStrategy[list[Hour]]:
    """Days whose evidence is up to `longest` late; if `events` are given, CloudTrail's is up to
    that, and as often no later than all other."""
    delays = st.integers(0, int(longest.total_seconds()))
    of_events = delays
    if events is not None:
        of_events = st.one_of(delays, st.integers(0, int(events.total_seconds())))
    hour = st.builds(
        Hour,
        activity=st.sampled_from(Activity),
        who=st.integers(0, 2),
        key=st.integers(0, 2),
        layer=st.sampled_from(["processed", "analytics"]),
        second=st.integers(0, 3599),
        event_delay=of_events,
        record_delay=delays,
        addendum_delay=of_events,
        deliveries=st.integers(1, 3),
        notifications=st.integers(1, 3),
        version_named=st.booleans(),
        late=st.sampled_from([(), *((name,) for name in MAY_BE_LATE), MAY_BE_LATE]),
        dialect=st.integers(0, 3),
    )
    return st.lists(hour, min_size=days * HOURS_A_DAY, max_size=days * HOURS_A_DAY)


def seasons(days: int) -> st.SearchStrategy[Season]:
    """Seasons in which all that may befall the platform does, in some order."""
    hours = st.integers(1, days * HOURS_A_DAY - 1)
    return st.builds(
        Season,
        kms_away=hours,
        kms_hours=st.integers(0, 12),
        replaced=hours,
        named_early=st.integers(-20, 20).map(lambda minutes: timedelta(minutes=minutes)),
        retired=hours,
        joined=hours,
        digest_delay=st.integers(0, 45).map(lambda minutes: timedelta(minutes=minutes)),
        backfill=st.one_of(hours, st.just(NEVER)),
    )
