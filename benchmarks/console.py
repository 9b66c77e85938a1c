"""What a page of the console takes: an overview of 90 days, 1,000 findings, an object's versions.

The evidence is in memory and S3 costs no time: each request is counted, and so are the bytes. An
overview is measured when a process reads it for the first time, with what the runs of 90 days
signed, and when it is read again, a minute later: as an audit summed up each day of them, and with
no audit, when every statement is read. The ledger of these days has a million rows, of which a run
signs how many there are of each verdict, and those that were found.

Prints a JSON line for each, `{"name", "ours", "reference", "ratio", "unit", "reads", "bytes"}`:
seconds beside those that a person waits for without a thought (docs/console.md).

    python benchmarks/console.py [--days 90] [--versions 1000]
"""

from __future__ import annotations

import argparse
import json
import logging
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

REPOSITORY = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(REPOSITORY), str(REPOSITORY / "plugins")]

from tests.support.audited import RAW, RING, SETTINGS, SIGNER, A, Platform  # noqa: E402
from tests.support.consoles import removed  # noqa: E402
from tests.support.judging_runs import BASIS, PARTS, REPORT, RUN  # noqa: E402
from tests.support.memory_s3 import MemoryS3  # noqa: E402

from custody.aws.runs.keeping import keep_run  # noqa: E402
from custody.aws.runs.stated import summaries_of  # noqa: E402
from custody.aws.seal.log import seal  # noqa: E402
from custody.console import rendering  # noqa: E402
from custody.console.evidence import CurrentEvidence, Evidence  # noqa: E402
from custody.console.objects import Objects  # noqa: E402
from custody.console.reading import Console, Overviews  # noqa: E402
from custody.core.console.selection import Selection  # noqa: E402
from custody.core.paging.found import Found  # noqa: E402
from custody.core.runs.chain import Link, Reached  # noqa: E402
from custody.core.runs.model import RUNS  # noqa: E402
from custody.settings import Settings  # noqa: E402

END: Final = datetime(2026, 11, 1, 12, tzinfo=UTC)
HOUR: Final = timedelta(hours=1)
AUDITED_AT: Final = 2
ROWS: Final = 1_000_000
FOUND: Final = 1_000
PARSED: Final = Settings.parse(SETTINGS)


def judged(s3: MemoryS3, days: int, *, audited: bool) -> None:
    """What an hourly run of each of the days signed, and a nightly audit if they are `audited`."""
    hours = (days - 1) * 24 + END.hour
    bucket = PARSED.provenance_bucket
    for number in reversed(range(hours)):
        end = END - number * HOUR
        s3.now = end + timedelta(minutes=36)
        each = [n for n in range(FOUND) if n % hours == number]
        at = f"{end - HOUR:%Y-%m-%dT%H:%M:%SZ}"
        rows = tuple(removed(f"incoming/{n:04}.csv", bucket=RAW, event_time=at) for n in each)
        report = replace(
            REPORT,
            verdicts={"VERIFIED": ROWS // hours, "REMOVED": len(rows)},
            found=Found(rows).to_document(),
        )
        as_of, start = end + timedelta(minutes=35), end - 2 * HOUR
        run = replace(RUN, id=f"jr_{number:05}", as_of=as_of, start=start, end=end)
        parts = {**PARTS, "report": report.to_bytes()}
        link = Link(Reached(end, end, start), None)
        keep_run(s3, bucket, run, BASIS, parts, signer=SIGNER, key_arn="k", link=link)  # type: ignore[arg-type]
        if audited and end.hour == AUDITED_AT:
            yesterday = s3.now.date() - timedelta(days=1)
            audit = replace(run, job=PARSED.audit_job, id=f"jr_audit_{number:05}")
            runs = summaries_of(s3, SIGNER.key, bucket, yesterday, PARSED.judging_jobs)  # type: ignore[arg-type]
            parts = {**PARTS, RUNS: runs}
            keep_run(s3, bucket, audit, BASIS, parts, signer=SIGNER, key_arn="k")  # type: ignore[arg-type]


def written(s3: MemoryS3, versions: int) -> None:
    """An object of so many versions, each recorded, and all of them sealed."""
    platform = Platform(s3, Path())
    for number in range(versions):
        s3.now = END - timedelta(minutes=versions - number)
        platform.put(RAW, A, b"%d" % number)
    seal(s3, PARSED.provenance_bucket, [platform.entry(p) for p in platform.places], signer=SIGNER)  # type: ignore[arg-type]


def check(expected: bool) -> None:
    """End if what was measured was not the whole work."""
    if not expected:
        raise SystemExit("the page does not show what there is")


def measured(name: str, wanted: float, s3: MemoryS3, page: Callable[[], str]) -> None:
    s3.calls.clear()
    s3.bytes_read = 0
    started, worked = time.perf_counter(), time.process_time()
    length = len(page())
    taken, worked = time.perf_counter() - started, time.process_time() - worked
    result: dict[str, Any] = {
        "name": f"console: {name}",
        "ours": round(taken, 3),
        "reference": wanted,
        "ratio": round(taken / wanted, 2),
        "unit": "s",
        "cpu": round(worked, 3),
        "reads": dict(s3.calls),
        "bytes": s3.bytes_read,
        "page": length,
    }
    print(json.dumps(result), flush=True)


def overviews_of(s3: MemoryS3, clock: list[datetime]) -> Overviews:
    """Those of a process that has read nothing yet."""
    return Overviews(lambda: Console(s3, PARSED, SIGNER.key), lambda: clock[0])  # type: ignore[arg-type]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--days", type=int, default=90)
    parser.add_argument("--versions", type=int, default=1000)
    asked = parser.parse_args()
    logging.disable()
    s3, clock = MemoryS3(), [END + HOUR]
    judged(s3, asked.days, audited=True)
    written(s3, asked.versions)
    Evidence.keys = RING  # type: ignore[assignment, method-assign]
    overviews = overviews_of(s3, clock)
    objects = Objects(CurrentEvidence(overviews.console, lambda: clock[0]))

    def overview() -> str:
        return rendering.overview_page(overviews.of(asked.days)[0], asked.days)

    def findings() -> str:
        found = overviews.of(asked.days)[0]
        check(len(found.open) == FOUND)
        return rendering.findings_page(found, asked.days, Selection(state="open"), 1)

    def one() -> str:
        life = objects.life(A, "", overviews.of(asked.days)[0])
        check(len(life.versions) == asked.versions and life.is_well)
        return rendering.object_page(life, asked.days, PARSED, 1, A)

    measured(f"overview of {asked.days} days, read first", 2, s3, overview)
    clock[0] += timedelta(minutes=1)
    measured(f"overview of {asked.days} days, read again", 2, s3, overview)
    measured(f"{FOUND} findings that stand", 1, s3, findings)
    measured(f"an object of {asked.versions} versions", 2, s3, one)
    s3 = MemoryS3()
    judged(s3, asked.days, audited=False)
    overviews = overviews_of(s3, clock)
    measured(f"overview of {asked.days} days, no audit, read first", 2, s3, overview)


if __name__ == "__main__":
    main()
