"""The recorder from message to record, with S3 in memory."""

import hashlib
import json
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws
from tests.plugins.custody.aws.records.test_large_objects import JOB, Glue
from tests.support.moto_aws import (
    DATA_KEY_ARN,
    KEY_ARN,
    PRIVATE_KEY,
    REGION,
    make_bucket,
    refusal,
    signing_kms,
)
from tests.support.notices import notice
from tests.support.patience import PATIENCE_SECONDS
from tests.support.strategies import AWKWARD_KEYS

from custody.aws.records.recording import RecordingSession
from custody.core.formats.dsse import Envelope
from custody.core.formats.signatures import verify
from custody.core.records.model import LandingRecord, UnreadableReason, UnreadableRecord
from custody.core.records.names import late_key, record_id
from custody.core.records.retries import NOTED_AFTER
from custody.core.records.statement import from_statement, read_record
from custody.objects import ObjectVersion
from recorder import handler
from recorder.handler import Invocation, Settings, run

RAW, PROVENANCE = "custody-test-raw", "custody-test-provenance"
MIB = 1024 * 1024
LARGE_BYTES = 4 * MIB
EVENT_TIME = datetime(2026, 11, 1, 6, tzinfo=UTC)
QUEUE_ARN = f"arn:aws:sqs:{REGION}:111122223333:custody-test-recorder"
ROOT = Path(__file__).parents[3]


@pytest.fixture
def s3() -> Iterator[Any]:
    with mock_aws():
        client = boto3.client("s3", region_name=REGION)
        make_bucket(client, RAW)
        make_bucket(client, PROVENANCE)
        yield client


def invocation(
    s3, *, glue=None, remaining_ms=lambda: 60_000, put_off=lambda *_: None
) -> Invocation:
    now = datetime(2026, 11, 1, 6, 0, 2, tzinfo=UTC)
    return Invocation(
        session=RecordingSession(s3, signing_kms(), lambda: now, PROVENANCE, KEY_ARN, DATA_KEY_ARN),
        glue=glue,
        put_off=put_off,
        large_object_bytes=LARGE_BYTES,
        large_object_job=JOB,
        remaining_ms=remaining_ms,
    )


def land(s3, key: str = "incoming/a.csv", content: bytes = b"a,b\n1,2\n") -> dict[str, Any]:
    """Put an object and return the notification record S3 would send."""
    put = s3.put_object(Bucket=RAW, Key=key, Body=content)
    return notice(
        bucket=RAW,
        key=key,
        size=len(content),
        etag=put["ETag"].strip('"'),
        version_id=put["VersionId"],
    )


def batch(*bodies: Any) -> dict[str, Any]:
    """An SQS event; a body is a list of notification records, or anything else as it is."""
    return {
        "Records": [
            {
                "messageId": f"m{number}",
                "receiptHandle": f"h{number}",
                "attributes": {"ApproximateReceiveCount": "3"},
                "eventSourceARN": QUEUE_ARN,
                "body": json.dumps({"Records": body}) if isinstance(body, list) else body,
            }
            for number, body in enumerate(bodies)
        ]
    }


def failures(answer: dict[str, Any]) -> list[str]:
    return [item["itemIdentifier"] for item in answer["batchItemFailures"]]


def objects(s3) -> dict[str, bytes]:
    """What the provenance bucket holds, by key; fails if anything in it was ever replaced."""
    found: dict[str, bytes] = {}
    for version in s3.list_object_versions(Bucket=PROVENANCE).get("Versions", []):
        assert version["Key"] not in found, "a record was overwritten"
        body = s3.get_object(Bucket=PROVENANCE, Key=version["Key"])["Body"]
        found[version["Key"]] = body.read()
    return found


def records(s3) -> dict[str, LandingRecord | UnreadableRecord]:
    """The verified records by the key of the object they are about."""
    trusted = {KEY_ARN: PRIVATE_KEY.public_key()}
    found = [read_record(verify(Envelope.parse(raw), trusted)) for raw in objects(s3).values()]
    return {record.version.key: record for record in found}


