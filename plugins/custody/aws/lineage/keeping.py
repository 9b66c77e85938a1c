"""Keeping the lineage of a run in the provenance bucket, and reading it back."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING

from cryptography.hazmat.primitives.asymmetric import ec

from custody.aws.kms.public_keys import fetch_public_keys
from custody.aws.kms.signing import sign_statement
from custody.aws.s3.errors import ObjectAbsent, ObjectRefused, ObjectWithheld
from custody.aws.s3.listing import StoredVersion
from custody.aws.s3.reading import first_bytes, read_current
from custody.aws.s3.write_once import put_if_absent
from custody.aws.trail.store import S3TrailStore
from custody.core.formats.dsse import MAX_ENVELOPE_BYTES, Envelope
from custody.core.formats.signatures import BadSignature, verify
from custody.core.formats.untrusted import MalformedInput
from custody.core.lineage import trust as lineage_trust
from custody.core.lineage.checking import LineageCheck, check_statement
from custody.core.lineage.model import HashedObject, Lineage, Part, ReadBy
from custody.core.lineage.statement import from_statement, to_statements
from custody.core.lineage.trust import BadLineage, Read, Trust, read_part
from custody.core.trail.events import TrailEvent
from custody.objects import UNVERSIONED, ObjectVersion

if TYPE_CHECKING:
    from mypy_boto3_kms import KMSClient
    from mypy_boto3_s3 import S3Client


class LineageConflict(Exception):
    """Another object has the key of a statement; it stays there, as evidence."""


def keep_lineage(
    s3: S3Client, kms: KMSClient, *, key_arn: str, bucket: str, lineage: Lineage
) -> list[str]:
    """Sign the lineage of a run and write it to the provenance `bucket`; return the object keys.

    Doing it again changes nothing. Part 1 is written last, so if it exists all do. Raises
    `LineageConflict` if anything that this key did not sign, or that says otherwise, is there;
    `BadLineage` if S3 does not hand out what is there; `UnfitForLineage`; `MalformedInput` if it
    could not be read back; or what botocore raises.
    """
    keys = []
    for statement in reversed(to_statements(lineage)):
        part = from_statement(statement)
        envelope = sign_statement(kms, key_arn, statement)
        if not put_if_absent(s3, bucket, part.key, envelope.to_json_line()):
            trusted = fetch_public_keys(kms, [key_arn])
            if not _states_the_same(reader(s3, bucket)(part.key), part, trusted):
                raise LineageConflict(
                    f"s3://{bucket}/{part.key} is not what run {lineage.run.id} states of itself; "
                    "CloudTrail knows who wrote it"
                )
        keys.append(part.key)
    return keys[::-1]


def lineage_of(s3: S3Client, bucket: str, output: HashedObject, trust: Trust) -> Lineage:
    """The verified lineage of the run that made `output`, out of the provenance `bucket`.

    Raises `custody.core.lineage.trust.NoLineage` or `BadLineage`, or what botocore raises.
    """
    return lineage_trust.lineage_of(output, reader(s3, bucket), trust)


def reader(s3: S3Client, bucket: str) -> Read:
    """Reads statements out of the provenance `bucket`; raises `BadLineage` for one that S3 does not
    hand out: who encrypted it anew keeps nobody from those of other runs."""

    def read(key: str) -> bytes | None:
        try:
            found = read_current(s3, bucket, key, max_bytes=MAX_ENVELOPE_BYTES)
        except ObjectWithheld as error:
            raise BadLineage(f"{key}: {error}") from error
        return None if found is None else found.body

    return read


def versions_read(
    s3: S3Client, statements: Iterable[StoredVersion], trust: Trust
) -> Iterator[tuple[ObjectVersion, ReadBy]]:
    """The object versions that some statements say were read, each with who says so.

    What is gone, is not handed out or must not be believed says nothing: it is a finding of its
    own. Raises what botocore raises when it is not the object's fault.
    """
    for stored in statements:
        version = stored.version
        try:
            raw, _ = _read(s3, version.bucket, version.key, version.version_id)
            part = read_part(Envelope.parse(raw), version.key, trust)
        except (ObjectAbsent, ObjectRefused, MalformedInput, BadLineage):
            continue
        lineage = part.lineage
        by = ReadBy(lineage.parameters.get("dataset", ""), lineage.run, stored.last_modified)
        yield from ((item.version, by) for item in lineage.inputs)


def check_written(s3: S3Client, write: TrailEvent, trust: Trust) -> LineageCheck | None:
    """What became of the statement whose writing the trail tells of.

    None if there is no such version any more (its removal is a finding of its own), or if S3
    refuses it and nothing proves that it ever was there. Raises what botocore raises when it is not
    the object's fault.
    """
    assert write.key is not None  # noqa: S101 - a write names its key
    named = write.version_id if write.version_id != UNVERSIONED else None
    try:
        raw, version = _read(s3, write.bucket, write.key, named)
    except ObjectAbsent:
        return None
    except ObjectRefused as error:
        if not write.proven:
            return None
        return LineageCheck(
            write.bucket,
            write.key,
            write.version_id or UNVERSIONED,
            write.time,
            key_id=None,
            was_read=False,
            trouble=f"S3 does not hand it out ({error})",
        )
    return check_statement(
        raw,
        trust,
        bucket=write.bucket,
        key=write.key,
        version_id=version.version_id,
        written_at=write.time,
    )


def _read(
    s3: S3Client, bucket: str, key: str, version_id: str | None
) -> tuple[bytes, ObjectVersion]:
    """Raises `ObjectAbsent`, `ObjectRefused`, or what botocore raises."""
    return S3TrailStore(s3, bucket).read(
        bucket, key, version_id, lambda _, chunks: first_bytes(chunks, MAX_ENVELOPE_BYTES)
    )


def _states_the_same(
    existing: bytes | None, part: Part, trusted: Mapping[str, ec.EllipticCurvePublicKey]
) -> bool:
    if existing is None:
        return False
    try:
        kept = from_statement(verify(Envelope.parse(existing), trusted))
    except (BadSignature, MalformedInput):
        return False
    return kept.claims_the_same(part)
