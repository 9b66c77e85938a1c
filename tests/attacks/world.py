"""The platform under attack: what every attack needs to act, to wait, and to see the outcome."""

from __future__ import annotations

import hashlib
import json
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cached_property
from typing import Any, Final

import boto3
from tests.attacks.attack import Finding, Job
from tests.attacks.changes import Changes
from tests.support.patience import PATIENCE_SECONDS

from custody.core.formats.dsse import PAYLOAD_TYPE, Envelope, Signature, pae
from custody.core.ledger.hours.windows import Window
from custody.core.records.model import LandingRecord
from custody.core.records.names import record_id, record_key
from custody.core.records.statement import from_statement, to_statement
from custody.core.trail.layout import TrailLayout
from custody.objects import ObjectVersion
from custody.settings import Settings
from rehearsal import tampering
from rehearsal.landing import DATASET, Landed
from rehearsal.observing import OnCall
from rehearsal.platform import Platform
from rehearsal.waiting import wait_until

INSIDER: Final = tampering.INSIDER
UPLOADER: Final = tampering.UPLOADER
FOLDER: Final = f"incoming/{DATASET}/dt=2026-11-03"


@dataclass(frozen=True)
class Ran:
    """A run of a job that has judged a window, and what it has to have paged."""

    job: Job
    id: str
    window: Window
    pages: tuple[Finding, ...]


