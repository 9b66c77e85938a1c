"""Which log files tell of a time."""

from datetime import UTC, datetime, timedelta

import pytest

from custody.core.trail.digests.document import LogFile
from custody.core.trail.span import LATEST_DELIVERY, Span

NOON = datetime(2026, 11, 2, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
SPAN = Span(NOON, NOON + 60 * MINUTE)


@pytest.mark.parametrize(
    ("oldest", "newest", "holds"),
    [
        (-10, -1, False),
        (-10, 0, True),
        (10, 20, True),
        (-10, 70, True),
        (59, 70, True),
        (60, 70, False),
        (None, None, True),
        (None, -1, False),
        (60, None, False),
    ],
)
def test_a_log_file_is_read_if_it_may_have_an_event_of_the_time(oldest, newest, holds):
    times = (None if t is None else NOON + t * MINUTE for t in (oldest, newest))
    assert SPAN.may_hold(LogFile("b", "k", "0" * 64, *times)) is holds


def test_what_is_delivered_two_days_late_is_still_read():
    assert SPAN.delivered_until - SPAN.end == LATEST_DELIVERY == timedelta(hours=48)
