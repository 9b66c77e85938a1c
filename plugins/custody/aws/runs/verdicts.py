"""The files of verdicts that count, by the runs' own words: no table is asked."""

from __future__ import annotations

import logging
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from typing import TYPE_CHECKING, Final

from custody.aws.runs.keeping import Judgement, read_run
from custody.aws.runs.stated import Stated, stated_on
from custody.core.formats.untrusted import MalformedInput
from custody.core.runs.files import WrittenFile, files_from_bytes, verdicts_folder
from custody.core.runs.hours import last_judges
from custody.core.runs.statement import BadRun
from custody.core.tlog.signed_note import NoteKey

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

log = logging.getLogger(__name__)

_AT_ONCE: Final = 16


def verdict_files(
    s3: S3Client, key: NoteKey, provenance: str, *, job: str, first: date, last: date, today: date
) -> list[WrittenFile]:
    """The Parquet files with the verdicts about the hours of these days: of each hour those of the
    run of `job` that judged it last, until `today`.

    A run whose statement `key` did not sign has judged nothing. Raises what botocore raises.
    """
    days = [first + timedelta(days=n) for n in range((today - first).days + 1)]
    stated = [each for day in days for each in stated_on(s3, provenance, day)]

    def read(each: Stated) -> Judgement | None:
        try:
            return read_run(
                s3, key, provenance, job=job, run_id=each.run_id, day=each.day, parts=["files"]
            )
        except BadRun as error:
            log.info("not of this job, or not to be believed: %s", error)
            return None

    with ThreadPoolExecutor(_AT_ONCE) as pool:
        told = {judged.statement.run: judged for judged in pool.map(read, stated) if judged}
    files: list[WrittenFile] = []
    for hour, run in last_judges(told, first, last).items():
        folder = verdicts_folder(run.id, hour)
        files += [
            file for path, file in _files(told[run]).items() if path.rpartition("/")[0] == folder
        ]
    return files


def _files(judged: Judgement) -> dict[str, WrittenFile]:
    try:
        return dict(files_from_bytes(judged.parts["files"]))
    except MalformedInput as error:
        log.warning("the files of run %s are not believed: %s", judged.statement.run.id, error)
        return {}