def log_lines(capsys) -> list[dict[str, Any]]:
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_an_upload_becomes_a_signed_record(s3):
    content = b"id,name\n1,J\xc3\xbcrgen\n"
    landed = land(s3, "incoming/customers/dt=2026-11-01/crm.csv", content)
    assert failures(run(batch([landed]), invocation(s3))) == []
    (record,) = records(s3).values()
    assert record.sha256 == hashlib.sha256(content).hexdigest()
    assert record.size_bytes == len(content)
    assert record.version.version_id == landed["s3"]["object"]["versionId"]
    assert record.event.request_id == landed["responseElements"]["x-amz-request-id"]
    assert list(objects(s3)) == [
        f"provenance/incoming/dt=2026-11-01/{record_id(record.version)}.json"
    ]


def test_awkward_names_folder_markers_and_empty_objects_are_recorded(s3):
    keys = [k for k in AWKWARD_KEYS if k != "."]  # moto drops "." from URLs
    landed = [land(s3, key, b"" if key.endswith("/") else key.encode()) for key in keys]
    assert failures(run(batch(landed), invocation(s3))) == []
    assert {key: record.sha256 for key, record in records(s3).items()} == {
        key: hashlib.sha256(b"" if key.endswith("/") else key.encode()).hexdigest() for key in keys
    }


def test_every_version_of_an_object_gets_its_own_record(s3):
    versions = [land(s3, content=b"one"), land(s3, content=b"two")]
    run(batch(versions), invocation(s3))
    assert len(objects(s3)) == 2


def test_a_second_delivery_changes_nothing(s3, capsys):
    event = batch([land(s3)])
    run(event, invocation(s3))
    before = objects(s3)
    capsys.readouterr()
    assert failures(run(event, invocation(s3))) == []
    assert objects(s3) == before
    assert [line["message"] for line in log_lines(capsys)] == ["already recorded"]


def test_a_contradiction_is_kept_and_logged_as_an_error(s3, capsys):
    event = batch([land(s3)])
    run(event, invocation(s3))
    (place, first), *_ = objects(s3).items()
    forged = Envelope.parse(first)
    lie = forged.payload.replace(records(s3)["incoming/a.csv"].sha256.encode(), b"ab" * 32)
    s3.delete_object(  # rewriting history takes rights the recorder does not have
        Bucket=PROVENANCE,
        Key=place,
        VersionId=s3.head_object(Bucket=PROVENANCE, Key=place)["VersionId"],
    )
    lying = Envelope(lie, forged.payload_type, forged.signatures).to_json_line()
    s3.put_object(Bucket=PROVENANCE, Key=place, Body=lying)
    capsys.readouterr()
    assert failures(run(event, invocation(s3))) == []
    found = objects(s3)
    assert found[place] == lying
    assert len(found) == 2
    (line,) = log_lines(capsys)
    assert (line["level"], line["message"]) == ("error", "conflict kept")
    assert (
        from_statement(Envelope.parse(found[line["recordKey"]]).payload).version.key
        == "incoming/a.csv"
    )


def test_s3s_test_event_is_answered_and_leaves_nothing(s3, capsys):
    body = json.dumps({"Service": "Amazon S3", "Event": "s3:TestEvent", "Bucket": RAW})
    assert failures(run(batch(body), invocation(s3))) == []
    assert objects(s3) == {}
    assert [line["message"] for line in log_lines(capsys)] == ["test event"]


def gone(s3) -> dict[str, Any]:
    landed = land(s3, "incoming/gone.csv")
    version = landed["s3"]["object"]["versionId"]
    s3.delete_object(Bucket=RAW, Key="incoming/gone.csv", VersionId=version)
    return landed


def forged(s3) -> dict[str, Any]:
    landed = land(s3, "incoming/forged.csv")
    landed["s3"]["object"]["size"] += 1
    return landed


