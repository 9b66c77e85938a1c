"""A small platform with an honest history, for auditors to look at: S3 in moto, keys of our own.

Two files landed, a run made silver of them and another one gold. Everything is recorded, stated,
in the trail, and sealed.
"""

import gzip
import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import cache
from io import StringIO
from pathlib import Path
from typing import Any, Literal

import boto3
import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from moto import mock_aws
from tests.support import trail_records
from tests.support.moto_aws import (
    KEY_ARN,
    PRIVATE_KEY,
    REGION,
    make_bucket,
    signing_kms,
)
from tests.support.moto_s3 import held_by_s3, put_back_into_s3
from tests.support.trail_history import KEYS, LAYOUT, History, MemoryStore, iso, log_key
from tests.support.transparency import signer

from custody.aws.kms.signing import sign_statement
from custody.aws.lineage.keeping import keep_lineage
from custody.aws.seal.log import seal
from custody.cli.main import main
from custody.core.case.key_ring import ALWAYS, KeyRing
from custody.core.lineage.model import HashedObject, Lineage, Material, Run, statement_key
from custody.core.lineage.trust import Trust
from custody.core.records.checking import TrustedKey
from custody.core.records.model import LandingEvent, LandingRecord
from custody.core.records.names import record_id, record_key
from custody.core.records.recording import RECORDER
from custody.core.records.statement import to_statement
from custody.core.seal.entries import RecordEntry
from custody.core.seal.layout import log_origin
from custody.objects import ObjectVersion
from custody.reading.deployment import pins_of
from custody.settings import Settings

RAW, PROCESSED, ANALYTICS, PROVENANCE = (
    f"custody-test-{role}" for role in ("raw", "processed", "analytics", "provenance")
)
ORIGIN = log_origin(PROVENANCE)
SIGNER = signer(name=ORIGIN)
DAY = "2026-11-01"
SILVER_RUN, GOLD_RUN = Run(DAY, "jr_silver"), Run(DAY, "jr_gold")
JOBS = f"arn:aws:glue:{REGION}:{LAYOUT.account_id}:job/"
A, B = f"incoming/customers/dt={DAY}/a.csv", f"incoming/customers/dt={DAY}/b \u202e[red] +%.csv"
SILVER = f"silver/customers/dt={DAY}/run={SILVER_RUN.id}/part-0.parquet"
GOLD = f"gold/customers_per_day/dt={DAY}/run={GOLD_RUN.id}/part-0.parquet"

kms_of = cache(signing_kms)  # making a client takes longer than signing

SETTINGS = {
    "project": "custody",
    "stage": "test",
    "partition": "aws",
    "account_id": LAYOUT.account_id,
    "region": REGION,
    "raw_bucket": RAW,
    "processed_bucket": PROCESSED,
    "analytics_bucket": ANALYTICS,
    "provenance_bucket": PROVENANCE,
    "trail_bucket": LAYOUT.bucket,
    "trail_name": LAYOUT.trail,
    "digest_seconds": "3600",
    "signing_key_arn": KEY_ARN,
    "lineage_key_arn": KEY_ARN,
    "seal_key_arn": KEY_ARN,
    "answer_key_arn": KEY_ARN,
    "bronze_to_silver_job": "silver",
    "silver_to_gold_job": "gold",
    "reconcile_job": "reconcile",
    "audit_job": "audit",
}

PINS = pins_of(Settings.parse(SETTINGS))
RING = KeyRing(
    records={
        KEY_ARN: TrustedKey(
            KEY_ARN,
            PRIVATE_KEY.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo),
            ALWAYS,
            None,
        )
    },
    lineage=Trust({KEY_ARN: PRIVATE_KEY.public_key()}, frozenset({f"{JOBS}silver", f"{JOBS}gold"})),
    seal=(SIGNER.key,),
    cloudtrail=KEYS,
    deployment=PINS,
)


@dataclass
class Result:
    """How a command ended, and what it printed."""

    status: int
    out: str
    err: str

    @property
    def documents(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.out.splitlines()]

    def of_kind(self, kind: str) -> list[dict[str, Any]]:
        return [document for document in self.documents if document["kind"] == kind]


