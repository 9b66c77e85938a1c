"""What is stated of the runs of a day: where, and what it says."""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING, Final

from custody.aws.runs.keeping import read_part, read_statement
from custody.aws.s3.listing import list_versions
from custody.core.formats.untrusted import MalformedInput
from custody.core.runs.model import (
    RUN_PREFIX,
    RUNS,
    run_of_key,
    run_that_sums_up,
    statement_key,
)
from custody.core.runs.report import RunReport
from custody.core.runs.statement import BadRun
from custody.core.runs.summaries import RunSummary, from_bytes, to_bytes
from custody.core.tlog.signed_note import NoteKey
from custody.objects import ObjectVersion

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

log = logging.getLogger(__name__)

_AT_ONCE: Final = 16


@dataclass(frozen=True, slots=True)
class Stated:
    """Where a run may state something: its day, its id, and the versions that lie there, of a key
    the newest first. What these say never changes, so it need not be read again. Whether it may sum
    up other runs."""

    day: date
    run_id: str
    versions: tuple[ObjectVersion, ...]
    sums_up: bool = field(default=False, compare=False)


@dataclass(frozen=True, slots=True)
class Told:
    """What a run states: in which version, in few words; and its summaries of others, each by the
    version that it is of."""

    version: ObjectVersion
    summary: RunSummary
    others: Mapping[ObjectVersion, RunSummary]


def stated_on(s3: S3Client, bucket: str, day: date) -> Iterator[Stated]:
    """Each run of that day of which there may be a statement, hidden ones included.

    Raises what botocore raises.
    """
    versions: defaultdict[str, list[ObjectVersion]] = defaultdict(list)
    sum_up: set[str] = set()
    for stored in list_versions(s3, bucket, f"{RUN_PREFIX}dt={day}/"):
        key = stored.version.key
        if (run_id := run_of_key(key)) is not None and not stored.is_delete_marker:
            versions[run_id].append(stored.version)
        elif (run_id := run_that_sums_up(key)) is not None:
            sum_up.add(run_id)
    for run_id, found in versions.items():
        yield Stated(day, run_id, tuple(found), run_id in sum_up)


def told_in(s3: S3Client, key: NoteKey, stated: Stated, jobs: Collection[str]) -> Told | None:
    """What a run of one of these jobs states there, signed by `key`; None if that is nothing that
    is to be believed. Raises what botocore raises.

    The oldest version is read first: a run writes its statement once, as the first of its key, so
    that however many somebody puts over it cost nothing.
    """
    place = statement_key(stated.day, stated.run_id)
    for version in reversed(stated.versions):
        if version.key != place:
            continue
        try:
            statement = read_statement(s3, key, version)
            run = statement.run
            if run.job not in jobs or run.statement_key != place:
                log.info("%s is the statement of run %s of %s", version, run.id, run.job)
                continue
            report = RunReport.parse(read_part(s3, statement, "report"))
        except (BadRun, MalformedInput) as error:
            log.info("not to be believed: %s", error)
            continue
        try:
            raw = read_part(s3, statement, RUNS) if RUNS in statement.parts else None
            others = from_bytes(raw, version.bucket) if raw is not None else {}
        except (BadRun, MalformedInput) as error:
            log.warning("the runs that %s sums up have to be read: %s", version, error)
            others = {}
        return Told(version, RunSummary.of(statement, report), others)
    return None


def summaries_of(
    s3: S3Client, key: NoteKey, bucket: str, day: date, jobs: Collection[str]
) -> bytes:
    """The summaries of what the runs of these jobs state on that day, as an audit keeps them.

    Raises what botocore raises.
    """
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        found = pool.map(lambda stated: told_in(s3, key, stated, jobs), stated_on(s3, bucket, day))
        return to_bytes({told.version: told.summary for told in found if told is not None})
