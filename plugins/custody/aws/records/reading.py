"""Read the records in the provenance bucket.

Every stored version is read, also those that were overwritten or hidden behind a delete marker:
whoever tampers with evidence leaves the honest version beside his own.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import suppress
from datetime import date, datetime
from itertools import pairwise
from typing import TYPE_CHECKING

from custody.aws.s3.errors import ObjectAbsent, ObjectWithheld, code_of
from custody.aws.s3.listing import KeyRange, StoredVersion, stored_versions
from custody.aws.s3.reading import read_version, withholding_key
from custody.core.formats.dsse import MAX_ENVELOPE_BYTES
from custody.core.records.checking import ReadEnvelope, TrustedKey, read_envelope
from custody.core.records.names import late_day_prefix, record_day_prefix

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


def record_ranges(day: date, parts: int) -> list[KeyRange]:
    """The keys of the records filed under `day`, cut into `parts` (1 to 256) of one size.

    Records are named by a hash, so equal ranges hold about as many; whatever else lies there is in
    one of them too.
    """
    prefix = record_day_prefix(day)
    bounds = [f"{prefix}{256 * n // parts:02x}" for n in range(1, parts)]
    return [KeyRange(prefix, *pair) for pair in pairwise(["", *bounds, ""])]


def late_notes(s3: S3Client, bucket: str, days: Iterable[date]) -> dict[str, datetime]:
    """The notes in the provenance `bucket` that records of these days are late: the key of each,
    and when it was first stored."""
    notes: dict[str, datetime] = {}
    for day in days:
        for stored in stored_versions(s3, bucket, KeyRange(late_day_prefix(day), "", "")):
            key, at = stored.version.key, stored.last_modified
            notes[key] = min(at, notes.get(key, at))
    return notes


def read_record(
    s3: S3Client,
    stored: StoredVersion,
    keys: Mapping[str, TrustedKey],
    own_keys: Collection[str] = (),
) -> ReadEnvelope:
    """Read and check one envelope.

    One that S3 withholds for the way it is encrypted or stored is not to be believed; of one
    under a key of the deployment's own (`own_keys`, by their ids) the envelope says which. Raises
    `ObjectAbsent`, and what S3 raises when it is not the object's fault.
    """
    try:
        raw = read_version(s3, stored.version, max_bytes=MAX_ENVELOPE_BYTES)
    except ObjectWithheld as error:
        key = withholding_key(s3, stored.version, error) if own_keys else None
        is_own, answer = key in own_keys, code_of(error)
        return ReadEnvelope(
            stored.version,
            stored.last_modified,
            key_id=None,
            claim=None,
            trouble=answer if is_own else f"S3 does not hand it out ({answer})",
            was_read=False,
            key_away=key if is_own else None,
        )
    return read_envelope(raw, keys, stored=stored.version, stored_at=stored.last_modified)


def read_stored(
    s3: S3Client,
    stored: Iterable[StoredVersion],
    keys: Mapping[str, TrustedKey],
    own_keys: Collection[str] = (),
) -> Iterator[ReadEnvelope]:
    """Each of these envelopes that is still there, read and checked; raises as `read_record` does.

    One that was removed since it was listed is told of by the removal.
    """
    for record in stored:
        with suppress(ObjectAbsent):
            yield read_record(s3, record, keys, own_keys)
