"""What the runs of some days state of themselves, each read once."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Final

from custody.aws.runs.stated import Stated, Told, stated_on, told_in
from custody.core.console.standing import ReadRun
from custody.core.paging.found import Found
from custody.core.runs.airflow_log import AirflowLog
from custody.core.runs.summaries import RunSummary
from custody.core.tlog.signed_note import NoteKey

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

log = logging.getLogger(__name__)

_AT_ONCE: Final = 16

_MOST_ROWS: Final = 100_000
"""Rows and acts that are kept, so that memory is bounded: what is more is read again."""


@dataclass(frozen=True, slots=True)
class Runs:
    """The runs that are believed, and the places of statements that are not."""

    read: Sequence[ReadRun]
    disbelieved: Sequence[str]


class RunHistory:
    """Reads what the runs of `jobs` state in the bucket `provenance`, signed by `key`.

    Audits are read first, and of the runs that they sum up nothing else is. What was read is kept,
    so that reading again costs one listing a day. Of several threads.
    """

    def __init__(self, key: NoteKey, provenance: str, jobs: Sequence[str]) -> None:
        self._key, self._provenance, self._jobs = key, provenance, tuple(jobs)
        self._kept: dict[Stated, ReadRun | None] = {}
        self._lock = threading.Lock()

    def runs(self, s3: S3Client, days: Iterable[date]) -> Runs:
        """What the runs that judged on these days state; raises what botocore raises."""
        connections = s3.meta.config.max_pool_connections  # type: ignore[attr-defined]
        at_once = min(_AT_ONCE, connections)
        with self._lock, ThreadPoolExecutor(at_once) as pool:
            listed = pool.map(lambda day: list(stated_on(s3, self._provenance, day)), days)
            stated = [each for of_day in listed for each in of_day]
            new = [each for each in stated if each not in self._kept]
            known = self._kept | self._read(s3, new, pool)
            self._kept = _within(known)
        found = {each: known[each] for each in stated}
        return Runs(
            [run for run in found.values() if run is not None],
            [f"{each.day} {each.run_id}" for each, run in found.items() if run is None],
        )

    def _read(
        self, s3: S3Client, stated: Sequence[Stated], pool: ThreadPoolExecutor
    ) -> dict[Stated, ReadRun | None]:
        """What each of them states; None where that must not be believed."""

        def told(some: Iterable[Stated]) -> Iterator[Told | None]:
            return pool.map(lambda each: told_in(s3, self._key, each, self._jobs), some)

        audits = [each for each in stated if each.sums_up]
        of_audits = dict(zip(audits, told(audits), strict=True))
        others = {
            version: run
            for audit in of_audits.values()
            if audit is not None
            for version, summary in audit.others.items()
            if summary.run.job in self._jobs and (run := _read_run(summary)) is not None
        }
        read = {each: _read_told(audit) for each, audit in of_audits.items()}
        for each in stated:
            summed_up = [others[version] for version in each.versions if version in others]
            if summed_up and read.get(each) is None:
                read[each] = summed_up[0]
        left = [each for each in stated if each not in read]
        return read | dict(zip(left, map(_read_told, told(left)), strict=True))


def _read_told(told: Told | None) -> ReadRun | None:
    return _read_run(told.summary) if told is not None else None


def _read_run(summary: RunSummary) -> ReadRun | None:
    """What a run found, as the rules read it; None if it is not what a report has."""
    try:
        found = Found.from_document(summary.found)
        acts = AirflowLog.from_document(summary.airflow) if summary.airflow else None
    except ValueError as error:
        log.info("run %s is not to be believed: %s", summary.run.id, error)
        return None
    return ReadRun(summary.run, summary.verdicts, found, summary.policy, acts)


def _within(found: dict[Stated, ReadRun | None]) -> dict[Stated, ReadRun | None]:
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
