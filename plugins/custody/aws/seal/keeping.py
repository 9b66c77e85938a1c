"""Checking the seal against the remembered head, and sealing if nothing is wrong."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from custody.aws.s3.listing import latest_version, latest_version_id
from custody.aws.seal.log import Sealed, seal, seal_history, seal_reader
from custody.core.formats.untrusted import MalformedInput
from custody.core.seal.check import (
    COSIGNED,
    REMEMBERED,
    SealCheck,
    SealDefect,
    SealDefectKind,
    check_seal,
)
from custody.core.seal.entries import SealEntry
from custody.core.seal.layout import CHECKPOINT_PATH, SEAL_PREFIX
from custody.core.tlog.merkle import BadProof
from custody.core.tlog.signed_note import BadNote, NoteSigner
from custody.core.tlog.tiled_tree import Sample
from custody.core.tlog.tiles import BadTile
from custody.objects import UNVERSIONED, ObjectVersion

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


@dataclass(frozen=True)
class LocatedDefect:
    """A defect, and the version that stood at its path when it was found (`"null"` if none)."""

    defect: SealDefect
    version_id: str


@dataclass(frozen=True)
class SealKept:
    """The defects found, what was `sealed` (None if nothing could be), and the `head` to
    remember from now on (None: keep the old one)."""

    defects: tuple[LocatedDefect, ...]
    sealed: Sealed | None
    head: bytes | None


def keep_seal(
    s3: S3Client,
    bucket: str,
    entries: Iterable[SealEntry],
    *,
    signer: NoteSigner,
    remembered: bytes | None,
    sample: Sample | None = None,
) -> SealKept:
    """Check the log in the provenance `bucket`, and seal `entries` if it is sound.

    What is new in it since the `remembered` head is read, and a `sample` of what is older. If
    an older checkpoint was put back and nothing else is wrong, the appends that were decided after
    it are completed first; if the log then begins with the remembered one, `entries` are sealed.
    With any other defect nothing is appended: we would sign a fork ourselves. Raises
    `SealContended` and what botocore raises.
    """
    check = _check(s3, bucket, signer, remembered, sample)
    if remembered is None and latest_version(s3, bucket, _key(CHECKPOINT_PATH)) is None:
        defects: tuple[LocatedDefect, ...] = ()  # the first seal, or one cut off before its end
    else:
        defects = locate(s3, bucket, check.defects)
        if check.checkpoint is None or any(
            defect.kind is not SealDefectKind.ROLLBACK for defect in check.defects
        ):
            return SealKept(defects, None, None)
    try:
        if defects:
            seal(s3, bucket, (), signer=signer)
            if _check(s3, bucket, signer, remembered, sample).defects:
                return SealKept(defects, None, None)
        sealed = seal(s3, bucket, entries, signer=signer)
    except BadTile as error:
        found = SealDefect(SealDefectKind.BAD_TILE, error.path, error.problem)
    except (BadNote, MalformedInput, BadProof) as error:
        found = SealDefect(SealDefectKind.BAD_CHECKPOINT, CHECKPOINT_PATH, str(error))
    else:
        return SealKept(defects, sealed, sealed.note)
    return SealKept((*defects, *locate(s3, bucket, [found])), None, None)


def _check(
    s3: S3Client,
    bucket: str,
    signer: NoteSigner,
    remembered: bytes | None,
    sample: Sample | None,
) -> SealCheck:
    return check_seal(
        seal_reader(s3, bucket),
        seal_history(s3, bucket),
        origin=signer.key.name,
        keys=signer.key.all,
        remembered=remembered,
        sample=sample,
    )


def locate(s3: S3Client, bucket: str, defects: Iterable[SealDefect]) -> tuple[LocatedDefect, ...]:
    """The defects with the versions that stand at their paths in the provenance `bucket` now."""
    return tuple(LocatedDefect(defect, _latest_at(s3, bucket, defect.path)) for defect in defects)


def version_of(
    s3: S3Client, located: LocatedDefect, *, bucket: str, heads: Mapping[str, tuple[str, str]]
) -> ObjectVersion:
    """The object version that a defect is about.

    That is a file of the log, which is in `bucket`, or the version that something remembered has
    now: `heads` are bucket and key of each by the path of its defects.
    """
    head = heads.get(located.defect.path)
    if head is not None:
        return ObjectVersion(*head, latest_version_id(s3, *head))
    return ObjectVersion(bucket, _key(located.defect.path), located.version_id)


def _latest_at(s3: S3Client, bucket: str, path: str) -> str:
    if path in (REMEMBERED, COSIGNED):
        return UNVERSIONED
    return latest_version_id(s3, bucket, _key(path))


def _key(path: str) -> str:
    return SEAL_PREFIX + path
