"""The custody gate: reading a landed file only if its record vouches for it.

A file is read only if its record exists, is to be believed (`custody.core.records.checking`), is
about this very object version, and names the hash of the bytes that arrived here. All of it is
checked before the first byte is used.
"""

from __future__ import annotations

import hashlib
import io
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO, Final

from botocore.exceptions import ClientError

from custody.aws.s3.errors import ObjectAbsent, ObjectWithheld, code_of, may_be_its_kms_key
from custody.aws.s3.listing import StoredVersion
from custody.aws.s3.reading import CHUNK_BYTES, OpenObject, kms_key_of, open_version, read_current
from custody.core.datasets.landed.binary import AnyBytes
from custody.core.datasets.landed.parts import Cut
from custody.core.datasets.landed.text import BrokenFileError, TextCheck
from custody.core.datasets.landed.unpacking import unpacked, unpacked_file
from custody.core.formats.dsse import MAX_ENVELOPE_BYTES
from custody.core.records.checking import ReadEnvelope, TrustedKey, read_envelope
from custody.core.records.model import LandingRecord, UnreadableRecord
from custody.core.records.names import record_id, record_keys
from custody.objects import ObjectVersion

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


IN_MEMORY_BYTES: Final = CHUNK_BYTES
"""A text that is larger is spooled to disk; for a small one that takes as long as all the rest."""


@dataclass(frozen=True, slots=True)
class Gate:
    """The bucket that keeps the records, and the keys (by their id) that may have signed them."""

    provenance_bucket: str
    keys: Mapping[str, TrustedKey]


def record_of(s3: S3Client, landed: StoredVersion, gate: Gate) -> LandingRecord:
    """The verified record of an object version.

    Raises BrokenFileError `custody.unrecorded`, `custody.bad_signature` or, if its record says
    that nobody could hash it, `custody.unreadable`; any other failure to read the record (such as
    a missing permission) is raised as it is: it says nothing of the file.
    """
    envelope = _envelope_of(s3, landed, gate)
    record = envelope.claim
    if record is None or envelope.trouble is not None:
        raise BrokenFileError("custody.bad_signature", str(envelope.trouble))
    if record.version != landed.version:
        raise BrokenFileError("custody.bad_signature", f"its record is about {record.version}")
    if isinstance(record, UnreadableRecord):
        raise BrokenFileError(
            "custody.unreadable",
            f"the recorder could not read it ({record.reason}): {record.answer}",
        )
    return record


@contextmanager
def open_verified(
    s3: S3Client,
    version: ObjectVersion,
    record: LandingRecord,
    text: TextCheck | AnyBytes,
    cut: Cut | None,
) -> Iterator[BinaryIO]:
    """What `cut` keeps of the bytes of an object version, on local disk (a small text in memory),
    at its start; without a cut, what a packed one unpacks to.

    All of them are read, once, as the record is about them all, and none is unpacked before it
    vouches for them. Raises BrokenFileError `custody.altered` when they are not the bytes of the
    record, `custody.unreadable` when S3 does not hand them out, and what `unpacked` raises, and
    `text` when they are none.
    """
    digest, opened = hashlib.sha256(), _opened(s3, version)
    is_small = isinstance(text, TextCheck) and opened.size <= IN_MEMORY_BYTES
    with io.BytesIO() if is_small else tempfile.TemporaryFile() as spool:
        for chunk in opened.chunks:
            digest.update(chunk)
            if cut is None:
                spool.write(chunk)
            else:
                text.feed(chunk)
                spool.write(cut.feed(chunk))
        if digest.hexdigest() != record.sha256:
            raise BrokenFileError(
                "custody.altered",
                f"the bytes hash to {digest.hexdigest()}, the record says {record.sha256}",
            )
        packed_bytes = spool.tell()
        spool.seek(0)
        if cut is None:
            # On disk lies what is packed: it is unpacked once to see whether it is text at all.
            for piece in unpacked(spool, packed_bytes):
                text.feed(piece)
            spool.seek(0)
        text.finish()
        yield spool if cut is not None else unpacked_file(spool, packed_bytes)


def _opened(s3: S3Client, version: ObjectVersion) -> OpenObject:
    """The version, once S3 hands it out; a permission that is missing says nothing of the file."""
    try:
        return open_version(s3, version)
    except ObjectAbsent as error:
        raise BrokenFileError("custody.unreadable", f"it is gone ({error})") from error
    except ClientError as error:
        if not may_be_its_kms_key(error) or kms_key_of(s3, version) is None:
            raise
        raise BrokenFileError(
            "custody.unreadable", f"S3 does not hand it out for its key ({code_of(error)})"
        ) from error


def _envelope_of(s3: S3Client, landed: StoredVersion, gate: Gate) -> ReadEnvelope:
    for key in record_keys(landed.version, landed.last_modified, landed.etag):
        try:
            found = read_current(s3, gate.provenance_bucket, key, max_bytes=MAX_ENVELOPE_BYTES)
        except ObjectWithheld as error:
            raise BrokenFileError(
                "custody.bad_signature", f"S3 does not hand out its record ({code_of(error)})"
            ) from error
        if found is not None:
            return read_envelope(
                found.body, gate.keys, stored=found.version, stored_at=found.last_modified
            )
    raise BrokenFileError(
        "custody.unrecorded",
        f"no record {record_id(landed.version)} under the days on which it may have been written",
    )
