"""A kill at any moment loses nothing that was acknowledged, and half of nothing stays."""

from __future__ import annotations

import hashlib
import io
import json
import os
import threading
import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_der_public_key
from tests.infra.local.conftest import ACCOUNT, REGION, Server
from tests.support.patience import PATIENCE_SECONDS, wait_for

from localaws.durability.middleware import is_read

BUCKET = "custody-kept"
QUEUE_ARN = f"arn:aws:sqs:{REGION}:{ACCOUNT}:arrivals"


def restart(server: Server, *, moved: bool = False) -> None:
    server.kill()
    if moved:
        server.move()
    server.start()


def assume(service: str) -> str:
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": service} if "." in service else {"AWS": service},
        "Action": "sts:AssumeRole",
    }
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def allow(*actions: str) -> str:
    statement = {"Effect": "Allow", "Action": list(actions), "Resource": "*"}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def arrivals(server: Server) -> str:
    """A versioned bucket whose new objects are told to a queue; gives the queue's URL."""
    sqs, s3 = server.client("sqs"), server.client("s3")
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": "s3.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": QUEUE_ARN,
    }
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    url: str = sqs.create_queue(
        QueueName="arrivals", Attributes={"Policy": policy, "VisibilityTimeout": "900"}
    )["QueueUrl"]
    s3.create_bucket(Bucket=BUCKET, ObjectLockEnabledForBucket=True)
    s3.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
    s3.put_bucket_notification_configuration(
        Bucket=BUCKET,
        NotificationConfiguration={
            "QueueConfigurations": [{"QueueArn": QUEUE_ARN, "Events": ["s3:ObjectCreated:*"]}]
        },
    )
    return url


def told(server: Server, url: str) -> list[tuple[str, str]]:
    """Key and version of every notification, which is thereby taken; the test event left out."""
    sqs = server.client("sqs")
    found = []
    while messages := sqs.receive_message(
        QueueUrl=url, MaxNumberOfMessages=10, WaitTimeSeconds=2
    ).get("Messages", []):
        for message in messages:
            for record in json.loads(message["Body"]).get("Records", []):
                one = record["s3"]["object"]
                found.append((one["key"], one["versionId"]))
            sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    return found


def versions(server: Server) -> list[tuple[str, str]]:
    pages = server.client("s3").get_paginator("list_object_versions").paginate(Bucket=BUCKET)
    return [(v["Key"], v["VersionId"]) for page in pages for v in page.get("Versions", [])]


@pytest.mark.parametrize(
    ("action", "read"),
    [
        ("s3:GetObject", True),
        ("kms:Sign", True),
        ("kms:CreateKey", False),
        ("sts:GetCallerIdentity", True),
        ("sts:GetSessionToken", False),
        ("sqs:ReceiveMessage", True),
        ("sqs:DeleteMessage", False),
        ("ssm:PutParameter", False),
        ("lambda:InvokeFunction", True),
    ],
)
def test_only_what_changes_something_waits_for_the_disk(action: str, read: bool) -> None:
    assert is_read(action) is read


Check = Callable[[], Any]


@pytest.mark.crash
def test_every_kind_of_thing_is_there_after_a_kill(own_server: Server) -> None:
    checks: dict[str, Check] = {}
    for make in (
        _make_identities,
        _make_key,
        _make_objects,
        _make_catalog,
        _make_others,
        _make_stack,
    ):
        checks |= make(own_server)
    url = _make_messages(own_server)
    before = {name: read() for name, read in checks.items()}
    restart(own_server)
    assert {name: read() for name, read in checks.items()} == before
    messages: set[str] = set()
    sqs = own_server.client("sqs")
    wait_for(lambda: messages.update(_bodies(sqs, url)) or len(messages) == 2)
    assert messages == {"in flight", "waiting"}
    signature = own_server.client("kms").sign(
        KeyId="alias/signing", Message=b"m", SigningAlgorithm="ECDSA_SHA_256"
    )["Signature"]
    public = load_der_public_key(before["key"])
    assert isinstance(public, ec.EllipticCurvePublicKey)
    public.verify(signature, b"m", ec.ECDSA(hashes.SHA256()))