BAD = {
    "not JSON": (lambda _: "{", "MalformedInput", "notification: not JSON"),
    "no notification": (lambda _: "{}", "MalformedInput", "Records: is missing"),
    "a field missing": (
        lambda _: [{"eventVersion": "2.1"}],
        "MalformedInput",
        "Records[0].eventSource: is missing",
    ),
    "a removal": (
        lambda _: [notice() | {"eventName": "ObjectRemoved:Delete"}],
        "MalformedInput",
        "Records[0].eventName",
    ),
    "a forged size": (lambda s3: [forged(s3)], "NotAsAnnounced", "size in bytes: announced"),
    "a bucket that is not there": (
        lambda _: [notice(bucket="no-such-bucket")],
        "ClientError",
        "NoSuchBucket",
    ),
}


@pytest.mark.parametrize(("make", "error", "reason"), BAD.values(), ids=BAD.keys())
def test_one_bad_message_does_not_block_the_good_ones(s3, capsys, make, error, reason):
    first, last = land(s3, "incoming/first.csv"), land(s3, "incoming/last.csv")
    answer = run(batch([first], make(s3), [last]), invocation(s3))
    assert failures(answer) == ["m1"]
    assert set(records(s3)) == {"incoming/first.csv", "incoming/last.csv"}
    (line,) = [line for line in log_lines(capsys) if line["level"] == "error"]
    assert line["message"] == "not recorded"
    assert line["messageId"] == "m1"
    assert line["error"] == error
    assert reason in line["reason"]
    assert "traceback" not in line


def test_one_bad_record_fails_its_message_but_not_its_neighbours(s3):
    good = [land(s3, "incoming/1.csv"), land(s3, "incoming/2.csv")]
    answer = run(batch([good[0], {}, forged(s3), good[1]]), invocation(s3))
    assert failures(answer) == ["m0"], "a message is reported once"
    assert set(records(s3)) == {"incoming/1.csv", "incoming/2.csv"}


@pytest.mark.parametrize(
    ("operation", "code"),
    [("s3.PutObject", "AccessDenied"), ("kms.Sign", "AccessDeniedException")],
)
def test_a_failure_to_sign_or_write_brings_the_message_back(s3, operation, code):
    landed = land(s3)
    world = invocation(s3)
    client = world.session.s3 if operation.startswith("s3") else world.session.kms
    client.meta.events.register_first(f"before-call.{operation}", lambda **_: refusal(code, 403))
    assert failures(run(batch([landed]), world)) == ["m0"]
    assert objects(s3) == {}


def test_what_fails_comes_back_soon_and_what_no_waiting_mends_at_once(s3):
    """Each by itself; a message in which anything may pass waits for that."""
    put_off = {}
    world = invocation(s3, put_off=lambda m, seconds: put_off.update({m["messageId"]: seconds}))
    world.session.kms.meta.events.register_first(
        "before-call.kms.Sign", lambda **_: refusal("KMSInternalException", 500)
    )
    event = batch([land(s3)], "{", [forged(s3)], [forged(s3), land(s3, "incoming/b.csv")])
    assert sorted(failures(run(event, world))) == ["m0", "m1", "m2", "m3"]
    assert put_off == {"m0": 240, "m1": 0, "m2": 0, "m3": 240}


def test_what_keeps_failing_is_noted_as_late_once_and_recorded_when_that_is_over(s3):
    landed = land(s3)
    version = landed["s3"]["object"]["versionId"]
    noted = late_key(EVENT_TIME, record_id(ObjectVersion(RAW, "incoming/a.csv", version)))
    away = invocation(s3)
    away.session.kms.meta.events.register_first(
        "before-call.kms.Sign", lambda **_: refusal("DisabledException", 400)
    )
    event = batch([landed], "{")
    for received in (1, NOTED_AFTER - 1):
        for message in event["Records"]:
            message["attributes"]["ApproximateReceiveCount"] = str(received)
        run(event, away)
        assert objects(s3) == {}
    for message in event["Records"]:
        message["attributes"]["ApproximateReceiveCount"] = str(NOTED_AFTER)
    for _ in range(2):  # once
        assert sorted(failures(run(event, away))) == ["m0", "m1"]
    (note,) = objects(s3).items()
    about = {"bucket": RAW, "key": "incoming/a.csv", "versionId": version}
    assert (note[0], json.loads(note[1])) == (noted, about)
    assert failures(run(event, invocation(s3))) == ["m1"]
    assert len(objects(s3)) == 2, "the record beside the note"


