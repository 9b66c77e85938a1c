"""Checking the seal against the head remembered, and sealing if it holds."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from custody.aws.s3.heads import standing_version
from custody.aws.seal.log import Sealed, seal, seal_history, seal_reader
from custody.core.formats.untrusted import MalformedInput
from custody.core.seal.check import REMEMBERED, SealCheck, SealFinding, SealProblem, check_seal
from custody.core.seal.entries import SealEntry
from custody.core.seal.layout import CHECKPOINT_PATH, SEAL_PREFIX
from custody.core.tlog.merkle import BadProof
from custody.core.tlog.signed_note import BadNote, NoteSigner
from custody.core.tlog.tiles import BadTile, Sample
from custody.objects import UNVERSIONED

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


@dataclass(frozen=True)
class SealOffence:
    """A finding, and the version that stood at its path when it was found (``"null"`` if none)."""

    finding: SealFinding
    version_id: str


@dataclass(frozen=True)
class SealKept:
    """What was wrong, what was ``sealed`` (None if nothing could be), and the ``head`` to remember
    from now on (None: keep the old one)."""

    offences: tuple[SealOffence, ...]
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
    """Check the log in the provenance ``bucket``, and seal ``entries`` if it is sound.

    What is new in it since the ``remembered`` head is read, and a ``sample`` of what is older.
    A log that only went back is first brought forward by what was decided after its head; if it
    then begins with what is remembered, it is sealed on. Else, or with anything else wrong, nothing
    is appended: that would be a fork signed by our own hand. Raises ``SealContended`` and what
    botocore raises.
    """
    check = _check(s3, bucket, signer, remembered, sample)
    if remembered is None and standing_version(s3, bucket, _key(CHECKPOINT_PATH)) is None:
        offences: tuple[SealOffence, ...] = ()  # the first seal, or one cut off before its end
    else:
        offences = _offences(s3, bucket, check.findings)
        if check.checkpoint is None or any(
            finding.problem is not SealProblem.ROLLBACK for finding in check.findings
        ):
            return SealKept(offences, None, None)
    try:
        if offences:
            seal(s3, bucket, (), signer=signer)
            if _check(s3, bucket, signer, remembered, sample).findings:
                return SealKept(offences, None, None)
        sealed = seal(s3, bucket, entries, signer=signer)
    except BadTile as error:
        found = SealFinding(SealProblem.BAD_TILE, error.path, error.problem)
    except (BadNote, MalformedInput, BadProof) as error:
        found = SealFinding(SealProblem.BAD_CHECKPOINT, CHECKPOINT_PATH, str(error))
    else:
        return SealKept(offences, sealed, sealed.note)
    return SealKept((*offences, *_offences(s3, bucket, [found])), None, None)


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
        keys=(signer.key,),
        remembered=remembered,
        sample=sample,
    )


def _offences(
    s3: S3Client, bucket: str, findings: Iterable[SealFinding]
) -> tuple[SealOffence, ...]:
    return tuple(
        SealOffence(finding, _standing(s3, bucket, finding.path) or UNVERSIONED)
        for finding in findings
    )


def place_of(
    s3: S3Client, offence: SealOffence, *, bucket: str, head: tuple[str, str]
) -> tuple[str, str, str]:
    """Bucket, key and version of what is wrong: in the log, which is in ``bucket``, or the
    remembered ``head`` (bucket and key), as it stands now."""
    if offence.finding.path == REMEMBERED:
        return *head, standing_version(s3, *head) or UNVERSIONED
    return bucket, _key(offence.finding.path), offence.version_id


def _standing(s3: S3Client, bucket: str, path: str) -> str | None:
    return None if path == REMEMBERED else standing_version(s3, bucket, _key(path))


def _key(path: str) -> str:
    return SEAL_PREFIX + path