class World:
    """One deployed platform, from its first moment on."""

    def __init__(self, platform: Platform) -> None:
        self.platform = platform
        self.began = datetime.now(UTC)
        self.as_of: datetime | None = None
        """When the next reconciliation judges, if not now."""
        self.undo: list[Callable[[], object]] = []
        """What makes good again what must stay broken until the next job has judged."""
        self.runs: list[Ran] = []
        self.outputs: list[str] = []
        self.injected: list[str] = []
        self._arns: dict[str, str] = {}
        settings = platform.settings
        self.raw = settings["raw_bucket"]
        self.processed = settings["processed_bucket"]
        self.analytics = settings["analytics_bucket"]
        self.provenance = settings["provenance_bucket"]
        self.trail = settings["trail_bucket"]
        self.inbox = OnCall(platform)
        """Of somebody who gets the pages."""
        self.changes = Changes(settings, recorder=self.recorder)

    def client(self, service: str, principal: str = INSIDER, region: str | None = None) -> Any:
        return self.platform.client(service, principal, region)

    @cached_property
    def s3(self) -> Any:
        """S3, as the insider."""
        return self.client("s3")

    def arn(self, principal: str) -> str:
        if principal not in self._arns:
            self._arns[principal] = tampering.arn(self.platform, principal)
        return self._arns[principal]

    def as_role(self, name: str, *, sts: Any = None) -> Callable[[str], Any]:
        """The insider lets himself assume a role, at the endpoint of the client `sts` if given;
        makes clients of services under its name."""
        iam = self.client("iam")
        role = iam.get_role(RoleName=name)["Role"]
        trust = role["AssumeRolePolicyDocument"]
        mine = {
            "Effect": "Allow",
            "Principal": {"AWS": self.arn(INSIDER)},
            "Action": "sts:AssumeRole",
        }
        widened = {**trust, "Statement": [*trust["Statement"], mine]}
        iam.update_assume_role_policy(RoleName=name, PolicyDocument=json.dumps(widened))
        try:
            keys = (sts or self.client("sts")).assume_role(
                RoleArn=role["Arn"], RoleSessionName="insider"
            )
        finally:
            iam.update_assume_role_policy(RoleName=name, PolicyDocument=json.dumps(trust))
        session: Any = boto3.Session(
            region_name=self.platform.settings["region"],
            aws_access_key_id=keys["Credentials"]["AccessKeyId"],
            aws_secret_access_key=keys["Credentials"]["SecretAccessKey"],
            aws_session_token=keys["Credentials"]["SessionToken"],
        )
        endpoint = self.platform.machine.endpoint
        return lambda service: session.client(service, endpoint_url=endpoint)

    # Files

    def land(self, name: str, body: bytes | None = None, by: str = UPLOADER) -> Landed:
        """An uploader puts a file into bronze."""
        body = f"customer_id\n{name}\n".encode() if body is None else body
        key = f"{FOLDER}/{name}"
        put = self.client("s3", by).put_object(Bucket=self.raw, Key=key, Body=body)
        return Landed(by, key, put["VersionId"], len(body))

    def recorded(self, name: str, body: bytes | None = None) -> Landed:
        """A file in bronze with its record."""
        landed = self.land(name, body)
        self.record_of(landed)
        return landed

    def encrypt_anew(self, bucket: str, key: str, version_id: str | None = None) -> Finding:
        """The insider encrypts a version (the current one) anew, in place, with a key of his own,
        and switches that off; what is found of the call."""
        kms = self.client("kms")
        own = kms.create_key()["KeyMetadata"]["Arn"]
        version = version_id or self.s3.head_object(Bucket=bucket, Key=key)["VersionId"]
        self.encrypt(bucket, key, str(version), own)
        kms.disable_key(KeyId=own)
        return Finding("CONTROL_CHANGED", bucket, key, str(version), self.arn(INSIDER))

    def encrypt(self, bucket: str, key: str, version_id: str, key_arn: str) -> None:
        """The insider encrypts a version, in place, with this key."""
        with lifted(self, bucket) as s3:
            s3.update_object_encryption(
                Bucket=bucket,
                Key=key,
                VersionId=version_id,
                ObjectEncryption={"SSEKMS": {"KMSKeyArn": key_arn}},
            )

    def finding(self, verdict: str, landed: Landed, by: str | None) -> Finding:
        """A finding about a file in bronze; `by` is a principal's name."""
        return Finding(
            verdict, self.raw, landed.key, landed.version_id, self.arn(by) if by else None
        )

    def rot(self, landed: Landed) -> None:
        """Other bytes, as many as there were, lie where S3 keeps those of a file."""
        account = self.platform.settings["account_id"]
        stored = self.platform.machine.home / "s3" / account / self.raw / landed.key
        body = stored.read_bytes()
        stored.write_bytes(bytes(byte ^ 1 for byte in body))

    def expire(self, bucket: str, as_of: datetime) -> None:
        """S3 acts on a bucket's lifecycle rules, as in the night before `as_of`."""
        self._local("s3/expire", {"bucket": bucket, "as_of": as_of.isoformat()})

    # Records

    def place(self, landed: Landed) -> str:
        """Where the record of a file in bronze belongs."""
        found = self.s3.head_object(Bucket=self.raw, Key=landed.key, VersionId=landed.version_id)
        return record_key(
            found["LastModified"], record_id(ObjectVersion(self.raw, landed.key, landed.version_id))
        )

    def place_of(self, record: LandingRecord) -> str:
        """Where a record belongs by what it says."""
        return record_key(record.event.time, record_id(record.version))

    def envelope_of(self, landed: Landed) -> bytes:
        """The envelope the recorder wrote for a file; waits for it."""
        place, found = self.place(landed), []

        def recorded() -> bool:
            try:
                answer = self.s3.get_object(Bucket=self.provenance, Key=place)
            except self.s3.exceptions.NoSuchKey:
                return False
            found.append(answer["Body"].read())
            return True

        wait_until(f"{landed.key} has a record", recorded, seconds=PATIENCE_SECONDS)
        return bytes(found[0])

    def record_of(self, landed: Landed) -> LandingRecord:
        return from_statement(Envelope.parse(self.envelope_of(landed)).payload)

    def sign(self, payload: bytes, key_arn: str | None = None) -> bytes:
        """An envelope the insider signs: with the platform's own key, or with another."""
        kms = self.client("kms")
        if key_arn:
            return signed_by(kms, key_arn, payload)
        own = self.platform.settings["signing_key_arn"]
        with tampering.granted_signing(kms, own, self.arn(INSIDER)):
            return signed_by(kms, own, payload)

    def put_record(self, place: str, record: LandingRecord | bytes) -> str:
        """The insider puts a record, signed if it is not an envelope yet; returns its version."""
        body = record if isinstance(record, bytes) else self.sign(to_statement(record))
        with lifted(self, self.provenance) as s3:
            put = s3.put_object(Bucket=self.provenance, Key=place, Body=body)
        return str(put["VersionId"])

    def invented(self, model: LandingRecord, name: str) -> LandingRecord:
        """A record of an object version that nobody wrote."""
        now = datetime.now(UTC)
        ghost = hashlib.sha256(name.encode()).hexdigest()
        return replace(
            model,
            version=ObjectVersion(model.version.bucket, f"{FOLDER}/{name}", ghost[:32]),
            sha256=ghost,
            event=replace(model.event, time=now, request_id=ghost[:16].upper()),
            hashed_at=now,
        )

    # The recorder

    @property
    def workgroup(self) -> str:
        return self.platform.settings["workgroup"]

    @property
    def recorder(self) -> str:
        """The recorder's function name, which is also its queue's and its role's."""
        return f"{self.workgroup}-recorder"

    @cached_property
    def queue(self) -> str:
        """The URL of the queue that announces objects to the recorder."""
        return str(self.client("sqs").get_queue_url(QueueName=self.recorder)["QueueUrl"])

    def waiting(self) -> int:
        """Announcements the recorder has not dealt with."""
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        told = self.client("sqs").get_queue_attributes(QueueUrl=self.queue, AttributeNames=names)
        return sum(int(told["Attributes"][name]) for name in names)

    def drain(self) -> None:
        """Wait until the recorder has dealt with everything announced."""
        wait_until(
            "the recorder's queue is empty", lambda: self.waiting() == 0, seconds=PATIENCE_SECONDS
        )

    @contextmanager
    def without_notifications(self) -> Iterator[None]:
        """S3 announces nothing of bronze for a moment."""
        with tampering.cut_notifications(self.platform, self.raw):
            yield

    @contextmanager
    def without_subscription(self) -> Iterator[None]:
        """The recorder does not take what is announced for a moment."""
        functions = self.client("lambda")
        (mapping,) = functions.list_event_source_mappings(FunctionName=self.recorder)[
            "EventSourceMappings"
        ]
        self.drain()
        functions.update_event_source_mapping(UUID=mapping["UUID"], Enabled=False)
        try:
            yield
        finally:
            functions.update_event_source_mapping(UUID=mapping["UUID"], Enabled=True)

    def lose(self, landed: Landed) -> None:
        """Wait until a file is announced to the recorder that cannot take it, and purge that."""
        wait_until(
            f"{landed.key} is announced", lambda: self.waiting() > 0, seconds=PATIENCE_SECONDS
        )
        self.client("sqs").purge_queue(QueueUrl=self.queue)

    # The trail

    @cached_property
    def layout(self) -> TrailLayout:
        return Settings.parse(self.platform.settings).trail_layout

    def flush(self) -> list[str]:
        """Have CloudTrail deliver what it holds; the keys of the log files."""
        logs = self._local("cloudtrail/flush")["log_files"]
        return [uri.partition(f"{self.trail}/")[2] for uri in logs]

    def digest(self) -> str:
        """Have CloudTrail write a digest up to now, instead of waiting for it; the key of the one
        of the region that everything happens in."""
        uris = self._local("cloudtrail/digest")["digests"]
        keys = [str(uri).partition(f"{self.trail}/")[2] for uri in uris]
        (key,) = filter(self.layout.digest_name, keys)
        return key

    def turn(self, **knobs: float) -> None:
        """Change the pace at which CloudTrail delivers."""
        self._local("cloudtrail/knobs", knobs)

    def _local(self, action: str, body: object = None) -> Any:
        request = urllib.request.Request(  # noqa: S310 - this machine
            f"{self.platform.machine.endpoint}/_local/{action}",
            data=json.dumps(body or {}).encode(),
            method="POST",
        )
        with urllib.request.urlopen(request, timeout=PATIENCE_SECONDS) as answer:  # noqa: S310
            return json.load(answer)

    @cached_property
    def layouts(self) -> list[TrailLayout]:
        """Where the trail delivers from each region; the last is one in which nothing happens."""
        told = self.client("ec2").describe_regions()["Regions"]
        return [self.layout.in_region(region["RegionName"]) for region in told]

    def digests(self, layout: TrailLayout | None = None) -> list[str]:
        """The keys of a region's digests that are there, oldest first."""
        layout = layout or self.layout
        keys = self._keys(layout.digest_prefix)
        return [key for key in keys if layout.digest_name(key)]

    def logs(self) -> list[str]:
        """The keys of the log files that are there."""
        return self._keys(self.layout.log_prefix)

    def _keys(self, prefix: str) -> list[str]:
        pages = self.s3.get_paginator("list_objects_v2").paginate(Bucket=self.trail, Prefix=prefix)
        return sorted(item["Key"] for page in pages for item in page.get("Contents", []))

    def next_digest(self) -> str:
        """Wait for the digests CloudTrail writes by itself, at the end of a whole period, in every
        region; the key of the one of the region that everything happens in."""
        before = set(self.digests())
        found: list[str] = []

        def written() -> bool:
            found[:] = [key for key in self.digests() if key not in before]
            return bool(found) and all(
                self._end(layout) >= self._end(self.layout) for layout in self.layouts
            )

        wait_until("the next digest", written, seconds=PATIENCE_SECONDS)
        return found[-1]

    def _end(self, layout: TrailLayout) -> datetime:
        """The end of the newest digest of a region."""
        name = layout.digest_name(self.digests(layout)[-1])
        assert name is not None
        return name.end

    def read(self, key: str) -> tuple[bytes, dict[str, str]]:
        """A file of the trail and its metadata."""
        found = self.s3.get_object(Bucket=self.trail, Key=key)
        return found["Body"].read(), found["Metadata"]

    def put_in_trail(self, key: str, body: bytes, metadata: dict[str, str] | None = None) -> str:
        """The insider puts a file among CloudTrail's; returns its version."""
        with lifted(self, self.trail) as s3:
            put = s3.put_object(
                Bucket=self.trail,
                Key=key,
                Body=body,
                Metadata=metadata or {},
                ServerSideEncryption="AES256",  # the trail's key encrypts for CloudTrail alone
            )
        return str(put["VersionId"])

    def hide(self, bucket: str, key: str) -> str:
        """The insider deletes an object; returns the delete marker's version."""
        with lifted(self, bucket) as s3:
            return str(s3.delete_object(Bucket=bucket, Key=key)["VersionId"])

    def destroy(self, bucket: str, key: str, version_id: str | None = None) -> str:
        """The insider deletes a version (the current one) for good, lock or no lock."""
        version = version_id or self.s3.head_object(Bucket=bucket, Key=key)["VersionId"]
        with lifted(self, bucket) as s3:
            s3.delete_object(
                Bucket=bucket, Key=key, VersionId=version, BypassGovernanceRetention=True
            )
        return str(version)

    def broken(self, key: str, version_id: str | None, by: str | None = INSIDER) -> Finding:
        """The trail is broken at one of its files."""
        return Finding(
            "TRAIL_BROKEN", self.trail, key, version_id or "null", self.arn(by) if by else None
        )

    def removed(self, key: str, version_id: str) -> Finding:
        """A removal from the trail, which is a finding by itself."""
        return Finding("REMOVED", self.trail, key, version_id, self.arn(INSIDER))

    # Judging

    def settle(self) -> None:
        """Wait until both witnesses have told everything, and a digest vouches for it.

        What is put among the logs is not looked at before clocks may have differed: that long the
        newest digest must lie behind it.
        """
        self.drain()
        self.flush()
        time.sleep(6)
        self.digest()

    def make_good(self) -> None:
        """Make good what had to stay broken until the job has judged."""
        while self.undo:
            self.undo.pop()()


@contextmanager
def lifted(world: World, bucket: str) -> Iterator[Any]:
    """Take a bucket's policy away for a moment; gives the insider's S3."""
    with tampering.lifted_bucket_policy(world.platform, bucket):
        yield world.s3


def signed_by(kms: Any, key_arn: str, payload: bytes) -> bytes:
    """An envelope signed by whoever the KMS client is."""
    signature = kms.sign(
        KeyId=key_arn,
        Message=hashlib.sha256(pae(PAYLOAD_TYPE, payload)).digest(),
        MessageType="DIGEST",
        SigningAlgorithm="ECDSA_SHA_256",
    )["Signature"]
    return Envelope(payload, PAYLOAD_TYPE, (Signature(key_arn, signature),)).to_json_line()