def test_a_note_that_cannot_be_written_fails_nothing_else(s3, capsys):
    event = batch([land(s3)])
    event["Records"][0]["attributes"]["ApproximateReceiveCount"] = str(NOTED_AFTER)
    s3.meta.events.register_first(
        "before-call.s3.PutObject", lambda **_: refusal("AccessDenied", 403)
    )
    assert failures(run(event, invocation(s3))) == ["m0"]
    assert [line["error"] for line in log_lines(capsys)] == ["ClientError", "ClientError"]


def test_a_queue_that_does_not_put_off_brings_the_message_back_all_the_same(s3, capsys):
    def refuse(message, seconds):
        raise ClientError({"Error": {"Code": "AccessDenied"}}, "ChangeMessageVisibility")

    assert failures(run(batch("{"), invocation(s3, put_off=refuse))) == ["m0"]
    assert [line["message"] for line in log_lines(capsys)] == ["not recorded", "not put off"]


def test_a_message_is_put_off_in_the_queue_that_it_came_from():
    with mock_aws():
        sqs = boto3.client("sqs", region_name=REGION)
        url = sqs.create_queue(
            QueueName="custody-test-recorder", Attributes={"VisibilityTimeout": "600"}
        )["QueueUrl"]
        sqs.send_message(QueueUrl=url, MessageBody="{")
        (got,) = sqs.receive_message(QueueUrl=url)["Messages"]
        assert "Messages" not in sqs.receive_message(QueueUrl=url)
        account = "123456789012"  # moto's
        arn = f"arn:aws:sqs:{REGION}:{account}:custody-test-recorder"
        message = {"eventSourceARN": arn, "receiptHandle": got["ReceiptHandle"]}
        handler._put_off(sqs, message, 0)
        assert sqs.receive_message(QueueUrl=url)["Messages"][0]["Body"] == "{"


def test_a_bug_is_logged_with_its_traceback_and_stops_nothing_else(s3, capsys, monkeypatch):
    def record(self, created, **how):
        if created.version.key == "incoming/bug.csv":
            raise ZeroDivisionError("a bug")
        return real(self, created, **how)

    real = RecordingSession.record
    monkeypatch.setattr(RecordingSession, "record", record)
    event = batch([land(s3, "incoming/bug.csv")], [land(s3, "incoming/good.csv")])
    assert failures(run(event, invocation(s3))) == ["m0"]
    assert set(records(s3)) == {"incoming/good.csv"}
    (line,) = [line for line in log_lines(capsys) if line["level"] == "error"]
    assert "ZeroDivisionError: a bug" in line["traceback"]


def test_small_objects_go_first_and_a_large_one_does_not_take_them_along(s3, capsys):
    """Time runs out while the large object is read: the small ones are recorded by then."""
    large = land(s3, "incoming/large.csv", b"x" * (3 * MIB))
    small = land(s3, "incoming/small.csv", b"x")
    left = iter([60_000, 60_000, 60_000, 9_999])  # small: 2 looks; large: 1, then too late
    world = invocation(s3, remaining_ms=lambda: next(left, 0))
    answer = run(batch([large], [small]), world)
    assert failures(answer) == ["m0"]
    assert set(records(s3)) == {"incoming/small.csv"}
    (line,) = [line for line in log_lines(capsys) if line["level"] == "error"]
    assert line["error"] == "OutOfTime"


def test_the_log_tells_what_became_of_each_version_and_no_more(s3, capsys):
    landed = land(s3)
    run(batch([landed]), invocation(s3))
    (line,) = log_lines(capsys)
    assert line == {
        "level": "info",
        "message": "recorded",
        "messageId": "m0",
        "bucket": RAW,
        "key": "incoming/a.csv",
        "versionId": landed["s3"]["object"]["versionId"],
        "recordKey": next(iter(objects(s3))),
    }