@dataclass
class Platform:
    """`folder` holds settings and keys; `versions` what was written, by key."""

    s3: Any
    folder: Path
    versions: dict[str, HashedObject] = field(default_factory=dict)
    times: dict[str, datetime] = field(default_factory=dict)
    places: list[str] = field(default_factory=list)
    as_of: str = ""
    source: list[str] = field(default_factory=list)

    # What happens

    def put(self, bucket: str, key: str, body: bytes, *, recorded: bool = True) -> HashedObject:
        version_id = self.s3.put_object(Bucket=bucket, Key=key, Body=body)["VersionId"]
        head = self.s3.head_object(Bucket=bucket, Key=key, VersionId=version_id)
        version = HashedObject(
            ObjectVersion(bucket, key, version_id), hashlib.sha256(body).hexdigest()
        )
        self.versions[key], self.times[key] = version, head["LastModified"]
        if recorded:
            self.record(version, len(body), head["LastModified"])
        return version

    def record(self, version: HashedObject, size: int, at: datetime, **how: Any) -> str:
        """Keep a record; `place` puts it somewhere else, `key` signs it with another key."""
        record = LandingRecord(
            version=version.version,
            sha256=version.sha256,
            size_bytes=size,
            etag="etag",
            sequencer="0055AED6DCD90281E5",
            checksum=None,
            event=LandingEvent(
                "ObjectCreated:Put",
                at,
                request_of(version),
                "host",
                "203.0.113.7",
                "AWS:AIDACRMEXPORT",
            ),
            hashed_at=at + timedelta(seconds=1),
            recorder=RECORDER,
        )
        name = record_id(version.version)
        place = how.get("place") or record_key(at, name)
        kms = kms_of(how.get("key", PRIVATE_KEY))
        envelope = sign_statement(kms, KEY_ARN, to_statement(record))
        self.s3.put_object(Bucket=PROVENANCE, Key=place, Body=envelope.to_json_line())
        self.places.append(place)
        return str(place)

    def state(
        self, run: Run, job: str, inputs: list[HashedObject], outputs: list[HashedObject]
    ) -> None:
        started = self.times[inputs[0].version.key]
        given = {"gold_table": "customers_per_day"} if job == "gold" else {}
        lineage = Lineage(
            run=run,
            builder_id=JOBS + job,
            platform={"python": "3.11.9"},
            started_on=started,
            finished_on=started + timedelta(minutes=1),
            parameters={"dataset": "customers", "dt": run.dt, **given},
            materials=(Material("script", "a1" * 32),),
            inputs=tuple(inputs),
            outputs=tuple(outputs),
        )
        keep_lineage(self.s3, kms_of(), key_arn=KEY_ARN, bucket=PROVENANCE, lineage=lineage)
        self.places.append(statement_key(run))

    def log_and_seal(self) -> None:
        """Deliver the trail's hour with the writes of all versions, and seal the day."""
        start = min(self.times.values()).replace(minute=0, second=0, microsecond=0)
        history = History(MemoryStore(), start=start - timedelta(hours=1), logs_per_hour=1)
        history.hours(1)
        history.logs_per_hour = 0
        raw = json.dumps({"Records": [self._event(v) for v in self.versions.values()]}).encode()
        key = log_key(start + timedelta(minutes=30), "writes0123456789")
        history.store.put(key, gzip.compress(raw), start)
        named = {
            "s3Bucket": LAYOUT.bucket,
            "s3Object": key,
            "hashValue": hashlib.sha256(raw).hexdigest(),
            "hashAlgorithm": "SHA-256",
            "newestEventTime": iso(start),
            "oldestEventTime": iso(start),
        }
        history.hour(logFiles=[named])
        history.hours(1)
        self.as_of = history.end.strftime("%Y-%m-%dT%H:%M:%SZ")
        for key, (stored,) in history.store.objects.items():
            self.s3.put_object(
                Bucket=LAYOUT.bucket, Key=key, Body=stored.body, Metadata=dict(stored.metadata)
            )
        seal(self.s3, PROVENANCE, [self.entry(place) for place in self.places], signer=SIGNER)

    def entry(self, place: str) -> RecordEntry:
        return RecordEntry(place, hashlib.sha256(self.envelope(place)).hexdigest())

    def envelope(self, place: str) -> bytes:
        return bytes(self.s3.get_object(Bucket=PROVENANCE, Key=place)["Body"].read())

    def _event(self, version: HashedObject) -> dict[str, Any]:
        return trail_records.put(
            eventTime=iso(self.times[version.version.key]),
            eventID=f"event-{version.version.version_id}",
            requestID=request_of(version),
            requestParameters={"bucketName": version.version.bucket, "key": version.version.key},
            responseElements={"x-amz-version-id": version.version.version_id},
        )

    # What an auditor does

    def custody(self, *args: str | Path) -> Result:
        """Run a command of somebody who has the settings and the keys."""
        where: list[str | Path] = ["--settings", self.folder / "settings.json"]
        keys: list[str | Path] = ["--keys", self.folder / "keys.json"]
        command, *rest = args
        return run(command, *where, *keys, *self.source, *rest)

    def copy(self, folder: Path) -> None:
        """Copy the buckets as the auditor's guide tells, and read the copy from now on."""
        for bucket in (RAW, PROCESSED, ANALYTICS, PROVENANCE, LAYOUT.bucket):
            (folder / bucket).mkdir(parents=True)
            listing = self.s3.list_object_versions(Bucket=bucket)
            write_json(folder / "_versions" / f"{bucket}.json", {"Versions": listing["Versions"]})
            for item in listing["Versions"]:
                if item["IsLatest"]:
                    self._copy_object(folder, bucket, item["Key"])
        self.source = ["--from", str(folder)]

    def _copy_object(self, folder: Path, bucket: str, key: str) -> None:
        found = self.s3.get_object(Bucket=bucket, Key=key)
        path = folder / bucket / key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(found["Body"].read())
        if bucket == LAYOUT.bucket and "CloudTrail-Digest" in key:
            write_json(
                folder / "_metadata" / bucket / f"{key}.json", {"Metadata": found["Metadata"]}
            )


