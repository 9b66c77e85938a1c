"""What an hourly reconciliation reads: for the last four hours, and for four hours of six days ago.

Evidence of a week is made in memory: a trail with hourly digests, and records of files that landed.
For each window it is read as the job does: the digests of the days in which a log file may still
come are proven, the log files that may tell of the window are fetched once, and the records of its
days are read and verified (`custody.aws.trail.proof`, `custody.spark.reconcile`); no cache
helps. The reference reads the same evidence with nothing but the window's beginning: all that was
delivered since is proven and then read again, and the records of the days around the window.

Prints JSON lines, `{"name", "ours", "reference", "ratio", "unit"}`: requests, bytes and seconds of
each window. Fresh, the ratio is what fetching each log file once saves, and fewer days of records;
old, it is bounded, where the reference grows with the window's age.

    python benchmarks/window_reads.py [--logs 12] [--landed 20]
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "plugins"))

from tests.support.landing_zone import LANDED_AT, PROVENANCE, LandingZone, MemoryS3
from tests.support.trail_history import HOUR, KEYS, LAYOUT, NOON, History, MemoryStore

from custody.aws.records.reading import read_stored
from custody.aws.s3.listing import StoredVersion
from custody.aws.trail.checking import Part
from custody.aws.trail.log_reading import named_log, read_log_file
from custody.aws.trail.logs import NamedLog
from custody.aws.trail.validation import validate_trail
from custody.core.ledger.hours.windows import DAY, Window
from custody.core.records.names import day_filed
from custody.core.trail.report import TrailReport
from custody.core.trail.state import TrailState
from custody.objects import ObjectVersion

STATE = TrailState(LAYOUT.bucket, "", logging=True, validated=True, started_at=NOON)
WEEK_HOURS = 7 * 24


class CountedStore(MemoryStore):
    """A trail's bucket in memory that counts the bytes it hands out."""

    bytes_read = 0

    def read(
        self,
        bucket: str,
        key: str,
        version_id: str | None,
        consume: Callable[[Mapping[str, str], Iterator[bytes]], Any],
    ) -> Any:
        self.bytes_read += len(self.current(key).body or b"")
        return super().read(bucket, key, version_id, consume)


class CountedS3(MemoryS3):
    """A provenance bucket in memory that counts requests and the bytes it hands out."""

    requests = bytes_read = 0

    def get_object(self, **asked: Any) -> dict[str, Any]:
        found = super().get_object(**asked)
        self.requests += 1
        self.bytes_read += found["ContentLength"]
        return found


@dataclass(frozen=True)
class Cost:
    """What judging one window took."""

    requests: int
    bytes: int
    seconds: float


class Evidence:
    """A week of evidence, and how it is read."""

    def __init__(self, logs_per_hour: int, landed_per_hour: int) -> None:
        self.store = CountedStore()
        self.trail = History(self.store, logs_per_hour=logs_per_hour).hours(WEEK_HOURS)
        zone = LandingZone()
        for hour in range(WEEK_HOURS):
            days = (self.trail.start + hour * HOUR).date() - LANDED_AT.date()
            for number in range(landed_per_hour):
                zone.land(f"incoming/{hour}-{number}.csv", b"", recorded_days_later=days.days)
        self.keys = zone.keys
        self.s3 = CountedS3(zone.s3.objects)
        self.records = [
            StoredVersion(ObjectVersion(PROVENANCE, key, "r1"), LANDED_AT)
            for bucket, key in zone.s3.objects
            if bucket == PROVENANCE
        ]

    def cost(self, read: Callable[[Window], None], end: datetime) -> Cost:
        """What reading costs for the four hours before `end`."""
        self.store.reads.clear()
        self.store.bytes_read = self.s3.requests = self.s3.bytes_read = 0
        window = Window(end - 4 * HOUR, end, self.trail.end, timedelta(minutes=30))
        began = time.perf_counter()
        read(window)
        seconds = time.perf_counter() - began
        requests = len(self.store.reads) + self.s3.requests
        return Cost(requests, self.store.bytes_read + self.s3.bytes_read, seconds)

    def ours(self, window: Window) -> None:
        """What the window needs, however old it is."""
        span = window.evidence()
        until = span.delivered_until if span.delivered_until < self.trail.end else None
        named: list[NamedLog] = []
        self._prove(Part(since=span.start - HOUR, until=until, leave=named.append))
        for log in named:
            if span.may_hold(log.log):
                read_log_file(self.store, named_log(LAYOUT.region, log, wanted=True))
        self._read_records(set(window.record_days))

    def reference(self, window: Window) -> None:
        """All that was delivered since the window began: proven, then read."""
        since = window.start - 2 * HOUR
        self._prove(Part(since=since))
        named: list[NamedLog] = []
        before = list(self.store.reads), self.store.bytes_read
        self._prove(Part(since=since, leave=named.append))
        self.store.reads[:], self.store.bytes_read = before  # only which they are
        for log in named:
            read_log_file(self.store, named_log(LAYOUT.region, log, wanted=True))
        first, last = window.start.date() - DAY, window.last_moment.date() + DAY
        self._read_records({first + n * DAY for n in range((last - first).days + 1)})

    def _prove(self, part: Part) -> None:
        report = TrailReport.merged(
            validate_trail(
                self.store,
                LAYOUT,
                lambda _first, _last: KEYS,
                state=STATE,
                as_of=self.trail.end,
                part=part,
            )
        )
        if report.defects:
            raise SystemExit(f"the trail does not hold: {report.defects}")

    def _read_records(self, days: set[date]) -> None:
        filed = (record for record in self.records if day_filed(record.version.key) in days)
        for envelope in read_stored(self.s3, filed, self.keys):  # type: ignore[arg-type]
            if envelope.trouble is not None:
                raise SystemExit(f"a record does not hold: {envelope.trouble}")


def main() -> None:
    """Make the evidence, read it for both windows in both ways, print a line for each number."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--logs", type=int, default=12, help="log files an hour")
    parser.add_argument("--landed", type=int, default=20, help="files landed an hour")
    options = parser.parse_args()
    evidence = Evidence(options.logs, options.landed)
    for window, end in (
        ("fresh", evidence.trail.end),
        ("six_days_old", evidence.trail.end - 6 * DAY),
    ):
        ours = evidence.cost(evidence.ours, end)
        reference = evidence.cost(evidence.reference, end)
        for unit in ("requests", "bytes", "seconds"):
            mine, theirs = getattr(ours, unit), getattr(reference, unit)
            line = {
                "name": f"window_{window}_{unit}",
                "ours": round(mine, 3),
                "reference": round(theirs, 3),
                "ratio": round(mine / theirs, 3),
                "unit": unit,
            }
            print(json.dumps(line), flush=True)


if __name__ == "__main__":
    main()