def test_what_nobody_can_read_is_recorded_as_such_and_does_not_come_back(s3, capsys):
    event = batch([gone(s3)], [land(s3, "incoming/good.csv")])
    assert failures(run(event, invocation(s3))) == []
    record = records(s3)["incoming/gone.csv"]
    assert isinstance(record, UnreadableRecord)
    assert record.reason is UnreadableReason.GONE
    assert set(records(s3)) == {"incoming/gone.csv", "incoming/good.csv"}
    (line,) = [line for line in log_lines(capsys) if line["level"] == "error"]
    assert line["message"] == "recorded as unreadable"
    assert line["key"] == "incoming/gone.csv"


def large(s3, key: str = "incoming/large.csv") -> dict[str, Any]:
    """A large object as it is announced; nobody here is to read it."""
    landed = land(s3, key)
    landed["s3"]["object"]["size"] = LARGE_BYTES + 1
    return landed


def test_a_large_object_stays_in_the_queue_until_the_job_has_recorded_it(s3, monkeypatch, capsys):
    glue = Glue(monkeypatch)
    event, world = batch([large(s3)]), invocation(s3, glue=glue.client)
    assert failures(run(event, world)) == ["m0"]
    assert failures(run(event, world)) == ["m0"]
    glue.runs[0]["JobRunState"] = "SUCCEEDED"
    assert failures(run(event, world)) == []
    assert len(glue.runs) == 1
    assert objects(s3) == {}, "the job records it, not the Lambda"
    assert [(line["level"], line["message"]) for line in log_lines(capsys)] == [
        ("info", "handed over to the large-object job"),
        ("info", "the large-object job is at it"),
        ("info", "recorded by the large-object job"),
    ]


def test_an_object_of_just_the_largest_size_is_read_here(s3):
    landed = land(s3, content=b"x" * LARGE_BYTES)
    assert failures(run(batch([landed]), invocation(s3))) == []
    assert set(records(s3)) == {"incoming/a.csv"}


def test_what_is_large_is_handed_over_before_anything_is_read(s3, monkeypatch):
    """Reading may use up the invocation; handing over takes a moment."""
    glue = Glue(monkeypatch)
    event = batch([land(s3, "incoming/small.csv")], [large(s3)])
    s3.meta.events.register_first(
        "before-call.s3.GetObject", lambda **_: refusal("SlowDown", 503) if not glue.runs else None
    )
    assert failures(run(event, invocation(s3, glue=glue.client))) == ["m1"]
    assert len(glue.runs) == 1


def test_a_job_that_cannot_be_started_takes_nothing_along(s3, monkeypatch, capsys):
    glue = Glue(monkeypatch)
    glue.client.meta.events.register_first(
        "before-call.glue.StartJobRun",
        lambda **_: refusal("ConcurrentRunsExceededException", 400),
    )
    event = batch([large(s3)], [land(s3, "incoming/small.csv")])
    assert failures(run(event, invocation(s3, glue=glue.client))) == ["m0"]
    assert set(records(s3)) == {"incoming/small.csv"}
    (line,) = [line for line in log_lines(capsys) if line["level"] == "error"]
    assert line["error"] == "ClientError"


ENVIRONMENT = {
    "PROVENANCE_BUCKET": PROVENANCE,
    "SIGNING_KEY_ARN": KEY_ARN,
    "DATA_KEY_ARN": DATA_KEY_ARN,
    "LARGE_OBJECT_BYTES": str(LARGE_BYTES),
    "LARGE_OBJECT_JOB": JOB,
}


@pytest.mark.parametrize("name", ENVIRONMENT)
def test_a_missing_setting_is_named(name):
    with pytest.raises(ValueError, match=f"{name} must be set"):
        Settings.from_env({n: value for n, value in ENVIRONMENT.items() if n != name})


@pytest.mark.parametrize("size", ["", "-1", "1e9", "16 GiB", "²"])
def test_a_size_that_is_no_number_is_named(size):
    with pytest.raises(ValueError, match="LARGE_OBJECT_BYTES must be a number of bytes"):
        Settings.from_env(ENVIRONMENT | {"LARGE_OBJECT_BYTES": size})


