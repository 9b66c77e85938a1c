"""What the runs of some days state of themselves, each read once."""

from __future__ import annotations

import logging
import threading
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Final

from custody.aws.runs.keeping import Judgement, read_run
from custody.aws.s3.listing import list_versions
from custody.core.console.standing import ReadRun
from custody.core.paging.found import Found
from custody.core.runs.airflow_log import AirflowLog
from custody.core.runs.model import RUN_PREFIX, run_of_key
from custody.core.runs.report import RunReport
from custody.core.runs.statement import BadRun
from custody.core.tlog.signed_note import NoteKey
from custody.objects import ObjectVersion

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

log = logging.getLogger(__name__)

_AT_ONCE: Final = 16

_MOST_ROWS: Final = 100_000
"""Rows and acts that are kept, so that memory is bounded: what is more is read again."""


@dataclass(frozen=True, slots=True)
class _Stated:
    """Where a run may state something: its day, its id, and the versions that lie there. What these
    say never changes, so it need not be read again."""

    day: date
    run_id: str
    versions: tuple[ObjectVersion, ...]


@dataclass(frozen=True, slots=True)
class Runs:
    """The runs that are believed, and the places of statements that are not."""

    read: Sequence[ReadRun]
    disbelieved: Sequence[str]


class RunHistory:
    """Reads what the runs of `jobs` state in the bucket `provenance`, signed by `key`.

    What was read is kept, so that reading again costs one listing a day. Of several threads.
    """

    def __init__(self, key: NoteKey, provenance: str, jobs: Sequence[str]) -> None:
        self._key, self._provenance, self._jobs = key, provenance, tuple(jobs)
        self._kept: dict[_Stated, ReadRun | None] = {}
        self._lock = threading.Lock()

    def runs(self, s3: S3Client, days: Iterable[date]) -> Runs:
        """What the runs that judged on these days state; raises what botocore raises."""
        connections = s3.meta.config.max_pool_connections  # type: ignore[attr-defined]
        at_once = min(_AT_ONCE, connections)
        with self._lock, ThreadPoolExecutor(at_once) as pool:
            listed = pool.map(lambda day: list(_stated(s3, self._provenance, day)), days)
            stated = [each for of_day in listed for each in of_day]
            new = [each for each in stated if each not in self._kept]
            read = dict(zip(new, pool.map(lambda each: self._read(s3, each), new), strict=True))
            known = self._kept | read
            self._kept = _within(known)
        found = {each: known[each] for each in stated}
        return Runs(
            [run for run in found.values() if run is not None],
            [f"{each.day} {each.run_id}" for each, run in found.items() if run is None],
        )

    def _read(self, s3: S3Client, stated: _Stated) -> ReadRun | None:
        """What a run states; None if it must not be believed."""
        for job in self._jobs:
            try:
                told = read_run(
                    s3,
                    self._key,
                    self._provenance,
                    job=job,
                    run_id=stated.run_id,
                    day=stated.day,
                    parts=["report"],
                    versions=stated.versions,
                )
                return _read_run(told)
            except (BadRun, ValueError) as error:
                log.info("not of %s, or not to be believed: %s", job, error)
        return None


def _read_run(told: Judgement) -> ReadRun:
    """Raises `ValueError` (`MalformedInput`) for a report that is none."""
    report = RunReport.parse(told.parts["report"])
    found, statement = Found.from_document(report.found), told.statement
    acts = AirflowLog.from_document(report.airflow) if report.airflow else None
    return ReadRun(statement.run, report.verdicts, found, statement.basis.policy, acts)


def _stated(s3: S3Client, bucket: str, day: date) -> Iterator[_Stated]:
    """Each run of that day of which there may be a statement, hidden ones included."""
    versions: defaultdict[str, list[ObjectVersion]] = defaultdict(list)
    for stored in list_versions(s3, bucket, f"{RUN_PREFIX}dt={day}/"):
        run_id = run_of_key(stored.version.key)
        if run_id is not None and not stored.is_delete_marker:
            versions[run_id].append(stored.version)
    for run_id, found in versions.items():
        yield _Stated(day, run_id, tuple(found))


def _within(found: dict[_Stated, ReadRun | None]) -> dict[_Stated, ReadRun | None]:
    """As many of them as may be kept, the latest first."""
    kept, rows = {}, 0
    for each in sorted(found, key=lambda each: (each.day, each.run_id), reverse=True):
        run = found[each]
        rows += (
            0 if run is None else len(run.found.rows) + len(run.airflow.acts if run.airflow else ())
        )
        if rows > _MOST_ROWS:
            break
        kept[each] = run
    return kept
