"""What a run states in the provenance bucket: written once, and read by version."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from custody.aws.s3.errors import ObjectAbsent, ObjectWithheld
from custody.aws.s3.listing import versions_of
from custody.aws.s3.reading import read_version
from custody.aws.s3.write_once import put_if_absent
from custody.core.formats.dsse import MAX_ENVELOPE_BYTES
from custody.core.lineage.model import HashedObject
from custody.core.runs.chain import Link
from custody.core.runs.model import PARTS, Basis, JudgingRun, statement_key
from custody.core.runs.report import MAX_REPORT_BYTES
from custody.core.runs.statement import BadRun, RunStatement, open_run, sign_run
from custody.core.tlog.signed_note import NoteKey, NoteSigner
from custody.objects import ObjectVersion

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


class RunConflict(Exception):
    """Something lies already where a run states what it found; it stays there, as evidence."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """What a run states, and the bytes of its parts that its statement has the hashes of."""

    statement: RunStatement
    parts: Mapping[str, bytes]


def keep_run(
    s3: S3Client,
    bucket: str,
    run: JudgingRun,
    basis: Basis,
    parts: Mapping[str, bytes],
    *,
    signer: NoteSigner,
    key_arn: str,
    link: Link | None = None,
) -> Judgement:
    """Write the parts of a run (`PARTS`, and `RUNS` of an audit) to the provenance `bucket`, and
    the signed statement of them last.

    Raises `RunConflict`, or what botocore raises.
    """
    written = {
        name: HashedObject(
            _put(s3, bucket, run.key_of(name), body), hashlib.sha256(body).hexdigest()
        )
        for name, body in parts.items()
    }
    statement = RunStatement(run, basis, written, link)
    envelope = sign_run(statement, signer, key_arn)
    _put(s3, bucket, run.statement_key, envelope.to_json_line())
    return Judgement(statement, parts)


def _put(s3: S3Client, bucket: str, key: str, body: bytes) -> ObjectVersion:
    """Write an object, which must be the first of its key; the version that it became."""
    written = put_if_absent(s3, bucket, key, body)
    found = _stored(s3, bucket, key)
    if not written or len(found) != 1:
        raise RunConflict(f"s3://{bucket}/{key} is there already, or was written by another")
    return found[0]


def _stored(s3: S3Client, bucket: str, key: str) -> list[ObjectVersion]:
    """All that was ever written there and is still, hidden or not."""
    found = versions_of(s3, bucket, key)
    return [stored.version for stored in found if not stored.is_delete_marker]


def read_run(
    s3: S3Client,
    key: NoteKey,
    bucket: str,
    *,
    job: str,
    run_id: str,
    day: date,
    parts: Iterable[str] = PARTS,
) -> Judgement:
    """What the run `run_id` of `job`, which judged on that day, states in the provenance `bucket`;
    these `parts` of it.

    Whatever else was put there, or hides it: the version that `key` signed counts. Raises `BadRun`
    if there is none, or if a part is not what it has the hash of.
    """
    place = statement_key(day, run_id)
    troubles = []
    for version in reversed(_stored(s3, bucket, place)):  # its own is the oldest
        try:
            statement = read_statement(s3, key, version)
        except BadRun as error:
            troubles.append(str(error))
            continue
        run = statement.run
        if (run.job, run.id, run.statement_key) == (job, run_id, place):
            return Judgement(statement, {name: read_part(s3, statement, name) for name in parts})
        troubles.append(f"{version}: is the statement of run {run.id} of {run.job}")
    told = "; ".join(troubles) or "there is none"
    raise BadRun(f"no statement of run {run_id} of {job} at s3://{bucket}/{place}: {told}")


def read_statement(s3: S3Client, key: NoteKey, version: ObjectVersion) -> RunStatement:
    """The statement in an object version, wherever it lies.

    Raises `BadRun` if `key` signed none there, or if its parts are in another bucket.
    """
    try:
        raw = read_version(s3, version, max_bytes=MAX_ENVELOPE_BYTES)
        statement = open_run(raw, key)
    except (BadRun, ObjectAbsent, ObjectWithheld) as error:
        raise BadRun(f"{version}: {error}") from error
    for part in statement.parts.values():
        if part.version.bucket != version.bucket:
            raise BadRun(f"{part.version} is in another bucket than the statement that names it")
    return statement


def read_part(s3: S3Client, statement: RunStatement, name: str) -> bytes:
    """The bytes of a part of a statement; raises `BadRun` if they are not those it has the hash
    of."""
    part = statement.parts[name]
    try:
        body = read_version(s3, part.version, max_bytes=MAX_REPORT_BYTES)
    except (ObjectAbsent, ObjectWithheld) as error:
        raise BadRun(f"{part.version}: {error}") from error
    if hashlib.sha256(body).hexdigest() != part.sha256:
        raise BadRun(f"{part.version} has not the bytes that its run signed")
    return body