def test_lambda_calls_it_with_its_own_surroundings(s3, monkeypatch):
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    glue = Glue(monkeypatch)
    sqs = boto3.client("sqs", region_name=REGION)
    sqs.create_queue(QueueName="custody-test-recorder")
    monkeypatch.setattr(handler, "_clients", lambda: (s3, signing_kms(), glue.client, sqs))
    context = SimpleNamespace(get_remaining_time_in_millis=lambda: 60_000)
    event = batch([land(s3)], [large(s3)])
    assert failures(handler.lambda_handler(event, context)) == ["m1"]
    assert set(records(s3)) == {"incoming/a.csv"}
    assert len(glue.runs) == 1


MOST_MEMORY_BYTES = 256 * MIB
A_GIB_OBJECT = """
import io, json, resource, sys
from datetime import UTC, datetime
from types import SimpleNamespace
import boto3
from botocore.response import StreamingBody
from custody.aws.records.recording import RecordingSession
from recorder.handler import Invocation, run

class Letters(io.RawIOBase):
    left = size = 1024**3
    def read(self, amount=-1):
        count = self.left if amount < 0 else min(amount, self.left)
        self.left -= count
        return b"x" * count  # zeros would take no memory

def answer(parsed):
    return SimpleNamespace(status_code=200), parsed | {"ResponseMetadata": {}}

place = {"region_name": "us-east-1", "aws_access_key_id": "x", "aws_secret_access_key": "x"}
s3, kms, glue = (boto3.client(name, **place) for name in ("s3", "kms", "glue"))
got = {
    "Body": StreamingBody(Letters(), Letters.size),
    "ContentLength": Letters.size,
    "ETag": '"e"',
    "LastModified": datetime.now(UTC),
}
s3.meta.events.register("before-call.s3.GetObject", lambda **_: answer(got))
s3.meta.events.register("before-call.s3.PutObject", lambda **_: answer({}))
kms.meta.events.register("before-call.kms.Sign", lambda **_: answer({"Signature": b"s"}))
arn = "arn:aws:kms:us-east-1:111122223333:key/1"
session = RecordingSession(s3, kms, lambda: datetime.now(UTC), "provenance-bucket", arn, arn)
invocation = Invocation(session, glue, None, Letters.size, "job", lambda: 60_000)
print(run(json.loads(sys.argv[1]), invocation), file=sys.stderr)
unit = 1 if sys.platform == "darwin" else 1024
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit, file=sys.stderr)
"""


# A process is charged with the peak of the one it was forked from, and pytest is large.
START_SMALL = "import subprocess, sys; sys.exit(subprocess.run(sys.argv[1:]).returncode)"


def test_a_gib_is_recorded_in_constant_memory():
    """The whole recorder with its clients, as a process of its own: S3 sends, nothing is kept."""
    event = batch([notice(size=1024**3, etag="e")])
    path = [str(ROOT / "lambda" / "recorder"), str(ROOT / "plugins")]
    done = subprocess.run(
        [
            *(sys.executable, "-c", START_SMALL),
            *(sys.executable, "-c", f"import sys; sys.path[:0] = {path!r}\n{A_GIB_OBJECT}"),
            json.dumps(event),
        ],
        env={},
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE_SECONDS,
    )
    assert done.returncode == 0, done.stderr
    answer, peak = done.stderr.splitlines()
    assert answer == "{'batchItemFailures': []}", done.stdout
    assert int(peak) <= MOST_MEMORY_BYTES


def test_it_runs_on_what_the_lambda_runtime_has():
    """The runtime has boto3 but not cryptography, and importing must not need any setting."""
    script = """
import sys
for absent in ("cryptography", "airflow", "pyspark", "yaml"):
    sys.modules[absent] = None
for service in ("s3", "kms", "glue", "sqs"):
    sys.modules[f"mypy_boto3_{service}"] = None
import recorder.handler
"""
    path = [str(ROOT / "lambda" / "recorder"), str(ROOT / "plugins")]
    done = subprocess.run(
        [sys.executable, "-c", f"import sys; sys.path[:0] = {path!r}\n{script}"],
        env={},
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE_SECONDS,
    )
    assert done.returncode == 0, done.stderr
