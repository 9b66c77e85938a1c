"""Look at what the platform says: records, the ledger, row counts, pages."""

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from custody.core.formats.untrusted import Fields
from custody.core.paging.form import document_of
from custody.core.trail.events import WRITES
from rehearsal.platform import Platform
from rehearsal.waiting import wait_until

ON_CALL = "on-call"


class QueryFailed(RuntimeError):
    """Athena refused or failed a statement."""


def query(
    platform: Platform, sql: str, principal: str = "platform-engineer"
) -> list[dict[str, str | None]]:
    """Run one Athena statement; rows as column → text, None for NULL."""
    athena = platform.client("athena", principal)
    started = athena.start_query_execution(
        QueryString=sql,
        WorkGroup=platform.settings["workgroup"],
        QueryExecutionContext={"Database": platform.settings["database"]},
    )
    execution = {"QueryExecutionId": started["QueryExecutionId"]}
    status: dict[str, Any] = {}

    def finished() -> bool:
        status.update(athena.get_query_execution(**execution)["QueryExecution"]["Status"])
        return status["State"] not in {"QUEUED", "RUNNING"}

    wait_until(f"Athena has finished: {sql[:80]}", finished)
    if status["State"] != "SUCCEEDED":
        raise QueryFailed(f"{status.get('StateChangeReason')}\n{sql}")
    rows: list[dict[str, str | None]] = []
    header: list[str] | None = None
    for page in athena.get_paginator("get_query_results").paginate(**execution):
        for row in page["ResultSet"]["Rows"]:
            values = [cell.get("VarCharValue") for cell in row["Data"]]
            if header is None:
                header = [str(name) for name in values]
            else:
                rows.append(dict(zip(header, values, strict=True)))
    return rows


def count(platform: Platform, table: str, where: str = "true") -> int:
    """Rows of a table."""
    rows = query(platform, f"SELECT count(*) AS n FROM {table} WHERE {where}")  # noqa: S608
    return int(rows[0]["n"] or 0)


def records_of_layer(platform: Platform, bucket: str) -> int:
    """Hash records of the object versions of one bucket, conflicting ones included."""
    return count(
        platform,
        "hash_records",
        f"json_extract_scalar(from_utf8(from_base64(payload)), '$.predicate.bucket') = '{bucket}'",
    )


def verdicts(platform: Platform) -> Counter[tuple[str, str]]:
    """Ledger rows per (layer, verdict)."""
    rows = query(
        platform,
        "SELECT pipeline_layer, verdict, count(*) AS n FROM provenance_ledger GROUP BY 1, 2",
    )
    return Counter({(str(r["pipeline_layer"]), str(r["verdict"])): int(r["n"] or 0) for r in rows})


def wait_settled(platform: Platform, *, bronze: int, alone: int = 0) -> None:
    """Wait until both witnesses have spoken about everything, and a digest vouches for it.

    That is: at least `bronze` versions in bronze are known to either witness, all versions are
    known to both but `alone`, and the newest digest is younger than the newest log file.
    """

    def settled() -> bool:
        names = {**platform.settings, "writes": _listed(WRITES)}
        (seen,) = query(platform, _BOTH_WITNESSES.format(**names))
        return int(seen["bronze"] or 0) >= bronze and int(seen["alone"] or 0) == alone

    wait_until(f"both witnesses know all but {alone} writes", settled)
    logged = _newest(platform, "CloudTrail")
    wait_until(
        "a digest vouches for all that was logged",
        # S3 tells whole seconds, and a digest covers what was delivered before its period ended.
        lambda: _newest(platform, "CloudTrail-Digest") > logged + timedelta(seconds=1),
    )


def _listed(names: Iterable[str]) -> str:
    """Names as SQL lists them."""
    return ", ".join(f"'{name}'" for name in sorted(names))


