"""What an audit is asked for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any


@dataclass(frozen=True, slots=True)
class AuditRequest:
    """What to audit at `as_of` (whole seconds): the bytes of one in `sample_days` versions, and
    `days` of the trail's events, records and verdicts, the last of them today. `watched` are the
    days whose open pages it may settle, each a partition of one value."""

    as_of: datetime
    grace: timedelta
    sample_days: int
    days: int
    watched: tuple[tuple[str, ...], ...] = ()

    @classmethod
    def of(cls, parameters: Mapping[str, Any]) -> AuditRequest:
        """The request in `custody.core.ledger.hours.windows.audit_window`."""
        as_of = datetime.fromisoformat(parameters["as_of"]).astimezone(UTC)
        return cls(
            as_of=as_of.replace(microsecond=0),
            grace=timedelta(minutes=parameters["grace_minutes"]),
            sample_days=parameters["sample_days"],
            days=parameters["days"],
            watched=tuple(tuple(day) for day in parameters["watched"]),
        )

    @property
    def recent(self) -> tuple[date, ...]:
        """The last `days` days, in request."""
        today = self.as_of.date()
        return tuple(today - timedelta(days=n) for n in reversed(range(self.days)))

    @property
    def yesterday(self) -> date:
        """The day before: the last one on which no run will judge any more."""
        return self.as_of.date() - timedelta(days=1)

    @property
    def since(self) -> datetime:
        """The beginning of the first of them."""
        return datetime.combine(self.recent[0], datetime.min.time(), UTC)

    @property
    def walks_anew(self) -> bool:
        """Whether it is the day on which all of the trail is proven once more: one in
        `sample_days`."""
        return self.as_of.toordinal() % self.sample_days == 0
