"""A kill in the middle of uploads: object, record and notification stand or fall together."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from botocore.exceptions import BotoCoreError, ClientError
from tests.infra.local.cloudtrail.conftest import ACCOUNT, REGION, LocalAws, allow, make_local_aws
from tests.support.patience import PATIENCE_SECONDS

RAW = "raw-bucket"
QUEUE_ARN = f"arn:aws:sqs:{REGION}:{ACCOUNT}:landed"
_WORKERS = 4
_ACKNOWLEDGED_BEFORE_KILL = 60


@pytest.fixture
def aws(tmp_path: Path) -> Iterator[LocalAws]:
    local = make_local_aws(tmp_path / "home")
    try:
        local.start()
        local.trail(f"arn:aws:s3:::{RAW}/")
        s3, sqs = local.root("s3"), local.root("sqs")
        s3.create_bucket(Bucket=RAW)
        s3.put_bucket_versioning(Bucket=RAW, VersioningConfiguration={"Status": "Enabled"})
        policy = {
            "Version": "2012-10-17",
            "Statement": [
                allow("sqs:SendMessage", resource=QUEUE_ARN)
                | {"Principal": {"Service": "s3.amazonaws.com"}}
            ],
        }
        sqs.create_queue(QueueName="landed", Attributes={"Policy": json.dumps(policy)})
        s3.put_bucket_notification_configuration(
            Bucket=RAW,
            NotificationConfiguration={
                "QueueConfigurations": [{"QueueArn": QUEUE_ARN, "Events": ["s3:ObjectCreated:*"]}]
            },
        )
        yield local
    finally:
        local.stop()


def upload_until_killed(aws: LocalAws) -> set[str]:
    """Version ids of the uploads that were acknowledged before the server died."""
    acknowledged: set[str] = set()
    enough = threading.Event()

    def work(worker: int) -> None:
        number = 0
        keys = aws.root_keys()
        s3 = aws.client("s3", *keys)
        while True:
            number += 1
            try:
                answer = s3.put_object(Bucket=RAW, Key=f"{worker}/{number}.csv", Body=b"x" * 100)
            except (BotoCoreError, ClientError):
                return
            acknowledged.add(answer["VersionId"])
            if len(acknowledged) >= _ACKNOWLEDGED_BEFORE_KILL:
                enough.set()

    workers = [threading.Thread(target=work, args=(n,)) for n in range(_WORKERS)]
    for worker in workers:
        worker.start()
    assert enough.wait(timeout=PATIENCE_SECONDS)
    aws.stop(kill=True)
    for worker in workers:
        worker.join(timeout=PATIENCE_SECONDS)
    return acknowledged


def notified(aws: LocalAws) -> list[str]:
    """Version ids of every notification in the queue, once each by message."""
    sqs = aws.root("sqs")
    queue = sqs.get_queue_url(QueueName="landed")["QueueUrl"]
    found: dict[str, str] = {}
    while messages := sqs.receive_message(
        QueueUrl=queue, MaxNumberOfMessages=10, WaitTimeSeconds=2, VisibilityTimeout=600
    ).get("Messages"):
        for message in messages:
            for record in json.loads(message["Body"]).get("Records", []):
                found[message["MessageId"]] = record["s3"]["object"]["versionId"]
    return sorted(found.values())


@pytest.mark.crash
def test_nothing_acknowledged_is_lost_and_nothing_is_half_done(aws: LocalAws) -> None:
    acknowledged = upload_until_killed(aws)
    aws.start()
    told = sorted(
        record["responseElements"]["x-amz-version-id"]
        for record in aws.records(bucketName=RAW, eventName="PutObject")
    )
    pages = aws.root("s3").get_paginator("list_object_versions").paginate(Bucket=RAW)
    stored = sorted(v["VersionId"] for page in pages for v in page.get("Versions", []))
    assert acknowledged <= set(stored)
    assert told == stored
    # At least once, as S3 has it.
    assert sorted(set(notified(aws))) == stored
