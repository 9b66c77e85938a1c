"""Which log files of a trail are to be checked and read, and what comes of each: one fetch."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from datetime import datetime

from custody.aws.s3.errors import ObjectAbsent, ObjectRefused
from custody.aws.trail.listing import list_days
from custody.aws.trail.logs import NamedLog, check_log, unpack
from custody.aws.trail.store import StoredObject, TrailStore
from custody.core.formats.untrusted import MalformedInput
from custody.core.trail.defects import TrailDefect
from custody.core.trail.layout import TrailLayout
from custody.core.trail.log_files import LogContent, read_log
from custody.core.trail.report import TrailReport
from custody.objects import ObjectVersion


@dataclass(frozen=True, slots=True)
class LogToRead:
    """A log file of `region`: as a digest names it (`named`), or the `stored` object while none
    does. Its events are read if they are `wanted`; else it is only checked."""

    region: str
    bucket: str
    key: str
    named: NamedLog | None
    stored: StoredObject | None
    wanted: bool = True

    @property
    def is_as_delivered(self) -> bool:
        """Whether a digest names it and S3 lists it as CloudTrail delivered it: once."""
        return self.named is not None and self.stored is not None and len(self.stored.versions) == 1


@dataclass(frozen=True, slots=True)
class LogRead:
    """What came of a log file: its `content`, None if it was not wanted or there is none, and what
    is wrong with it (`defect`)."""

    file: LogToRead
    content: LogContent | None
    defect: TrailDefect | None


def named_log(region: str, named: NamedLog, *, wanted: bool) -> LogToRead:
    """A log file that a digest names."""
    return LogToRead(region, named.log.bucket, named.log.key, named, named.stored, wanted)


def unnamed_logs(
    store: TrailStore,
    layout: TrailLayout,
    named: Collection[str],
    report: TrailReport,
    since: datetime,
    until: datetime | None,
) -> Iterator[LogToRead]:
    """The log files delivered from `since` until `until` that a digest may yet prove.

    Those whose keys are `named` are left out, and what the report found wrong.
    """
    settled = {*named, *(defect.key for defect in report.defects)}
    for stored in list_days(store, layout.log_prefix, since, until):
        if (
            stored.key not in settled
            and not stored.current.deletes
            and was_delivered(layout, stored.key, since, until)
        ):
            yield LogToRead(layout.region, layout.bucket, stored.key, None, stored)


def was_delivered(
    layout: TrailLayout, key: str, since: datetime, until: datetime | None = None
) -> bool:
    """Whether `key` is a log file's, delivered from `since` to `until`; its name tells the
    minute."""
    delivered = layout.log_time(key)
    return (
        delivered is not None
        and delivered >= since.replace(second=0, microsecond=0)
        and (until is None or delivered <= until)
    )


def read_log_file(store: TrailStore, file: LogToRead) -> LogRead:
    """Check a log file and read its events: proven ones if a digest vouches for its bytes.

    One that cannot be read has that as its one problem. Raises what the store raises when it is not
    the object's fault.
    """
    if file.named is None:
        return LogRead(file, _problems_told(file, lambda: _unproven(store, file)), None)
    checked = check_log(store, file.named, keep=file.wanted)
    if checked.proven is None or not file.wanted:
        return LogRead(file, None, checked.defect)
    digest = checked.proven.digest_key
    content = _problems_told(
        file, lambda: read_log(checked.content, log=file.key, proven=True, digest=digest)
    )
    return LogRead(file, content, checked.defect)


def _unproven(store: TrailStore, file: LogToRead) -> LogContent:
    assert file.stored is not None  # noqa: S101 - see unnamed_logs
    version = ObjectVersion(file.bucket, file.key, file.stored.current.id)
    try:
        (_, content), _ = store.read(
            version.bucket,
            version.key,
            version.version_id,
            lambda _, chunks: unpack(chunks, keep=True),
        )
    except (ObjectAbsent, ObjectRefused) as error:
        raise MalformedInput("log file", f"S3 does not hand it out ({error})") from error
    return read_log(content, log=file.key, proven=False)


def _problems_told(file: LogToRead, read: Callable[[], LogContent]) -> LogContent:
    try:
        return read()
    except MalformedInput as error:
        return LogContent(file.key, (), {}, (str(error),))