def run(*args: str | Path) -> Result:
    """Run a command of anybody."""
    with redirect_stdout(StringIO()) as out, redirect_stderr(StringIO()) as err:
        status = main([str(arg) for arg in args])
    return Result(status, out.getvalue(), err.getvalue())


def request_of(version: HashedObject) -> str:
    return f"R-{version.version.version_id}"


def write_json(path: Path, document: object) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(document, default=str), encoding="utf-8")


@contextmanager
def honest_platform(folder: Path) -> Iterator[Platform]:
    """An AWS of its own with the platform after an honest day; its settings are in `folder`."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_DEFAULT_REGION", REGION)
        held, platform = _honest_day()
        with mock_aws():
            put_back_into_s3(held)
            trail = _client("cloudtrail")
            trail.create_trail(
                Name=LAYOUT.trail,
                S3BucketName=LAYOUT.bucket,
                EnableLogFileValidation=True,
                IsMultiRegionTrail=True,
            )
            trail.start_logging(Name=LAYOUT.trail)
            write_json(folder / "settings.json", SETTINGS)
            (folder / "keys.json").write_bytes(RING.to_json())
            yield replace(
                platform,
                folder=folder,
                versions=platform.versions.copy(),
                times=platform.times.copy(),
                places=platform.places.copy(),
                source=[],
            )


@cache  # lived once, put back for each test
def _honest_day() -> tuple[bytes, Platform]:
    """What S3 holds after the day, and what the platform knows of it."""
    with mock_aws():
        platform = Platform(_client("s3"), Path())
        for bucket in (RAW, PROCESSED, ANALYTICS, PROVENANCE, LAYOUT.bucket):
            make_bucket(platform.s3, bucket)
        landed = [platform.put(RAW, A, b"id\n1\n"), platform.put(RAW, B, b"id\n2\n")]
        silver = platform.put(PROCESSED, SILVER, b"silver")
        gold = platform.put(ANALYTICS, GOLD, b"gold")
        platform.state(SILVER_RUN, "silver", landed, [silver])
        platform.state(GOLD_RUN, "gold", [silver], [gold])
        platform.log_and_seal()
        return held_by_s3(), platform


@cache  # making a client takes longer than most of what it is asked for
def _client(service: Literal["s3", "cloudtrail"]) -> Any:
    return boto3.client(service, region_name=REGION)