_BOTH_WITNESSES = """
WITH written AS (
    SELECT DISTINCT
        json_extract_scalar(requestparameters, '$.bucketName') AS bucket,
        json_extract_scalar(requestparameters, '$.key') AS object_key,
        json_extract_scalar(responseelements, '$["x-amz-version-id"]') AS version_id
    FROM cloudtrail_logs
    WHERE region = '{region}'
        AND errorcode IS NULL
        AND eventname IN ({writes})
        AND json_extract_scalar(requestparameters, '$.bucketName')
            IN ('{raw_bucket}', '{processed_bucket}', '{analytics_bucket}')
),
recorded AS (
    SELECT DISTINCT
        json_extract_scalar(from_utf8(from_base64(payload)), '$.predicate.bucket') AS bucket,
        json_extract_scalar(from_utf8(from_base64(payload)), '$.predicate.key') AS object_key,
        json_extract_scalar(from_utf8(from_base64(payload)), '$.predicate.versionId') AS version_id
    FROM hash_records
)
SELECT
    count_if(coalesce(w.bucket, r.bucket) = '{raw_bucket}') AS bronze,
    count_if(w.bucket IS NULL OR r.bucket IS NULL) AS alone
FROM written AS w
FULL OUTER JOIN recorded AS r
    ON w.bucket = r.bucket AND w.object_key = r.object_key AND w.version_id = r.version_id
"""


def _newest(platform: Platform, kind: str) -> datetime:
    """When CloudTrail last delivered a file of one kind, of the region that the buckets are in."""
    s3, settings = platform.client("s3"), platform.settings
    prefix = f"AWSLogs/{settings['account_id']}/{kind}/{settings['region']}/"
    pages = s3.get_paginator("list_objects_v2").paginate(
        Bucket=settings["trail_bucket"], Prefix=prefix
    )
    times = [item["LastModified"] for page in pages for item in page.get("Contents", [])]
    return max(times, default=datetime.min.replace(tzinfo=UTC))


@dataclass(frozen=True)
class Page:
    """What the on-call engineer's tools read: the JSON document of one SNS message."""

    body: Mapping[str, Any]

    @property
    def finding(self) -> dict[str, Any]:
        return {
            field: self.body[field]
            for field in ("verdict", "bucket", "key", "version_id", "principal_arn")
        }

    @property
    def causes(self) -> Mapping[str, str]:
        """The controls that were changed for it, and who changed each."""
        return {cause["key"]: cause["principal_arn"] for cause in self.body.get("causes", [])}


class OnCall:
    """An on-call engineer's inbox: an SQS queue subscribed to the pages topic."""

    def __init__(self, platform: Platform) -> None:
        self._sqs = platform.client("sqs")
        # It is no part of the platform, so it does not begin as the names of what is do.
        name = f"{ON_CALL}-of-{platform.settings['workgroup']}"
        self._queue = self._sqs.create_queue(QueueName=name)
        attributes = self._sqs.get_queue_attributes(
            QueueUrl=self._queue["QueueUrl"], AttributeNames=["QueueArn"]
        )
        arn = attributes["Attributes"]["QueueArn"]
        self._sqs.set_queue_attributes(
            QueueUrl=self._queue["QueueUrl"],
            Attributes={"Policy": _allow_topic(arn, platform.settings["topic_arn"])},
        )
        platform.client("sns").subscribe(
            TopicArn=platform.settings["topic_arn"],
            Protocol="sqs",
            Endpoint=arn,
            Attributes={"RawMessageDelivery": "true"},
        )

    def pages(self) -> list[Page]:
        """Take every page that has arrived."""
        pages = []
        while messages := self._sqs.receive_message(
            QueueUrl=self._queue["QueueUrl"], MaxNumberOfMessages=10, WaitTimeSeconds=1
        ).get("Messages"):
            for message in messages:
                pages.append(Page(Fields.of(document_of(message["Body"]), "page").values))
                self._sqs.delete_message(
                    QueueUrl=self._queue["QueueUrl"], ReceiptHandle=message["ReceiptHandle"]
                )
        return pages


def _allow_topic(queue_arn: str, topic_arn: str) -> str:
    return json.dumps(
        {
            "Version": "2012-10-17",
            "Statement": [
                {
                    "Sid": "PagesTopicMaySend",
                    "Effect": "Allow",
                    "Principal": {"Service": "sns.amazonaws.com"},
                    "Action": "sqs:SendMessage",
                    "Resource": queue_arn,
                    "Condition": {"ArnEquals": {"aws:SourceArn": topic_arn}},
                }
            ],
        }
    )


def whole_hours(start: datetime, end: datetime) -> tuple[datetime, datetime]:
    """The window of whole UTC hours that holds both moments."""
    hour = timedelta(hours=1)
    first = start.replace(minute=0, second=0, microsecond=0)
    return first, end.replace(minute=0, second=0, microsecond=0) + hour
