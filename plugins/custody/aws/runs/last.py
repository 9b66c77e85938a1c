"""The last run of a job: the one whose statement says that it judged last, and its report."""

from __future__ import annotations

import logging
from concurrent.futures import ThreadPoolExecutor
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Final

from custody.aws.runs.keeping import read_run
from custody.aws.s3.errors import ObjectAbsent, ObjectWithheld
from custody.aws.s3.listing import KeyRange, StoredVersion, list_folders, stored_versions
from custody.aws.s3.reading import read_version
from custody.core.formats.dsse import MAX_ENVELOPE_BYTES
from custody.core.formats.untrusted import MalformedInput
from custody.core.runs.model import RUN_PREFIX, run_of_key
from custody.core.runs.report import RunReport
from custody.core.runs.statement import BadRun, RunStatement, open_run
from custody.core.tlog.signed_note import NoteKey

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

log = logging.getLogger(__name__)

_AT_ONCE: Final = 16
_DAY: Final = "dt="
_CLOCKS: Final = timedelta(minutes=5)
"""How far the clocks of S3 and of whoever asks a job may be apart."""


def last_run(
    s3: S3Client, key: NoteKey, bucket: str, *, job: str, as_of: datetime
) -> RunStatement | None:
    """What the last run of `job` states, signed by `key`, as it stands at `as_of`; None if there is
    none.

    What hides a statement hides nothing from this. What is none, is not under its own name, was
    stored before the time that it claims to have judged at, or was encrypted anew so that S3 does
    not hand it out, is passed over: who did that is in the trail. Raises `ObjectWithheld` if S3
    hands out none at all, for then it is no fault of one; and what botocore raises.
    """
    withheld: list[ObjectWithheld] = []

    def read(stored: StoredVersion) -> RunStatement | None:
        try:
            raw = read_version(s3, stored.version, max_bytes=MAX_ENVELOPE_BYTES)
            statement = open_run(raw, key)
        except (BadRun, ObjectAbsent, ObjectWithheld) as error:
            log.warning("no statement of a run: %s: %s", stored, error)
            if isinstance(error, ObjectWithheld):
                withheld.append(error)
            return None
        run = statement.run
        is_named = run.job == job and run.statement_key == stored.version.key
        is_of_then = run.as_of <= as_of and run.as_of <= stored.last_modified + _CLOCKS
        return statement if is_named and is_of_then else None

    for day in sorted(_days(s3, bucket, as_of.date()), reverse=True):
        stored = [
            version
            for version in stored_versions(s3, bucket, KeyRange(f"{RUN_PREFIX}{_DAY}{day}/"))
            if run_of_key(version.version.key) is not None
        ]
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            found = [statement for statement in pool.map(read, stored) if statement is not None]
        if found:
            return max(found, key=lambda statement: (statement.run.as_of, statement.run.id))
    if withheld:
        raise withheld[0]
    return None


def last_report(
    s3: S3Client, key: NoteKey, bucket: str, *, job: str, as_of: datetime
) -> RunReport | None:
    """The report of the last run of `job` of which it can be read; None if there is none.

    Raises what `last_run` raises.
    """
    while (statement := last_run(s3, key, bucket, job=job, as_of=as_of)) is not None:
        run = statement.run
        try:
            told = read_run(s3, key, bucket, job=job, run_id=run.id, day=run.day, parts=["report"])
            return RunReport.parse(told.parts["report"])
        except (BadRun, MalformedInput) as error:
            log.warning("passed over for the one before: %s", error)
        as_of = run.as_of - timedelta.resolution
    return None


def _days(s3: S3Client, bucket: str, last: date) -> list[date]:
    """The days, until the `last`, on which any run judged."""
    days = []
    for folder in list_folders(s3, bucket, RUN_PREFIX):
        try:
            day = date.fromisoformat(folder.removeprefix(_DAY))
        except ValueError:
            continue
        if folder.startswith(_DAY) and day <= last:
            days.append(day)
    return days
