"""An honest trail, written by a CloudTrail of our own, and a bucket to tamper with.

Formats are AWS's, written down here a second time: a mistake in the validator's own understanding
would otherwise be made twice and seen by nobody. (A third understanding, that of AWS's own CLI, is
in `tests/infra/local/cloudtrail`.)
"""

import gzip
import hashlib
import itertools
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from custody.aws.s3.errors import ObjectAbsent, ObjectRefused
from custody.aws.trail.store import StoredObject, Version
from custody.core.trail.layout import TrailLayout
from custody.objects import ObjectVersion

HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)
NOON = datetime(2026, 11, 2, 12, tzinfo=UTC)
LAYOUT = TrailLayout("trail-bucket", "111122223333", "us-east-1", "custody-test", "us-east-1")
PRIVATE_KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
ANOTHER_KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)


def fingerprint(key: rsa.RSAPrivateKey) -> str:
    der = key.public_key().public_bytes(Encoding.DER, PublicFormat.PKCS1)
    return hashlib.md5(der).hexdigest()  # noqa: S324 - a name


KEYS = {fingerprint(PRIVATE_KEY): PRIVATE_KEY.public_key()}


@dataclass(frozen=True)
class Stored:
    """One version of an object in `MemoryStore`; no `body` is a delete marker."""

    id: str
    at: datetime
    body: bytes | None
    metadata: Mapping[str, str] = field(default_factory=dict)


class MemoryStore:
    """A versioned bucket. `refused` keys are not handed out; `reads` counts."""

    def __init__(self) -> None:
        self.objects: dict[str, list[Stored]] = {}
        self.refused: set[str] = set()
        self.reads: list[str] = []
        self._ids = itertools.count(1)

    def put(
        self, key: str, body: bytes, at: datetime, metadata: Mapping[str, str] | None = None
    ) -> str:
        return self._add(key, Stored(f"v{next(self._ids)}", at, body, metadata or {}))

    def mark_deleted(self, key: str, at: datetime) -> str:
        return self._add(key, Stored(f"v{next(self._ids)}", at, None))

    def purge(self, *keys: str) -> None:
        """Remove every version for good."""
        for key in keys:
            del self.objects[key]

    def swap(self, one: str, other: str) -> None:
        """Exchange two objects, as one who can rewrite versions would."""
        self.objects[one], self.objects[other] = self.objects[other], self.objects[one]

    def current(self, key: str) -> Stored:
        return self.objects[key][0]

    def rewrite(self, key: str, body: bytes, **metadata: str) -> None:
        """Replace the bytes of the only version in place."""
        (stored,) = self.objects[key]
        kept = {**stored.metadata, **metadata}
        self.objects[key] = [replace(stored, body=body, metadata=kept)]

    def _add(self, key: str, version: Stored) -> str:
        self.objects.setdefault(key, []).insert(0, version)
        return version.id

    def list(self, prefix: str, *, after: str = "") -> Iterator[StoredObject]:
        for key in sorted(self.objects):
            if key.startswith(prefix) and key > after:
                yield StoredObject(
                    key,
                    tuple(
                        Version(v.id, v.at, len(v.body or b""), v.body is None)
                        for v in self.objects[key]
                    ),
                )

    def folders(self, prefix: str) -> Iterator[str]:
        below = (key.removeprefix(prefix) for key in self.objects if key.startswith(prefix))
        yield from sorted({rest.partition("/")[0] for rest in below if "/" in rest})

    def read(
        self,
        bucket: str,
        key: str,
        version_id: str | None,
        consume: Callable[[Mapping[str, str], Iterator[bytes]], Any],
    ) -> tuple[Any, ObjectVersion]:
        self.reads.append(key)
        if key in self.refused:
            raise ObjectRefused("AccessDenied")
        versions = self.objects.get(key, []) if bucket == LAYOUT.bucket else []
        wanted = [v for v in versions if version_id in (None, v.id)][:1]
        if not wanted:
            raise ObjectAbsent("NoSuchKey")
        body = wanted[0].body
        if body is None:  # S3 hands no delete marker out, and hides what lies below one
            raise ObjectRefused("MethodNotAllowed") if version_id else ObjectAbsent("NoSuchKey")
        pieces = (body[n : n + 7] for n in range(0, len(body), 7))
        return consume(wanted[0].metadata, pieces), ObjectVersion(bucket, key, wanted[0].id)