def _make_identities(server: Server) -> dict[str, Check]:
    iam = server.client("iam")
    iam.create_role(RoleName="reader", AssumeRolePolicyDocument=assume(ACCOUNT))
    iam.put_role_policy(
        RoleName="reader", PolicyName="p", PolicyDocument=allow("s3:ListAllMyBuckets")
    )
    held = server.client("sts").assume_role(
        RoleArn=f"arn:aws:iam::{ACCOUNT}:role/reader", RoleSessionName="night"
    )["Credentials"]
    as_role = server.session(held["AccessKeyId"], held["SecretAccessKey"], held["SessionToken"])

    def policy() -> Any:
        answer = server.client("iam").get_role_policy(RoleName="reader", PolicyName="p")
        return answer["PolicyDocument"]

    return {
        "role": policy,
        "session": lambda: server.client("sts", as_role).get_caller_identity()["Arn"],
        "what the session may do": lambda: server.client("s3", as_role).list_buckets()["Owner"],
    }


def _make_key(server: Server) -> dict[str, Check]:
    kms = server.client("kms")
    made = kms.create_key(KeySpec="ECC_NIST_P256", KeyUsage="SIGN_VERIFY")["KeyMetadata"]
    kms.create_alias(AliasName="alias/signing", TargetKeyId=made["KeyId"])
    return {"key": lambda: server.client("kms").get_public_key(KeyId="alias/signing")["PublicKey"]}


def _make_objects(server: Server) -> dict[str, Check]:
    s3, bucket, key = server.client("s3"), "configured-bucket", "ä b+c%.csv"
    s3.create_bucket(Bucket=bucket)
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    first = s3.put_object(Bucket=bucket, Key=key, Body=b"one")["VersionId"]
    s3.put_object(Bucket=bucket, Key=key, Body=b"two")
    s3.put_object(Bucket=bucket, Key="gone", Body=b"x", Tagging="a=b")
    s3.delete_object(Bucket=bucket, Key="gone")

    def body(**version: str) -> bytes:
        answer = server.client("s3").get_object(Bucket=bucket, Key=key, **version)
        content: bytes = answer["Body"].read()
        return content

    def versions_and_markers() -> list[Any]:
        answer = server.client("s3").list_object_versions(Bucket=bucket)
        parts = [*answer["Versions"], *answer["DeleteMarkers"]]
        return sorted((part["Key"], part["VersionId"], part["IsLatest"]) for part in parts)

    return {
        "object": body,
        "older version": lambda: body(VersionId=first),
        "versions": versions_and_markers,
    }


def _make_messages(server: Server) -> str:
    sqs = server.client("sqs")
    created = sqs.create_queue(QueueName="work", Attributes={"VisibilityTimeout": "900"})
    url: str = created["QueueUrl"]
    for text in ("in flight", "done", "waiting"):
        sqs.send_message(QueueUrl=url, MessageBody=text)
    for message in sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=2)["Messages"]:
        if message["Body"] == "done":
            sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    return url


def _make_catalog(server: Server) -> dict[str, Check]:
    glue, storage = server.client("glue"), {"Columns": [], "Location": "s3://bucket/t/"}
    glue.create_database(DatabaseInput={"Name": "lake"})
    table = {
        "Name": "t",
        "StorageDescriptor": storage,
        "PartitionKeys": [{"Name": "dt", "Type": "string"}],
    }
    glue.create_table(DatabaseName="lake", TableInput=table)
    glue.batch_create_partition(
        DatabaseName="lake",
        TableName="t",
        PartitionInputList=[{"Values": ["2026-11-20"], "StorageDescriptor": storage}],
    )

    def partitions() -> list[Any]:
        answer = server.client("glue").get_partitions(DatabaseName="lake", TableName="t")
        return [partition["Values"] for partition in answer["Partitions"]]

    return {"partitions": partitions}


