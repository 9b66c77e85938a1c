"""The caches of checks in the analytics bucket: which of their files a run named."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Final

from custody.aws.runs.keeping import read_run
from custody.aws.s3.listing import StoredVersion, list_versions
from custody.core.formats.untrusted import MalformedInput
from custody.core.runs.files import WrittenFile, files_from_bytes, writer_of
from custody.core.runs.statement import BadRun
from custody.core.tlog.signed_note import NoteKey

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

log = logging.getLogger(__name__)

_AT_ONCE: Final = 16


@dataclass(frozen=True, slots=True)
class CacheTrust:
    """Whose caches are believed: those of runs of `job` whose statement in the bucket `provenance`
    `key` signed, and that trusted the same keys (`trust`)."""

    provenance: str
    key: NoteKey
    job: str
    trust: str


def named_files(
    s3: S3Client, bucket: str, table: str, days: Iterable[date], by: CacheTrust
) -> list[WrittenFile]:
    """The files of a table of checks (its prefix in `bucket`) of these days that the run which
    wrote them named, each still the version that it wrote.

    Whatever else lies there is ignored: who put it there is for the trail to say. Raises what
    botocore raises.
    """
    present = {
        stored.version.key: stored
        for day in days
        for stored in list_versions(s3, bucket, f"{table}dt={day}/")
        if stored.is_latest and not stored.is_delete_marker
    }
    writers = sorted({writer for key in present if (writer := writer_of(key))})
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        named = list(pool.map(lambda writer: _named_by(s3, writer, by), writers))
    files = {file.key: file for listed in named for file in listed}
    kept = [file for key, file in files.items() if _is(file, present.get(key))]
    ignored = [key for key in present if key.endswith(".parquet") and key not in files]
    if ignored:
        log.warning("%d files below %s are of no run's naming: %s", len(ignored), table, ignored[0])
    return kept


def _named_by(s3: S3Client, writer: tuple[date, str], by: CacheTrust) -> Sequence[WrittenFile]:
    """The files that a run named below its own folders; none, if it must not be believed."""
    day, run_id = writer
    try:
        told = read_run(
            s3, by.key, by.provenance, job=by.job, run_id=run_id, day=day, parts=["files"]
        )
        files = files_from_bytes(told.parts["files"])
    except (BadRun, MalformedInput) as error:
        log.warning("the caches of run %s are not believed: %s", run_id, error)
        return []
    if told.statement.basis.trust != by.trust:
        log.info("the caches of run %s were made with other keys", run_id)
        return []
    return [file for key, file in files.items() if writer_of(key) == writer]


def _is(file: WrittenFile, stored: StoredVersion | None) -> bool:
    return stored is not None and stored.version.version_id == file.version_id
