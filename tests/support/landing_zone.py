"""A bronze in memory: files, the recorder's signed records, and an S3 client that serves both."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from botocore.exceptions import ClientError
from botocore.response import StreamingBody
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from custody.core.case.key_ring import ALWAYS
from custody.core.datasets.contracts import Contract
from custody.core.datasets.personal import column_keys
from custody.core.formats.dsse import PAYLOAD_TYPE, Envelope, Signature, pae
from custody.core.records.checking import TrustedKey
from custody.core.records.model import LandingEvent, LandingRecord, Recorder
from custody.core.records.names import record_id, record_key
from custody.core.records.statement import to_statement
from custody.objects import ObjectVersion

RAW, PROVENANCE = "custody-test-raw", "custody-test-provenance"
KEY_ARN = "arn:aws:kms:us-east-1:111122223333:key/0a1b2c3d-0000-4000-8000-000000000001"
LINEAGE_KEY_ARN = KEY_ARN.replace("0001", "0002")
DATASET_KEY = b"what KMS makes of a dataset's name"[:32]
LANDED_AT = datetime(2026, 11, 2, 1, 30, tzinfo=UTC)


def token_keys(contract: Contract) -> dict[str, dict[str, bytes]]:
    """The keys that tokens of a contract's personal data are made with."""
    return column_keys(DATASET_KEY, contract)


@dataclass
class MemoryS3:
    """What the jobs use of S3. Objects are (bucket, key) → versions, oldest first."""

    objects: dict[tuple[str, str], list[tuple[str, bytes]]] = field(default_factory=dict)
    denied: set[str] = field(default_factory=set)

    def put(self, bucket: str, key: str, body: bytes, version_id: str) -> None:
        self.objects.setdefault((bucket, key), []).append((version_id, body))

    def list_object_versions(
        self,
        *,
        Bucket: str,  # noqa: N803
        Prefix: str,  # noqa: N803
        KeyMarker: str = "",  # noqa: N803
        **_: str,
    ) -> dict[str, Any]:
        """One object a page, as pages may end anywhere; an empty last page, as S3 may give."""
        for (bucket, key), versions in sorted(self.objects.items()):
            if bucket == Bucket and key.startswith(Prefix) and key > KeyMarker:
                return {
                    "Versions": [
                        {
                            "Key": key,
                            "VersionId": version_id,
                            "IsLatest": version_id == versions[-1][0],
                            "LastModified": LANDED_AT,
                            "ETag": f'"{_md5(body)}"',
                            "Size": len(body),
                        }
                        for version_id, body in reversed(versions)
                    ],
                    "IsTruncated": True,
                    "NextKeyMarker": key,
                    "NextVersionIdMarker": versions[0][0],
                }
        return {"IsTruncated": False}

    def get_paginator(self, operation: str) -> MemoryS3:
        assert operation == "list_objects_v2"
        return self

    def paginate(self, *, Bucket: str, Prefix: str) -> Iterator[dict[str, Any]]:  # noqa: N803
        """A page an object, as pages may end anywhere."""
        for bucket, key in sorted(self.objects):
            if bucket == Bucket and key.startswith(Prefix):
                yield {"Contents": [{"Key": key, "LastModified": LANDED_AT}]}

    def get_object(
        self,
        *,
        Bucket: str,  # noqa: N803
        Key: str,  # noqa: N803
        VersionId: str | None = None,  # noqa: N803
        **_: str,
    ) -> dict[str, Any]:
        if Bucket in self.denied:
            raise ClientError({"Error": {"Code": "AccessDenied", "Message": "no"}}, "GetObject")
        for version_id, body in reversed(self.objects.get((Bucket, Key), ())):
            if VersionId in (None, version_id):
                return {
                    "Body": StreamingBody(io.BytesIO(body), len(body)),
                    "ContentLength": len(body),
                    "ETag": '"e"',
                    "LastModified": LANDED_AT,
                    "VersionId": version_id,
                }
        raise ClientError({"Error": {"Code": "NoSuchKey", "Message": "gone"}}, "GetObject")

    def head_object(self, *, Bucket: str, **_: str) -> dict[str, Any]:  # noqa: N803
        if Bucket in self.denied:
            raise ClientError({"Error": {"Code": "403", "Message": "no"}}, "HeadObject")
        return {}

    def put_object(self, *, Bucket: str, Key: str, Body: bytes, **options: str) -> None:  # noqa: N803
        assert options.pop("IfNoneMatch") == "*"
        if (Bucket, Key) in self.objects:
            raise ClientError(
                {"Error": {"Code": "PreconditionFailed", "Message": "there"}}, "PutObject"
            )
        self.put(Bucket, Key, Body, "p1")