def _make_others(server: Server) -> dict[str, Check]:
    sns, cloudtrail = server.client("sns"), server.client("cloudtrail")
    topic = sns.create_topic(Name="pages")["TopicArn"]
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=QUEUE_ARN)
    server.client("ssm").put_parameter(Name="/a/b", Value="v", Type="String")
    cloudtrail.create_trail(Name="trail", S3BucketName="configured-bucket")
    cloudtrail.start_logging(Name="trail")

    def subscriptions() -> Any:
        return server.client("sns").list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"]

    return {
        "subscriptions": subscriptions,
        "parameter": lambda: server.client("ssm").get_parameter(Name="/a/b")["Parameter"]["Value"],
        "trail": lambda: server.client("cloudtrail").get_trail_status(Name="trail")["IsLogging"],
    }


def _make_stack(server: Server) -> dict[str, Check]:
    queue = {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": "of-stack"}}
    cloudformation = server.client("cloudformation")
    cloudformation.create_stack(
        StackName="stack", TemplateBody=json.dumps({"Resources": {"Q": queue}})
    )
    wait_for(lambda: _status(cloudformation) == "CREATE_COMPLETE")
    return {
        "stack": lambda: _status(server.client("cloudformation")),
        "its queue": lambda: server.client("sqs").get_queue_url(QueueName="of-stack")["QueueUrl"],
    }


def _status(cloudformation: Any) -> str:
    status: str = cloudformation.describe_stacks(StackName="stack")["Stacks"][0]["StackStatus"]
    return status


def _bodies(sqs: Any, url: str) -> list[str]:
    answer = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10)
    return [message["Body"] for message in answer.get("Messages", [])]


@pytest.mark.crash
def test_the_last_answer_before_a_kill_counts(own_server: Server) -> None:
    """No round of the checkpoints between requests comes to its help."""
    ssm = own_server.client("ssm")
    names = [f"/last/{number}" for number in range(5)]
    for name in names:
        ssm.put_parameter(Name=name, Value="v", Type="String")
    restart(own_server)
    found = own_server.client("ssm").get_parameters_by_path(Path="/last")["Parameters"]
    assert sorted(parameter["Name"] for parameter in found) == names


@pytest.mark.crash
@pytest.mark.parametrize("moved", [False, True], ids=["in its place", "on another port"])
def test_a_function_goes_on_with_its_queue(own_server: Server, moved: bool) -> None:
    """The mapping is kept, and what it had not finished is done after the start."""
    iam, sqs, s3 = (own_server.client(name) for name in ("iam", "sqs", "s3"))
    role = iam.create_role(
        RoleName="worker", AssumeRolePolicyDocument=assume("lambda.amazonaws.com")
    )
    iam.put_role_policy(
        RoleName="worker", PolicyName="p", PolicyDocument=allow("s3:PutObject", "sqs:*")
    )
    s3.create_bucket(Bucket="done-by-lambda")
    url = sqs.create_queue(
        QueueName="jobs", Attributes={"VisibilityTimeout": str(PATIENCE_SECONDS)}
    )["QueueUrl"]
    source = (
        "import boto3\n"
        "def handler(event, context):\n"
        "    for record in event['Records']:\n"
        "        boto3.client('s3').put_object("
        "Bucket='done-by-lambda', Key=record['body'], Body=b'')\n"
    )
    package = io.BytesIO()
    with zipfile.ZipFile(package, "w") as archive:
        archive.writestr("f.py", source)
    functions = own_server.client("lambda")
    functions.create_function(
        FunctionName="worker",
        Runtime="python3.12",
        Handler="f.handler",
        Role=role["Role"]["Arn"],
        Code={"ZipFile": package.getvalue()},
        Timeout=PATIENCE_SECONDS,
    )
    mapping = functions.create_event_source_mapping(
        FunctionName="worker", EventSourceArn=f"arn:aws:sqs:{REGION}:{ACCOUNT}:jobs"
    )
    for number in range(5):
        sqs.send_message(QueueUrl=url, MessageBody=f"job-{number}")
    restart(own_server, moved=moved)
    mappings = own_server.client("lambda").list_event_source_mappings()["EventSourceMappings"]
    assert [one["UUID"] for one in mappings] == [mapping["UUID"]]

    def done() -> bool:
        answer = own_server.client("s3").list_objects_v2(Bucket="done-by-lambda")
        return [o["Key"] for o in answer.get("Contents", [])] == [f"job-{n}" for n in range(5)]

    wait_for(done)


