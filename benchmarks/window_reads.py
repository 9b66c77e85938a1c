"""What judging four hours of weeks ago costs of the trail, beside judging the last four hours.

A trail of four weeks (12 log files an hour, hourly digests) is made in memory. For a window of
each age the digests are proven and the log files that may tell of it are read, as the
reconciliation does (`custody.aws.trail.proof.prove_recent`). Reads, bytes and seconds are counted.

Prints JSON lines: `{"name", "ours", "reference", "ratio", "unit"}`; ours is the oldest window, the
reference the newest. The ratio is bounded by the two days in which a log file may still be
delivered, however old the window is; where everything since was read, it was the age.

    python benchmarks/window_reads.py [--days 28]
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "plugins"))

from tests.support.trail_history import HOUR, KEYS, LAYOUT, NOON, History, MemoryStore

from custody.aws.trail.checking import Part
from custody.aws.trail.log_reading import named_log, read_log_file
from custody.aws.trail.logs import NamedLog
from custody.aws.trail.validation import validate_trail
from custody.core.ledger.hours.windows import Window
from custody.core.trail.report import TrailReport
from custody.core.trail.state import TrailState

LOGS_PER_HOUR = 12
STATE = TrailState(LAYOUT.bucket, "", logging=True, validated=True, started_at=NOON)


class CountedStore(MemoryStore):
    """A bucket in memory that counts the bytes it hands out."""

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


def judge(history: History, store: CountedStore, end: datetime) -> tuple[int, int, float]:
    """Reads, bytes and seconds of the four hours before `end`."""
    store.reads.clear()
    store.bytes_read = 0
    window = Window(end - 4 * HOUR, end, history.end, timedelta(minutes=30))
    span = window.evidence()
    until = span.delivered_until if span.delivered_until < history.end else None
    named: list[NamedLog] = []
    began = time.perf_counter()
    report = TrailReport.merged(
        validate_trail(
            store,
            LAYOUT,
            lambda _first, _last: KEYS,
            state=STATE,
            as_of=history.end,
            part=Part(since=span.start - HOUR, until=until, leave=named.append),
        )
    )
    for log in named:
        if span.may_hold(log.log):
            read_log_file(store, named_log(LAYOUT.region, log, wanted=True))
    seconds = time.perf_counter() - began
    if report.defects:
        raise SystemExit(f"the trail does not hold: {report.defects}")
    return len(store.reads), store.bytes_read, seconds


def main() -> None:
    """Make the trail, judge both windows, print a line for each number."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--days", type=int, default=28, help="age of the trail")
    days = parser.parse_args().days
    store = CountedStore()
    history = History(store, logs_per_hour=LOGS_PER_HOUR).hours(24 * days)
    newest = judge(history, store, history.end)
    oldest = judge(history, store, history.start + 8 * HOUR)
    for name, unit, ours, reference in zip(
        ("window_reads", "window_bytes", "window_seconds"),
        ("reads", "bytes", "s"),
        oldest,
        newest,
        strict=True,
    ):
        line = {
            "name": name,
            "ours": round(ours, 3),
            "reference": round(reference, 3),
            "ratio": round(ours / reference, 2),
            "unit": unit,
        }
        print(json.dumps(line), flush=True)


if __name__ == "__main__":
    main()
