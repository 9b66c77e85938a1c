"""What an audit is asked for."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from custody.spark.audit.request import AuditRequest


def test_a_request_is_read_as_the_dag_sends_it() -> None:
    request = AuditRequest.of(
        {
            "as_of": "2026-11-03T03:20:05.678Z",
            "grace_minutes": 180,
            "sample_days": 28,
            "days": 2,
            "watched": [["2026-11-03"]],
        }
    )
    assert request.as_of == datetime(2026, 11, 3, 3, 20, 5, tzinfo=UTC)
    assert request.grace == timedelta(hours=3)
    assert request.watched == (("2026-11-03",),)
    assert [day.isoformat() for day in request.recent] == ["2026-11-02", "2026-11-03"]


def test_all_of_the_trail_is_walked_anew_on_one_day_in_so_many() -> None:
    first = AuditRequest(datetime(2026, 11, 3, tzinfo=UTC), timedelta(), 28, 2)
    days = [replace(first, as_of=first.as_of + timedelta(days=n)).walks_anew for n in range(56)]
    assert (days.count(True), sum(days[:28])) == (2, 1)
    assert replace(first, sample_days=1).walks_anew