@pytest.mark.crash
def test_uploads_during_a_kill_are_whole_and_told_or_never_were(own_server: Server) -> None:
    url = arrivals(own_server)
    stored: dict[tuple[str, str], str] = {}

    def upload(number: int) -> None:
        s3 = own_server.client("s3", config=Config(retries={"total_max_attempts": 1}))
        for count in range(10_000):
            content = os.urandom(3000)
            key = f"incoming/{number}-{count % 3}.csv"
            try:
                version_id = s3.put_object(Bucket=BUCKET, Key=key, Body=content)["VersionId"]
            except (BotoCoreError, ClientError):
                return
            stored[key, version_id] = hashlib.sha256(content).hexdigest()

    for round_number in range(2):
        enough = len(stored) + 20
        threads = [threading.Thread(target=upload, args=(n + 2 * round_number,)) for n in range(2)]
        for thread in threads:
            thread.start()
        wait_for(lambda: len(stored) >= enough)  # noqa: B023
        own_server.kill()
        for thread in threads:
            thread.join()
        own_server.start()

    there = versions(own_server)
    assert set(stored) <= set(there)
    s3 = own_server.client("s3")
    for (key, version_id), digest in stored.items():
        content = s3.get_object(Bucket=BUCKET, Key=key, VersionId=version_id)["Body"].read()
        assert hashlib.sha256(content).hexdigest() == digest
    assert sorted(set(told(own_server, url))) == sorted(there)


@pytest.mark.crash
def test_locks_outlive_a_kill(own_server: Server) -> None:
    arrivals(own_server)
    s3 = own_server.client("s3")
    s3.put_object_lock_configuration(
        Bucket=BUCKET,
        ObjectLockConfiguration={
            "ObjectLockEnabled": "Enabled",
            "Rule": {"DefaultRetention": {"Mode": "COMPLIANCE", "Days": 1}},
        },
    )
    locked = s3.put_object(Bucket=BUCKET, Key="locked", Body=b"x")["VersionId"]
    held = s3.put_object(Bucket=BUCKET, Key="held", Body=b"x")["VersionId"]
    s3.put_object_legal_hold(Bucket=BUCKET, Key="held", VersionId=held, LegalHold={"Status": "ON"})
    restart(own_server)
    restart(own_server)  # from the journal once, from what it was rewritten to the second time
    s3 = own_server.client("s3")
    for key, version_id in (("locked", locked), ("held", held)):
        with pytest.raises(ClientError, match="AccessDenied"):
            s3.delete_object(
                Bucket=BUCKET, Key=key, VersionId=version_id, BypassGovernanceRetention=True
            )
    hold = s3.get_object_legal_hold(Bucket=BUCKET, Key="held", VersionId=held)
    assert hold["LegalHold"]["Status"] == "ON"


def _forget_the_record(server: Server) -> None:
    """As if the kill had come before CloudTrail had the write on record."""
    for file in (server.settings.state / "cloudtrail").glob("journal.sqlite*"):
        file.unlink()


