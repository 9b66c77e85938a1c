"""Four ways to tamper, each by a named principal who has the power to do it.

The insider is an administrator of the account: no policy stops one for good, which is why the
platform has two witnesses. Each function restores the settings it changed and returns the finding
that must be paged for it.
"""

import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from typing import Any

import boto3

from custody.core.formats.dsse import PAYLOAD_TYPE, Envelope, Signature, pae
from custody.core.records.model import LandingRecord
from custody.core.records.names import RECORD_PREFIX, conflict_key, record_id, record_key
from custody.core.records.statement import from_statement, to_statement
from custody.objects import ObjectVersion
from rehearsal.landing import Landed, land
from rehearsal.platform import ADMIN, Platform
from rehearsal.waiting import wait_until

INSIDER = "insider"
UPLOADER = "partner-feed"


@dataclass(frozen=True)
class Finding:
    """What a page must say, no more and no less."""

    verdict: str
    bucket: str
    key: str
    version_id: str
    principal_arn: str


@dataclass(frozen=True)
class Tampering:
    """What somebody did, the finding it must lead to, and the controls changed for it, which the
    page must name among the causes; and the call that gives him away."""

    story: str
    finding: Finding
    controls: frozenset[str]
    call: str


def tamper(platform: Platform, day: date, landed: list[Landed]) -> Iterator[Tampering]:
    """Do all four, one after the other, to files of `day`."""
    yield upload_past_the_recorder(platform, day)
    yield forge_a_record(platform, landed[0])
    yield contradict_a_record(platform, landed[1])
    yield keep_an_event_out_of_the_trail(platform, day)


def upload_past_the_recorder(platform: Platform, day: date) -> Tampering:
    """The insider cuts S3's notifications; a file lands that the recorder never hears of."""
    bucket = platform.settings["raw_bucket"]
    with cut_notifications(platform, bucket):
        landed = land(platform, UPLOADER, day, "past-the-recorder.csv", b"customer_id\nC-1\n")
    return Tampering(
        f"{UPLOADER} uploads {landed.key} while {INSIDER} has cut the recorder off",
        Finding("UNRECORDED", bucket, landed.key, landed.version_id, arn(platform, UPLOADER)),
        frozenset({f"s3/bucket/{bucket}/notifications", _KEYS_OF_ADMIN}),
        "CreateAccessKey",
    )


def forge_a_record(platform: Platform, model: Landed) -> Tampering:
    """The insider signs a record, with the platform's own key, of an object nobody ever wrote."""
    now = datetime.now(UTC)
    honest = read_record(platform, model)
    forged = replace(
        honest,
        version=ObjectVersion(
            honest.version.bucket,
            honest.version.key.rpartition("/")[0] + "/never-written.csv",
            hashlib.sha256(b"never written").hexdigest()[:32],
        ),
        sha256=hashlib.sha256(b"never written").hexdigest(),
        event=replace(honest.event, time=now, request_id="F0R9ED0000000001"),
        hashed_at=now,
    )
    name = record_key(now, record_id(forged.version))
    write_record(platform, name, forged)
    return Tampering(
        f"{INSIDER} forges a signed record of {forged.version.key}, which nobody wrote",
        Finding(
            "UNWITNESSED",
            forged.version.bucket,
            forged.version.key,
            forged.version.version_id,
            arn(platform, INSIDER),
        ),
        _for_a_record(platform),
        "PutKeyPolicy",
    )


def contradict_a_record(platform: Platform, target: Landed) -> Tampering:
    """The insider signs a second record of a real object version, with another hash."""
    honest = read_record(platform, target)
    other = replace(honest, sha256=hashlib.sha256(b"other bytes").hexdigest())
    version = honest.version
    first_name = record_key(honest.event.time, record_id(version))
    write_record(platform, conflict_key(first_name, other.sha256), other)
    return Tampering(
        f"{INSIDER} adds a second record of {version.key} with another hash",
        Finding(
            "CONFLICT", version.bucket, version.key, version.version_id, arn(platform, INSIDER)
        ),
        _for_a_record(platform),
        "PutKeyPolicy",
    )


def keep_an_event_out_of_the_trail(platform: Platform, day: date) -> Tampering:
    """The insider has the trail look away from bronze while an honest file lands."""
    trail = platform.client("cloudtrail", INSIDER)
    name, bucket = platform.settings["trail_name"], platform.settings["raw_bucket"]
    selectors = trail.get_event_selectors(TrailName=name)["AdvancedEventSelectors"]
    trail.put_event_selectors(
        TrailName=name, AdvancedEventSelectors=[looking_away_from(bucket, s) for s in selectors]
    )
    try:
        landed = land(platform, UPLOADER, day, "untrailed.csv", b"customer_id\nC-2\n")
    finally:
        trail.put_event_selectors(TrailName=name, AdvancedEventSelectors=selectors)
    return Tampering(
        f"{UPLOADER} uploads {landed.key} honestly; {INSIDER} keeps the event out of the trail",
        Finding("UNWITNESSED", bucket, landed.key, landed.version_id, arn(platform, UPLOADER)),
        frozenset({f"cloudtrail/trail/{name}/selectors"}),
        "PutEventSelectors",
    )


def looking_away_from(bucket: str, selector: dict[str, Any]) -> dict[str, Any]:
    """An advanced event selector that leaves out the objects of one bucket."""
    fields = [dict(field) for field in selector["FieldSelectors"]]
    for field in fields:
        if field["Field"] == "resources.ARN":
            field["NotStartsWith"] = [*field.get("NotStartsWith", []), f"arn:aws:s3:::{bucket}/"]
    return {**selector, "FieldSelectors": fields}