@dataclass
class BackwardsS3(MemoryS3):
    """An S3 that lists from the last key to the first."""

    def list_object_versions(self, **asked: Any) -> dict[str, Any]:
        pages, marker = [], ""
        while (page := super().list_object_versions(**asked, KeyMarker=marker))["IsTruncated"]:
            pages.append(page)
            marker = page["NextKeyMarker"]
        versions = [version for page in reversed(pages) for version in page["Versions"]]
        return {"Versions": versions, "IsTruncated": False}


@dataclass
class MemoryKms:
    """A KMS with one signing key."""

    key: ec.EllipticCurvePrivateKey = field(
        default_factory=lambda: ec.generate_private_key(ec.SECP256R1())
    )

    def sign(self, *, Message: bytes, **options: str) -> dict[str, bytes]:  # noqa: N803
        assert options["MessageType"] == "DIGEST"
        assert options["KeyId"].startswith(LINEAGE_KEY_ARN)
        return {"Signature": self.key.sign(Message, ec.ECDSA(Prehashed(SHA256())))}

    def get_public_key(self, *, KeyId: str) -> dict[str, bytes]:  # noqa: N803
        assert KeyId == LINEAGE_KEY_ARN
        key = self.key.public_key()
        return {"PublicKey": key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)}


class LandingZone:
    """Lands files as S3 and the recorder do."""

    def __init__(self) -> None:
        self.s3 = MemoryS3()
        self.key = ec.generate_private_key(ec.SECP256R1())

    @property
    def keys(self) -> dict[str, TrustedKey]:
        der = self.key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        return {KEY_ARN: TrustedKey(KEY_ARN, der, ALWAYS, None)}

    def land(
        self,
        key: str,
        body: bytes,
        *,
        version_id: str = "v1",
        recorded: bool = True,
        recorded_days_later: int = 0,
        claims: dict[str, Any] | None = None,
    ) -> None:
        """Put an object version and, unless `recorded` is false, its signed record.

        `claims` are the fields in which the record differs from the truth.
        """
        self.s3.put(RAW, key, body, version_id)
        if not recorded:
            return
        record = replace(_record(key, version_id, body), **(claims or {}))
        name = record_key(
            LANDED_AT + timedelta(days=recorded_days_later),
            record_id(ObjectVersion(RAW, key, version_id)),
        )
        self.s3.put(PROVENANCE, name, self.sign(to_statement(record)), "r1")

    def sign(self, payload: bytes) -> bytes:
        sig = self.key.sign(pae(PAYLOAD_TYPE, payload), ec.ECDSA(SHA256()))
        return Envelope(payload, PAYLOAD_TYPE, (Signature(KEY_ARN, sig),)).to_json_line()


def _record(key: str, version_id: str, body: bytes) -> LandingRecord:
    return LandingRecord(
        version=ObjectVersion(RAW, key, version_id),
        sha256=hashlib.sha256(body).hexdigest(),
        size_bytes=len(body),
        etag=_md5(body),
        sequencer="0065A1B2C3D4E5F6",
        checksum=None,
        event=LandingEvent(
            name="ObjectCreated:Put",
            time=LANDED_AT,
            request_id="C3D13FE58DE4C810",
            host_id="host",
            source_ip="127.0.0.1",
            principal_id="AWS:AIDACRMEXPORT",
        ),
        hashed_at=LANDED_AT,
        recorder=Recorder("custody-recorder", "1.0.0"),
    )


def _md5(body: bytes) -> str:
    return hashlib.md5(body, usedforsecurity=False).hexdigest()