def _unanswered(server: Server, key: str, before: list[str]) -> None:
    """As if the write of `key`, begun when these versions were there, had never been answered."""
    path = server.settings.state / "local" / "journal.jsonl"
    entries = [json.loads(line) for line in path.read_text().splitlines()]
    kept = [entry for entry in entries if entry.get("key") != key]
    kept.append({"t": "begin", "n": 99, "bucket": BUCKET, "key": key, "before": before})
    path.write_text("".join(json.dumps(entry) + "\n" for entry in kept))


@pytest.mark.crash
def test_a_write_nobody_was_told_of_and_nobody_has_on_record_is_undone(own_server: Server) -> None:
    url = arrivals(own_server)
    s3 = own_server.client("s3")
    first = s3.put_object(Bucket=BUCKET, Key="k", Body=b"first")["VersionId"]
    s3.put_object(Bucket=BUCKET, Key="k", Body=b"second")
    own_server.kill()
    _unanswered(own_server, "k", [first])
    _forget_the_record(own_server)
    own_server.start()
    s3 = own_server.client("s3")
    assert s3.get_object(Bucket=BUCKET, Key="k")["Body"].read() == b"first"
    assert versions(own_server) == [("k", first)]
    assert set(told(own_server, url)) == {("k", first)}


@pytest.mark.crash
def test_a_write_on_record_is_kept(own_server: Server) -> None:
    url = arrivals(own_server)
    version_id = own_server.client("s3").put_object(Bucket=BUCKET, Key="k", Body=b"x")["VersionId"]
    own_server.kill()
    _unanswered(own_server, "k", [])
    own_server.start()
    assert versions(own_server) == [("k", version_id)]
    assert set(told(own_server, url)) == {("k", version_id)}


def _data_file(server: Server, name: str) -> Path:
    return server.settings.s3 / ACCOUNT / BUCKET / name


@pytest.mark.crash
def test_bytes_replaced_without_their_sidecar_are_put_back(own_server: Server) -> None:
    arrivals(own_server)
    s3 = own_server.client("s3")
    s3.put_object(Bucket=BUCKET, Key="k", Body=b"first")
    second = s3.put_object(Bucket=BUCKET, Key="k", Body=b"second")["VersionId"]
    own_server.kill()
    # What a third write does first: set the second's bytes aside, then replace them.
    aside = own_server.settings.s3 / ".versions" / ACCOUNT / BUCKET / second / "k"
    aside.parent.mkdir(parents=True)
    aside.write_bytes(b"second")
    _write_later(_data_file(own_server, "k"), b"the third's bytes")
    _unanswered(own_server, "k", [version for _, version in versions_on_disk(own_server, "k")])
    own_server.start()
    s3 = own_server.client("s3")
    answer = s3.get_object(Bucket=BUCKET, Key="k")
    assert (answer["Body"].read(), answer["VersionId"]) == (b"second", second)
    assert len(versions(own_server)) == 2


@pytest.mark.crash
def test_a_first_write_without_its_sidecar_never_was(own_server: Server) -> None:
    arrivals(own_server)
    own_server.kill()
    _write_later(_data_file(own_server, "new"), b"half a write")
    _unanswered(own_server, "new", [])
    own_server.start()
    assert versions(own_server) == []
    assert not _data_file(own_server, "new").exists()


def versions_on_disk(server: Server, key: str) -> list[tuple[str, str]]:
    sidecar = json.loads(_data_file(server, f"{key}.meta.json").read_text())
    return [(key, version["version_id"]) for version in sidecar["versions"]]


def _write_later(path: Path, content: bytes) -> None:
    """Write so that the file is younger than everything before it, whatever the clock's grain."""
    path.write_bytes(content)
    later = time.time() + 5
    os.utime(path, (later, later))


@pytest.mark.crash
def test_a_damaged_state_file_stops_the_start(own_server: Server) -> None:
    own_server.client("ssm").put_parameter(Name="/a", Value="v", Type="String")
    own_server.kill()
    (own_server.settings.state / "ssm.json").write_text('{"half')
    refused = own_server.run("start")
    assert refused.returncode == 1
    assert "ssm.json" in refused.stderr