_KEYS_OF_ADMIN = f"iam/user/{ADMIN}/access keys"


def _for_a_record(platform: Platform) -> frozenset[str]:
    """The controls that must be changed before somebody else than the recorder writes a record."""
    key = platform.settings["signing_key_arn"].rpartition("/")[2]
    bucket = platform.settings["provenance_bucket"]
    return frozenset({f"kms/key/{key}/policy", f"s3/bucket/{bucket}/policy", _KEYS_OF_ADMIN})


def arn(platform: Platform, principal: str) -> str:
    """The ARN of one of the local principals."""
    return str(platform.client("sts", principal).get_caller_identity()["Arn"])


def read_record(platform: Platform, landed: Landed) -> LandingRecord:
    """The recorder's record of an object version; waits for it."""
    s3 = platform.client("s3", INSIDER)
    bucket = platform.settings["provenance_bucket"]
    name = record_id(ObjectVersion(platform.settings["raw_bucket"], landed.key, landed.version_id))
    found: list[str] = []

    def recorded() -> bool:
        pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=RECORD_PREFIX)
        found.extend(
            item["Key"]
            for page in pages
            for item in page.get("Contents", [])
            if item["Key"].endswith(f"/{name}.json")
        )
        return bool(found)

    wait_until(f"{landed.key} has a record", recorded)
    line = s3.get_object(Bucket=bucket, Key=found[0])["Body"].read()
    return from_statement(Envelope.parse(line).payload)


def write_record(platform: Platform, name: str, record: LandingRecord) -> None:
    """Sign and store a record as the insider."""
    payload = to_statement(record)
    key_arn = platform.settings["signing_key_arn"]
    kms = platform.client("kms", INSIDER)
    with granted_signing(kms, key_arn, arn(platform, INSIDER)):
        signature = kms.sign(
            KeyId=key_arn,
            Message=hashlib.sha256(pae(PAYLOAD_TYPE, payload)).digest(),
            MessageType="DIGEST",
            SigningAlgorithm="ECDSA_SHA_256",
        )["Signature"]
    envelope = Envelope(payload, PAYLOAD_TYPE, (Signature(key_arn, signature),))
    s3 = platform.client("s3", INSIDER)
    bucket = platform.settings["provenance_bucket"]
    with lifted_bucket_policy(platform, bucket):
        s3.put_object(Bucket=bucket, Key=name, Body=envelope.to_json_line(), IfNoneMatch="*")


@contextmanager
def granted_signing(kms: Any, key_arn: str, principal: str) -> Iterator[None]:
    """Let a principal sign for a moment: the key's policy lets an administrator change it only."""
    policy = kms.get_key_policy(KeyId=key_arn, PolicyName="default")["Policy"]
    widened = json.loads(policy)
    widened["Statement"].append(
        {
            "Sid": "InsiderSigns",
            "Effect": "Allow",
            "Principal": {"AWS": principal},
            "Action": "kms:Sign",
            "Resource": "*",
        }
    )
    kms.put_key_policy(KeyId=key_arn, PolicyName="default", Policy=json.dumps(widened))
    try:
        yield
    finally:
        kms.put_key_policy(KeyId=key_arn, PolicyName="default", Policy=policy)


@contextmanager
def as_deployer(platform: Platform) -> Iterator[Any]:
    """S3 under the name of who deploys, whom alone the buckets let change how they are set up.

    The insider makes himself an access key of that user, as an administrator can.
    """
    iam = platform.client("iam", INSIDER)
    made = iam.create_access_key(UserName=ADMIN)["AccessKey"]
    session = boto3.Session(
        aws_access_key_id=made["AccessKeyId"],
        aws_secret_access_key=made["SecretAccessKey"],
        region_name=platform.settings["region"],
    )
    try:
        yield session.client("s3", endpoint_url=platform.machine.endpoint)
    finally:
        iam.delete_access_key(UserName=ADMIN, AccessKeyId=made["AccessKeyId"])


@contextmanager
def lifted_bucket_policy(platform: Platform, bucket: str) -> Iterator[None]:
    """Take from a bucket's policy for a moment what it denies: nothing stops an administrator then.

    What it allows stays, so that CloudTrail delivers and uploaders upload meanwhile.
    """
    with as_deployer(platform) as deployer:
        policy = deployer.get_bucket_policy(Bucket=bucket)["Policy"]
        allowed = [s for s in json.loads(policy)["Statement"] if s["Effect"] == "Allow"]
        if allowed:
            lifted = {**json.loads(policy), "Statement": allowed}
            deployer.put_bucket_policy(Bucket=bucket, Policy=json.dumps(lifted))
        else:
            deployer.delete_bucket_policy(Bucket=bucket)
    try:
        yield
    finally:
        platform.client("s3", INSIDER).put_bucket_policy(Bucket=bucket, Policy=policy)


@contextmanager
def cut_notifications(platform: Platform, bucket: str) -> Iterator[None]:
    """S3 announces nothing of a bucket for a moment."""
    told = platform.client("s3", INSIDER).get_bucket_notification_configuration(Bucket=bucket)
    told.pop("ResponseMetadata")
    _announce(platform, bucket, {})
    try:
        yield
    finally:
        _announce(platform, bucket, told)


def _announce(platform: Platform, bucket: str, what: dict[str, Any]) -> None:
    with as_deployer(platform) as s3:
        s3.put_bucket_notification_configuration(Bucket=bucket, NotificationConfiguration=what)
