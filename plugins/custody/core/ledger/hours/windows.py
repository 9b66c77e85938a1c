"""Windows of time: which hours a reconciliation covers, and which days hold their evidence."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Final

from custody.core.formats.timestamps import format_utc
from custody.core.ledger.stored_records import RECORDED_WITHIN
from custody.core.runs.chain import Reached
from custody.core.runs.whole_hours import HOUR, MAX_HOURS, floor_hour
from custody.core.trail.span import LATEST_DELIVERY, Span

DAY: Final = timedelta(days=1)

MAX_AUDIT_DAYS: Final = 90
"""How far apart two readings of the same bytes may be, and how far back an audit may look."""

MAX_AUDIT_GRACE: Final = timedelta(days=7)
"""Longest grace that an audit may be given."""

MAX_GRACE_MINUTES: Final = 24 * 60
"""Longest grace that a run may be given. A record that is later is missing, for good until it
comes."""

_CLOCKS: Final = timedelta(minutes=5)
"""How far the clocks of Airflow and of a job may be apart."""


class BadWindow(ValueError):
    """A window (or day) that cannot be worked on; the text says which parameter to change."""


def check_time(as_of: datetime, now: datetime) -> None:
    """Raises `BadWindow` for a run that starts `now` and is asked to judge as of a time that has
    not come, or that is over for more than a day: who asks so does not watch, and what he had
    judged would pass for final."""
    if not now - DAY <= as_of <= now + _CLOCKS:
        raise BadWindow(
            f"as_of is {format_utc(as_of)}, and it is {format_utc(now)}: start the run anew, which "
            "judges as things stand then"
        )


@dataclass(frozen=True, slots=True)
class Window:
    """The hours to judge (`start` ≤ event time < `end`: UTC, whole hours, at most
    `MAX_HOURS`), as things stand at `as_of`; a record may come `grace` after its write, and
    CloudTrail's event `delivery` after it."""

    start: datetime
    end: datetime
    as_of: datetime
    grace: timedelta
    delivery: timedelta = LATEST_DELIVERY

    def __post_init__(self) -> None:
        for name, instant in (("start", self.start), ("end", self.end)):
            if instant.tzinfo is not UTC:
                raise BadWindow(f"window {name} {instant} must be an aware UTC time")
            if instant != floor_hour(instant):
                raise BadWindow(f"window {name} {format_utc(instant)} must be a whole hour")
        if self.end <= self.start:
            raise BadWindow(
                f"window is empty: {format_utc(self.start)} to {format_utc(self.end)}; "
                "window_end must be later than window_start"
            )
        if self.end - self.start > MAX_HOURS * HOUR:
            raise BadWindow(
                f"window covers {(self.end - self.start) // HOUR} hours, more than {MAX_HOURS}: "
                "reconcile it in parts"
            )

    @classmethod
    def of(cls, parameters: Mapping[str, Any]) -> Window:
        """The window that `parameters` describe; raises `BadWindow` as the constructor does."""
        start, end, as_of = (
            datetime.fromisoformat(parameters[name]).replace(tzinfo=UTC)
            for name in ("start", "end", "as_of")
        )
        grace, delivery = (
            timedelta(minutes=parameters[name]) for name in ("grace_minutes", "delivery_minutes")
        )
        return cls(start, end, as_of, grace, delivery)

    def check(self, now: datetime) -> None:
        """Raises `BadWindow` where a run that starts `now` must not judge so: `check_time`, and a
        patience that no run may have."""
        check_time(self.as_of, now)
        for name, patience, most in (
            ("grace", self.grace, timedelta(minutes=MAX_GRACE_MINUTES)),
            ("delivery", self.delivery, LATEST_DELIVERY),
        ):
            if not timedelta() <= patience <= most:
                raise BadWindow(f"{name} is {patience}, must be between 0 and {most}")

    @property
    def hours(self) -> tuple[datetime, ...]:
        """The start of every hour in the window."""
        return tuple(self.start + n * HOUR for n in range((self.end - self.start) // HOUR))

    @property
    def last_moment(self) -> datetime:
        return self.end - timedelta(seconds=1)

    @property
    def days(self) -> tuple[date, ...]:
        """The days that the hours judged lie in."""
        return _days(self.start, self.last_moment)

    @property
    def record_days(self) -> tuple[date, ...]:
        """The days under which the records of these hours are filed.

        A record is filed under the day of its S3 event; an hour either side allows for a difference
        of clocks around midnight.
        """
        return _days(self.start - HOUR, self.last_moment + HOUR)

    def evidence(self, latest_record: datetime | None = None) -> Span:
        """The time whose events are evidence about these hours.

        It begins an hour before them, as clocks differ, and as a session that is used in them may
        have begun that long before. It ends when the last of their records should be written;
        or when the `latest_record` was stored: whoever wrote that is in the trail then.
        """
        end = self.end + RECORDED_WITHIN
        if latest_record is not None:
            end = max(end, latest_record + HOUR)
        return Span(self.start - HOUR, end)

    def parameters(self) -> dict[str, object]:
        """The window as `of` reads it and `include/sql/reconcile` takes it; JSON values only.

        Times are `YYYY-MM-DD HH:MM:SS.mmm` in UTC.
        """
        last_hour = self.end - HOUR
        return {
            "start": _sql_time(self.start),
            "end": _sql_time(self.end),
            "as_of": _sql_time(self.as_of),
            "grace_minutes": self.grace // timedelta(minutes=1),
            "delivery_minutes": self.delivery // timedelta(minutes=1),
            "first_dt": f"{self.start:%Y-%m-%d}",
            "last_dt": f"{last_hour:%Y-%m-%d}",
            "first_hour": f"{self.start:%Y-%m-%d %H}",
            "last_hour": f"{last_hour:%Y-%m-%d %H}",
        }

    def partitions(self) -> list[tuple[str, str]]:
        """`(dt, hour)` of every hour in the window, as the partitions of `reconciliation`."""
        return [(f"{hour:%Y-%m-%d}", f"{hour:%H}") for hour in self.hours]


def reconcile_window(
    asked: Mapping[str, Any],
    *,
    interval_start: datetime | None,
    interval_end: datetime | None,
    as_of: datetime,
    reached: Reached | None,
) -> Window:
    """The window a reconciliation run at `as_of` (aware) is for.

    `asked` are the run's parameters. `window_start` and `window_end` (ISO 8601 with a zone) name
    the window. Without them it is what is owed where the runs have `reached`: up to the end of the
    data interval, moved back by `grace_minutes` and down to whole hours, so that the grace of
    everything in it has passed when the interval ends. If no run has reached anything yet, it is
    the data interval, moved back so. The `lookback_hours` before are judged once more: what was
    late for the run before, a digest above all, has come by now. `delivery_hours` is how late an
    event may be.

    Raises `BadWindow` if only one of the two is given, if there is nothing to derive the window
    from (an asset-triggered or API run without a logical date), or if the window is not valid.
    """
    for name, most in (
        ("grace_minutes", MAX_GRACE_MINUTES),
        ("delivery_hours", LATEST_DELIVERY // HOUR),
    ):
        if not 0 <= asked[name] <= most:
            raise BadWindow(f"{name} is {asked[name]}, must be between 0 and {most}")
    as_of, grace = _utc(as_of), timedelta(minutes=asked["grace_minutes"])
    delivery, lookback = asked["delivery_hours"] * HOUR, asked["lookback_hours"] * HOUR
    window_start, window_end = asked["window_start"], asked["window_end"]
    if window_start and window_end:
        start, end = _instant("window_start", window_start), _instant("window_end", window_end)
        return Window(start, end, as_of, grace, delivery)
    if window_start or window_end:
        raise BadWindow("give window_start and window_end together, or neither")
    if interval_start is None or interval_end is None:
        raise BadWindow("this run has no data interval: give window_start and window_end")
    first, latest = (floor_hour(_utc(at) - grace) for at in (interval_start, interval_end))
    begun = reached or Reached.nothing(first)
    start, end = begun.owed(latest, lookback)
    return Window(start, end, as_of, grace, delivery)


def audit_window(
    *, as_of: datetime, grace_minutes: int, sample_days: int, days: int
) -> dict[str, object]:
    """What an audit at `as_of` (aware) is for, in JSON values: its own parameters, the hour its
    rows stand in as the statements of `include/sql/reconcile` take it, and the `watched` days.

    A page about bytes can be resolved when they are read again, `sample_days` later at most; the
    day after allows for an audit that was late.

    Raises `BadWindow` as `check_audit` does.
    """
    grace = timedelta(minutes=grace_minutes)
    check_audit(grace=grace, sample_days=sample_days, days=days)
    hour = floor_hour(_utc(as_of))
    window = Window(hour, hour + HOUR, _utc(as_of), grace)
    return {
        **window.parameters(),
        "as_of": format_utc(as_of),
        "sample_days": sample_days,
        "days": days,
        "partition": window.partitions()[0],
        "watched": [(f"{hour - n * DAY:%Y-%m-%d}",) for n in range(sample_days + 2)],
    }


def check_audit(*, grace: timedelta, sample_days: int, days: int) -> None:
    """Raises `BadWindow` for a `sample_days` or `days` that is not 1 to `MAX_AUDIT_DAYS`, by which
    nothing would be read, and for a `grace` of more than `MAX_AUDIT_GRACE`."""
    for name, value in (("sample_days", sample_days), ("days", days)):
        if not 1 <= value <= MAX_AUDIT_DAYS:
            raise BadWindow(f"{name} is {value}, must be between 1 and {MAX_AUDIT_DAYS}")
    if not timedelta() <= grace <= MAX_AUDIT_GRACE:
        raise BadWindow(f"grace is {grace}, must be between 0 and {MAX_AUDIT_GRACE}")


def dataset_day(dt: str | None, partition: str | None, interval_end: datetime | None) -> str:
    """The day (`YYYY-MM-DD`) a dataset run is for: `dt`, else the partition it was made for, else
    the day before the end of its data interval, as runs have it that nobody made for a partition.

    Raises `BadWindow` if that is not a calendar day, if `dt` and `partition` name different ones,
    or if there is none of them.
    """
    if dt and partition and dt != partition:
        raise BadWindow(f"dt is {dt!r}, and the run is for {partition}: trigger a run for {dt}")
    if named := dt or partition:
        try:
            day = date.fromisoformat(named)
        except ValueError as error:
            raise BadWindow(f"dt is {named!r}, must be a day such as 2026-11-01") from error
        if day.isoformat() != named:
            raise BadWindow(f"dt is {named!r}, must be written {day.isoformat()}")
        return named
    if interval_end is None:
        raise BadWindow("this run is for no day: give dt, a day such as 2026-11-01")
    return (_utc(interval_end).date() - DAY).isoformat()


def after_beginning(day: str, hours: int) -> datetime:
    """So many hours after a day (`YYYY-MM-DD`) began, in UTC."""
    return datetime.combine(date.fromisoformat(day), time.min, UTC) + hours * HOUR


def _days(first: datetime, last: datetime) -> tuple[date, ...]:
    """Every day from that of `first` to that of `last`."""
    days = (last.date() - first.date()).days + 1
    return tuple(first.date() + timedelta(days=n) for n in range(days))


def _instant(name: str, text: str) -> datetime:
    try:
        instant = datetime.fromisoformat(text)
    except ValueError as error:
        raise BadWindow(f"{name} is {text!r}, must be like 2026-11-01T06:00:00Z") from error
    if instant.tzinfo is None:
        raise BadWindow(f"{name} is {text!r}, which has no time zone: write {text}Z for UTC")
    return _utc(instant)


def _utc(instant: datetime) -> datetime:
    """`instant` as a plain UTC datetime, whatever datetime class and zone it came with."""
    return datetime.fromtimestamp(instant.timestamp(), UTC)


def _sql_time(instant: datetime) -> str:
    return format_utc(instant).replace("T", " ").removesuffix("Z")