@dataclass
class History:
    """Hourly digests with `logs_per_hour` log files each, from `start` on."""

    store: MemoryStore
    start: datetime = NOON
    logs_per_hour: int = 2
    cadence: timedelta = HOUR
    key: rsa.RSAPrivateKey = PRIVATE_KEY
    layout: TrailLayout = LAYOUT
    backfill: bool = False
    digests: list[str] = field(default_factory=list)
    logs: list[list[str]] = field(default_factory=list)
    previous: dict[str, Any] = field(default_factory=dict)

    @property
    def end(self) -> datetime:
        return self.start + len(self.digests) * self.cadence

    def hours(self, count: int) -> "History":
        for _ in range(count):
            self.hour()
        return self

    def hour(self, **changes: Any) -> str:
        """One more hour; `changes` are made to its digest before it is signed."""
        start, end = self.end, self.end + self.cadence
        named = [self.log(start + (n + 1) * self.cadence / 10) for n in range(self.logs_per_hour)]
        self.logs.append([item["s3Object"] for item in named])
        key = self.layout.digest_key(end, backfill=self.backfill)
        document = {
            "awsAccountId": self.layout.account_id,
            "digestStartTime": iso(start),
            "digestEndTime": iso(end),
            "digestS3Bucket": self.layout.bucket,
            "digestS3Object": key,
            "digestPublicKeyFingerprint": fingerprint(self.key),
            "digestSignatureAlgorithm": "SHA256withRSA",
            "newestEventTime": iso(end) if named else None,
            "oldestEventTime": iso(start) if named else None,
            **{
                f"previousDigest{name}": self.previous.get(name)
                for name in ("S3Bucket", "S3Object", "HashValue", "HashAlgorithm", "Signature")
            },
            "logFiles": named,
            **changes,
        }
        raw = json.dumps(document).encode()
        signature = sign(self.key, document, raw)
        self.store.put(
            key,
            gzip.compress(raw),
            end + 2 * MINUTE,
            {"signature": signature, "signature-algorithm": "SHA256withRSA"},
        )
        self.previous = {
            "S3Bucket": self.layout.bucket,
            "S3Object": key,
            "HashValue": hashlib.sha256(raw).hexdigest(),
            "HashAlgorithm": "SHA-256",
            "Signature": signature,
        }
        self.digests.append(key)
        return key

    def log(self, at: datetime) -> dict[str, Any]:
        """Deliver one log file; gives its entry in a digest."""
        key = log_key(at, layout=self.layout)
        raw = json.dumps({"Records": [{"eventTime": iso(at), "key": key}]}).encode()
        self.store.put(key, gzip.compress(raw), at)
        return {
            "s3Bucket": self.layout.bucket,
            "s3Object": key,
            "hashValue": hashlib.sha256(raw).hexdigest(),
            "hashAlgorithm": "SHA-256",
            "newestEventTime": iso(at),
            "oldestEventTime": iso(at),
        }

    def restart(self, after: timedelta) -> None:
        """Logging is off for a while; then another chain begins."""
        self.start += after
        self.previous = {}


def log_key(at: datetime, unique: str = "abcdefghABCDEF01", layout: TrailLayout = LAYOUT) -> str:
    return (
        f"{layout.log_prefix}{at:%Y/%m/%d}/{layout.account_id}_CloudTrail_{layout.region}"
        f"_{at:%Y%m%dT%H%MZ}_{unique}.json.gz"
    )


def sign(key: rsa.RSAPrivateKey, document: Mapping[str, Any], raw: bytes) -> str:
    text = "\n".join(
        (
            document["digestEndTime"],
            f"{document['digestS3Bucket']}/{document['digestS3Object']}",
            hashlib.sha256(raw).hexdigest(),
            document["previousDigestSignature"] or "null",
        )
    )
    return key.sign(text.encode(), padding.PKCS1v15(), SHA256()).hex()


def iso(instant: datetime) -> str:
    return instant.strftime("%Y-%m-%dT%H:%M:%SZ")


def document_of(stored: Stored) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(gzip.decompress(stored.body or b""))
    return loaded
