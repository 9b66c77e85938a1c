"""Keeping an answer, and reading those that people gave."""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date
from typing import TYPE_CHECKING, Final

from custody.aws.kms.public_keys import fetch_public_keys
from custody.aws.kms.signing import sign_statement
from custody.aws.s3.errors import ObjectAbsent, ObjectWithheld
from custody.aws.s3.listing import KeyRange, StoredVersion, stored_versions
from custody.aws.s3.reading import read_version
from custody.aws.s3.write_once import put_if_absent
from custody.core.answers.model import ANSWER_PREFIX, Answer
from custody.core.answers.statement import StoredAnswer, read_answer, to_payload
from custody.core.formats.dsse import MAX_ENVELOPE_BYTES

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric import ec
    from mypy_boto3_kms import KMSClient
    from mypy_boto3_s3 import S3Client

log = logging.getLogger(__name__)

_MOST: Final = 20_000
"""Objects among the answers that are looked at, the latest days first."""


class AnswerConflict(Exception):
    """Somebody answered the same finding in the same moment; what was there stays."""


def keep_answer(s3: S3Client, kms: KMSClient, answer: Answer, *, key_arn: str, bucket: str) -> None:
    """Sign an answer and write it to the provenance `bucket`.

    Raises `AnswerConflict`, or what botocore raises.
    """
    envelope = sign_statement(kms, key_arn, to_payload(answer))
    if not put_if_absent(s3, bucket, answer.key, envelope.to_json_line()):
        raise AnswerConflict(f"s3://{bucket}/{answer.key} is there already: try again")


def read_stored(
    s3: S3Client, stored: StoredVersion, keys: Mapping[str, ec.EllipticCurvePublicKey]
) -> StoredAnswer | None:
    """The answer in an object; None if it is gone or S3 does not hand it out, which is told
    elsewhere. Raises what botocore raises."""
    try:
        raw = read_version(s3, stored.version, max_bytes=MAX_ENVELOPE_BYTES)
    except (ObjectAbsent, ObjectWithheld) as error:
        log.warning("the answer %s cannot be read: %s", stored, error)
        return None
    return read_answer(raw, keys, stored.version, stored.last_modified)


class Answers:
    """Reads the answers of one deployment: those in `bucket` that the key `key_arn` signed (empty:
    none is believed). What was read is kept, as it never changes."""

    def __init__(self, kms: KMSClient, bucket: str, key_arn: str) -> None:
        self._bucket = bucket
        self._keys = fetch_public_keys(kms, [key_arn] if key_arn else [])
        self._kept: dict[StoredVersion, StoredAnswer | None] = {}

    def since(self, s3: S3Client, first: date) -> Mapping[str, Sequence[Answer]]:
        """The answers of the days since `first` that are to be believed, by the fingerprint of
        their finding. Raises what botocore raises."""
        begin, every = f"{ANSWER_PREFIX}dt={first}", KeyRange(ANSWER_PREFIX)
        stored_since = (
            stored
            for stored in stored_versions(s3, self._bucket, every)
            if stored.version.key >= begin
        )
        listed = list(stored_since)[-_MOST:]
        self._kept = {
            stored: self._kept[stored]
            if stored in self._kept
            else read_stored(s3, stored, self._keys)
            for stored in listed
        }
        found: defaultdict[str, list[Answer]] = defaultdict(list)
        for read in self._kept.values():
            if read is not None and read.answer is not None:
                found[read.answer.finding].append(read.answer)
        return found
