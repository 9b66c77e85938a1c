"""What an audit is asked for."""

from __future__ import annotations

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
