"""Checking one log file against the digest that names it, and reading it in the same go."""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from custody.aws.s3.errors import ObjectAbsent, ObjectRefused
from custody.aws.trail.store import StoredObject, TrailStore, Version
from custody.core.formats.strict_gzip import Gunzip
from custody.core.formats.untrusted import MalformedInput
from custody.core.trail.defects import TrailDefect, TrailDefectKind
from custody.core.trail.digests.document import LogFile
from custody.core.trail.log_files import MAX_LOG_BYTES
from custody.core.trail.report import ProvenLog

_VERSIONS_TRIED: Final = 8
"""Versions of one log file among which CloudTrail's own is looked for, the oldest first."""


@dataclass(frozen=True)
class NamedLog:
    """A log file that a digest names, and the object listed under its key, if there is one."""

    log: LogFile
    digest_key: str
    stored: StoredObject | None


@dataclass(frozen=True)
class CheckedLog:
    """`proven` is the version whose bytes the digest vouches for, if there is one; `defect`
    what is wrong with what stands there now. At least one is set. `content` are the uncompressed
    bytes of `proven`, if they were to be kept."""

    proven: ProvenLog | None
    defect: TrailDefect | None
    content: bytes = b""


def check_log(store: TrailStore, named: NamedLog, *, keep: bool = False) -> CheckedLog:
    """Whether the current bytes are those that the digest vouches for, or else an older version's;
    with `keep` what they are.

    In a versioned bucket, a changed or deleted log file leaves CloudTrail's own version, whose
    events stay proven. Raises what the store raises when it is not the object's fault.
    """
    current, *older = named.stored.versions if named.stored else [None]
    try:
        proven, content = _prove(store, named, current, keep)
        return CheckedLog(proven, None, content)
    except _Unproven as error:
        defect = TrailDefect(
            error.kind,
            named.log.bucket,
            named.log.key,
            str(error),
            current.id if current else None,
            named.digest_key,
            period_start=named.log.oldest,
            period_end=named.log.newest,
        )
    stored = [version for version in reversed(older) if version and not version.deletes]
    for version in stored[:_VERSIONS_TRIED]:
        with contextlib.suppress(_Unproven):
            proven, content = _prove(store, named, version, keep)
            return CheckedLog(proven, defect, content)
    return CheckedLog(None, defect)


class _Unproven(Exception):
    """A version of a log file is not what the digest vouches for; the message is a sentence."""

    def __init__(self, kind: TrailDefectKind, reason: str) -> None:
        super().__init__(reason)
        self.kind = kind


def _prove(
    store: TrailStore, named: NamedLog, version: Version | None, keep: bool
) -> tuple[ProvenLog, bytes]:
    log = named.log
    if version is not None and version.deletes:
        raise _Unproven(TrailDefectKind.LOG_MISSING, "The log file was deleted.")
    try:
        (sha256, content), read = store.read(
            log.bucket,
            log.key,
            version.id if version else None,
            lambda _, chunks: unpack(chunks, keep=keep),
        )
    except ObjectAbsent as error:
        raise _Unproven(
            TrailDefectKind.LOG_MISSING, "The log file that the digest names is gone."
        ) from error
    except ObjectRefused as error:
        raise _Unproven(
            TrailDefectKind.UNREADABLE, f"S3 does not hand out the log file ({error})."
        ) from error
    except MalformedInput as error:
        raise _Unproven(
            TrailDefectKind.LOG_ALTERED, f"The log file cannot be read: it {error.problem}."
        ) from error
    if sha256 != log.sha256:
        raise _Unproven(
            TrailDefectKind.LOG_ALTERED,
            f"The log file's bytes hash to {sha256}, the digest says {log.sha256}.",
        )
    return ProvenLog(read, sha256, named.digest_key), content


def unpack(chunks: Iterator[bytes], *, keep: bool) -> tuple[str, bytes]:
    """The SHA-256 of a log file's uncompressed bytes, and these if they are to be kept.

    Raises `MalformedInput` if nobody can read them.
    """
    reader, digest = Gunzip("log file", max_bytes=MAX_LOG_BYTES), hashlib.sha256()
    packed_bytes, kept = 0, bytearray()
    for chunk in chunks:
        packed_bytes += len(chunk)
        if packed_bytes > MAX_LOG_BYTES:
            raise MalformedInput("log file", f"is longer than the {MAX_LOG_BYTES} bytes accepted")
        for piece in reader.feed(chunk):
            digest.update(piece)
            if keep:
                kept += piece
    reader.finish()
    return digest.hexdigest(), bytes(kept)
