"""Record an object version: from its notification to the signed record.

The Lambda and the Glue job for large objects both do this; they differ only in the time they have.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from custody.aws.kms.signing import is_key_arn, sign_statement
from custody.aws.records.keeping import Kept, keep_record
from custody.aws.s3.hashing import Unreadable, hash_version
from custody.aws.s3.write_once import put_if_absent
from custody.core.records.model import Record
from custody.core.records.names import late_key, record_id
from custody.core.records.notifications import ObjectCreated
from custody.core.records.recording import landing_record, unreadable_record
from custody.core.records.statement import to_statement

if TYPE_CHECKING:
    from mypy_boto3_kms import KMSClient
    from mypy_boto3_s3 import S3Client


@dataclass(frozen=True)
class RecordingSession:
    """The clients, clock, bucket and keys that records are made with.

    `data_key_arn` is the key of the objects that it is meant to read. Raises `ValueError` for
    what is not the ARN of a key.
    """

    s3: S3Client
    kms: KMSClient
    now: Callable[[], datetime]
    provenance_bucket: str
    signing_key_arn: str
    data_key_arn: str

    def __post_init__(self) -> None:
        for name in ("signing_key_arn", "data_key_arn"):
            if not is_key_arn(getattr(self, name)):
                raise ValueError(
                    f"{name} must be the ARN of a KMS key (arn:…:key/…), "
                    f"not {getattr(self, name)!r}"
                )

    def record(
        self, created: ObjectCreated, *, before_chunk: Callable[[], None] = lambda: None
    ) -> Kept:
        """Hash the version that was `created`, sign the record of it, and keep that.

        Doing it again changes nothing. A version that nobody can read gets a record that says so.
        Raises what `hash_version` raises for anything that may pass, `NotAsAnnounced`, or what
        botocore raises.
        """
        record = self._read(created, before_chunk)
        envelope = sign_statement(self.kms, self.signing_key_arn, to_statement(record))
        return keep_record(self.s3, self.provenance_bucket, record, envelope)

    def note_late(self, created: ObjectCreated) -> None:
        """Note, once, that the record of what was `created` is late; raises what botocore raises.

        What counts is that the recorder wrote it, which is in CloudTrail. It is not signed: the key
        that signs may be what is away.
        """
        version = created.version
        note = {"bucket": version.bucket, "key": version.key, "versionId": version.version_id}
        put_if_absent(
            self.s3,
            self.provenance_bucket,
            late_key(created.event.time, record_id(version)),
            json.dumps(note, separators=(",", ":")).encode(),
        )

    def _read(self, created: ObjectCreated, before_chunk: Callable[[], None]) -> Record:
        try:
            hashed = hash_version(
                self.s3,
                created.version,
                data_key_arn=self.data_key_arn,
                before_chunk=before_chunk,
            )
        except Unreadable as refused:
            return unreadable_record(created, refused.reason, refused.answer, self.now())
        return landing_record(created, hashed, self.now())
