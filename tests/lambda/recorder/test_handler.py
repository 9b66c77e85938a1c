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
from moto import mock_aws
from tests.moto_aws import KEY_ARN, PRIVATE_KEY, REGION, make_bucket, refusal, signing_kms
from tests.plugins.custody.core.notices import notice
from tests.plugins.custody.core.strategies import AWKWARD_KEYS

from custody.core.dsse import Envelope
from custody.core.landing import LandingRecord, from_statement, record_id
from custody.core.signatures import verify
from recorder import handler
from recorder.handler import Services, Settings, run

RAW, PROVENANCE = "custody-test-raw", "custody-test-provenance"
SETTINGS = Settings(PROVENANCE, KEY_ARN)
ROOT = Path(__file__).parents[3]


@pytest.fixture
def s3() -> Iterator[Any]:
    with mock_aws():
        client = boto3.client("s3", region_name=REGION)
        make_bucket(client, RAW)
        make_bucket(client, PROVENANCE)
        yield client


def services(s3, *, remaining_ms=lambda: 60_000) -> Services:
    return Services(
        s3=s3,
        kms=signing_kms(),
        now=lambda: datetime(2026, 11, 1, 6, 0, 2, tzinfo=UTC),
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


def records(s3) -> dict[str, LandingRecord]:
    """The verified landing records by the key of the object they are about."""
    trusted = {KEY_ARN: PRIVATE_KEY.public_key()}
    found = [from_statement(verify(Envelope.parse(raw), trusted)) for raw in objects(s3).values()]
    return {record.key: record for record in found}


def log_lines(capsys) -> list[dict[str, Any]]:
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_an_upload_becomes_a_signed_record(s3):
    content = b"id,name\n1,J\xc3\xbcrgen\n"
    landed = land(s3, "incoming/customers/dt=2026-11-01/crm.csv", content)
    assert failures(run(batch([landed]), services=services(s3), settings=SETTINGS)) == []
    (record,) = records(s3).values()
    assert record.sha256 == hashlib.sha256(content).hexdigest()
    assert record.size_bytes == len(content)
    assert record.version_id == landed["s3"]["object"]["versionId"]
    assert record.event.request_id == landed["responseElements"]["x-amz-request-id"]
    assert list(objects(s3)) == [
        f"provenance/incoming/dt=2026-11-01/{record_id(RAW, record.key, record.version_id)}.json"
    ]


def test_awkward_names_folder_markers_and_empty_objects_are_recorded(s3):
    keys = [k for k in AWKWARD_KEYS if k != "."]  # moto drops "." from URLs
    landed = [land(s3, key, b"" if key.endswith("/") else key.encode()) for key in keys]
    assert failures(run(batch(landed), services=services(s3), settings=SETTINGS)) == []
    assert {key: record.sha256 for key, record in records(s3).items()} == {
        key: hashlib.sha256(b"" if key.endswith("/") else key.encode()).hexdigest() for key in keys
    }


def test_every_version_of_an_object_gets_its_own_record(s3):
    versions = [land(s3, content=b"one"), land(s3, content=b"two")]
    run(batch(versions), services=services(s3), settings=SETTINGS)
    assert len(objects(s3)) == 2


def test_a_second_delivery_changes_nothing(s3, capsys):
    event = batch([land(s3)])
    run(event, services=services(s3), settings=SETTINGS)
    before = objects(s3)
    capsys.readouterr()
    assert failures(run(event, services=services(s3), settings=SETTINGS)) == []
    assert objects(s3) == before
    assert [line["message"] for line in log_lines(capsys)] == ["already recorded"]


def test_a_contradiction_is_kept_and_logged_as_an_error(s3, capsys):
    event = batch([land(s3)])
    run(event, services=services(s3), settings=SETTINGS)
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
    assert failures(run(event, services=services(s3), settings=SETTINGS)) == []
    found = objects(s3)
    assert found[place] == lying
    assert len(found) == 2
    (line,) = log_lines(capsys)
    assert (line["level"], line["message"]) == ("error", "conflict kept")
    assert from_statement(Envelope.parse(found[line["recordKey"]]).payload).key == "incoming/a.csv"


def test_s3s_test_event_is_answered_and_leaves_nothing(s3, capsys):
    body = json.dumps({"Service": "Amazon S3", "Event": "s3:TestEvent", "Bucket": RAW})
    assert failures(run(batch(body), services=services(s3), settings=SETTINGS)) == []
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
    "a deleted version": (lambda s3: [gone(s3)], "VersionGone", "does not exist (any more)"),
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
    answer = run(batch([first], make(s3), [last]), services=services(s3), settings=SETTINGS)
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
    answer = run(batch([good[0], {}, gone(s3), good[1]]), services=services(s3), settings=SETTINGS)
    assert failures(answer) == ["m0"], "a message is reported once"
    assert set(records(s3)) == {"incoming/1.csv", "incoming/2.csv"}


@pytest.mark.parametrize(
    ("operation", "code"),
    [("s3.PutObject", "AccessDenied"), ("kms.Sign", "AccessDeniedException")],
)
def test_a_failure_to_sign_or_write_brings_the_message_back(s3, operation, code):
    landed = land(s3)
    world = services(s3)
    client = world.s3 if operation.startswith("s3") else world.kms
    client.meta.events.register_first(f"before-call.{operation}", lambda **_: refusal(code, 403))
    assert failures(run(batch([landed]), services=world, settings=SETTINGS)) == ["m0"]
    assert objects(s3) == {}


def test_a_bug_is_logged_with_its_traceback_and_stops_nothing_else(s3, capsys, monkeypatch):
    def keep_record(s3, bucket, record, envelope):
        if record.key == "incoming/bug.csv":
            raise ZeroDivisionError("a bug")
        return real(s3, bucket, record, envelope)

    real = handler.keep_record
    monkeypatch.setattr(handler, "keep_record", keep_record)
    event = batch([land(s3, "incoming/bug.csv")], [land(s3, "incoming/good.csv")])
    assert failures(run(event, services=services(s3), settings=SETTINGS)) == ["m0"]
    assert set(records(s3)) == {"incoming/good.csv"}
    (line,) = [line for line in log_lines(capsys) if line["level"] == "error"]
    assert "ZeroDivisionError: a bug" in line["traceback"]


def test_small_objects_go_first_and_a_large_one_does_not_take_them_along(s3, capsys):
    """Time runs out while the large object is read: the small ones are recorded by then."""
    large = land(s3, "incoming/large.csv", b"x" * (3 * 1024 * 1024))
    small = land(s3, "incoming/small.csv", b"x")
    left = iter([60_000, 60_000, 60_000, 9_999])  # small: 2 looks; large: 1, then too late
    world = services(s3, remaining_ms=lambda: next(left, 0))
    answer = run(batch([large], [small]), services=world, settings=SETTINGS)
    assert failures(answer) == ["m0"]
    assert set(records(s3)) == {"incoming/small.csv"}
    (line,) = [line for line in log_lines(capsys) if line["level"] == "error"]
    assert line["error"] == "OutOfTime"


def test_the_log_tells_what_became_of_each_version_and_no_more(s3, capsys):
    landed = land(s3)
    run(batch([landed]), services=services(s3), settings=SETTINGS)
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


@pytest.mark.parametrize(
    ("env", "problem"),
    [
        ({}, "PROVENANCE_BUCKET and SIGNING_KEY_ARN must be set"),
        ({"SIGNING_KEY_ARN": KEY_ARN, "PROVENANCE_BUCKET": ""}, "PROVENANCE_BUCKET must be set"),
        (
            {"SIGNING_KEY_ARN": "alias/custody-dev-signing", "PROVENANCE_BUCKET": "b"},
            "SIGNING_KEY_ARN must be the ARN of a KMS key",
        ),
    ],
)
def test_a_wrong_setting_is_named(env, problem):
    with pytest.raises(ValueError, match=problem):
        Settings.from_env(env)


def test_lambda_calls_it_with_its_own_surroundings(s3, monkeypatch):
    monkeypatch.setenv("PROVENANCE_BUCKET", PROVENANCE)
    monkeypatch.setenv("SIGNING_KEY_ARN", KEY_ARN)
    monkeypatch.setattr(handler, "_clients", lambda: (s3, signing_kms()))
    context = SimpleNamespace(get_remaining_time_in_millis=lambda: 60_000)
    assert handler.lambda_handler(batch([land(s3)]), context) == {"batchItemFailures": []}
    assert set(records(s3)) == {"incoming/a.csv"}


def test_it_runs_on_what_the_lambda_runtime_has():
    """The runtime has boto3 but not cryptography, and importing must not need any setting."""
    script = """
import sys
for absent in ("cryptography", "airflow", "pyspark", "yaml", "mypy_boto3_s3", "mypy_boto3_kms"):
    sys.modules[absent] = None
import recorder.handler
"""
    path = [str(ROOT / "lambda" / "recorder"), str(ROOT / "plugins")]
    done = subprocess.run(
        [sys.executable, "-c", f"import sys; sys.path[:0] = {path!r}\n{script}"],
        env={},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
