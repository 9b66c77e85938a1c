import copy
import json
from contextlib import suppress
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.notices import notice
from tests.support.strategies import AWKWARD_KEYS, json_values, keys

from custody.core.formats.untrusted import MalformedInput
from custody.core.records.model import LandingEvent
from custody.core.records.notifications import (
    ObjectCreated,
    message_records,
    object_created,
)
from custody.objects import ObjectVersion


def test_reads_everything_a_record_needs():
    assert object_created(notice(key="incoming/crm é.csv")) == ObjectCreated(
        version=ObjectVersion(
            "custody-dev-raw-111122223333", "incoming/crm é.csv", "3HL4kqtJvjVBH40Nrjfkd"
        ),
        size_bytes=12,
        etag="d41d8cd98f00b204e9800998ecf8427e",
        sequencer="0055AED6DCD90281E5",
        event=LandingEvent(
            name="ObjectCreated:Put",
            time=datetime(2026, 11, 1, 6, 0, 0, 120_000, tzinfo=UTC),
            request_id="C3D13FE58DE4C810",
            host_id="FMyUVURIY8/IgAtTv8xRjskZQpcIZ9KG4V5Wp6S7S/JRWeUWerMUE5JgHvANOjpD",
            source_ip="198.51.100.7",
            principal_id="AWS:AIDAJDPLRKLG7UEXAMPLE",
        ),
    )


@given(keys)
def test_keys_come_out_as_they_were_put(key):
    assert object_created(notice(key=key)).version.key == key


@pytest.mark.parametrize("key", AWKWARD_KEYS)
def test_every_byte_may_be_encoded(key):
    record = notice()
    record["s3"]["object"]["key"] = "".join(f"%{byte:02x}" for byte in key.encode())
    assert object_created(record).version.key == key


def test_a_version_is_null_where_there_are_none():
    assert object_created(notice(version_id=None)).version.version_id == "null"


def test_a_folder_marker_and_an_empty_object_land_like_any_other():
    assert object_created(notice(key="incoming/", size=0)).version.key == "incoming/"


def test_a_message_may_hold_several_records():
    body = json.dumps({"Records": [notice(key="a"), notice(key="b")]})
    assert [object_created(r).version.key for r in message_records(body)] == ["a", "b"]


def test_s3s_test_event_announces_nothing():
    body = {
        "Service": "Amazon S3",
        "Event": "s3:TestEvent",
        "Time": "2026-11-01T06:00:00.000Z",
        "Bucket": "custody-dev-raw-111122223333",
        "RequestId": "5582815E1AEA5ADF",
        "HostId": "8cLeGAmw098X5cv4Zkwcmo8vvZa3eH3eKxsPzbB9wrR",
    }
    assert message_records(json.dumps(body)) == []


@pytest.mark.parametrize("version", ["2.0", "2.1", "2.6", "2.99"])
def test_any_minor_version_will_do(version):
    assert object_created(notice() | {"eventVersion": version})


@pytest.mark.parametrize("way", ["Put", "Post", "Copy", "CompleteMultipartUpload"])
def test_every_way_to_create_an_object_counts(way):
    name = f"ObjectCreated:{way}"
    assert object_created(notice() | {"eventName": name}).event.name == name


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ("", "notification"),
        ("not json", "notification"),
        ("[]", ""),
        ("{}", "Records"),
        ('{"Records": {}}', "Records"),
        ('{"Event": "s3:Other"}', "Records"),
        (json.dumps({"Records": [{}] * 1001}), "Records"),
        (" " * (1024 * 1024) + "{}", "notification"),
    ],
    ids=lambda text: text[:20],
)
def test_a_message_that_is_no_notification_is_refused(body, field):
    with pytest.raises(MalformedInput) as caught:
        message_records(body)
    assert caught.value.field == field


def without(path: str) -> dict[str, object]:
    return with_value(path, None)


def with_value(path: str, value: object) -> dict[str, object]:
    record = copy.deepcopy(notice())
    *parents, last = path.split("/")
    target = record
    for name in parents:
        target = target[name]
    target[last] = value
    return record


REQUIRED = [
    "eventVersion",
    "eventSource",
    "eventName",
    "eventTime",
    "userIdentity",
    "userIdentity/principalId",
    "requestParameters",
    "requestParameters/sourceIPAddress",
    "responseElements",
    "responseElements/x-amz-request-id",
    "responseElements/x-amz-id-2",
    "s3",
    "s3/bucket",
    "s3/bucket/name",
    "s3/object",
    "s3/object/key",
    "s3/object/size",
    "s3/object/eTag",
    "s3/object/sequencer",
]


@pytest.mark.parametrize("path", REQUIRED)
def test_a_missing_field_is_named(path):
    with pytest.raises(MalformedInput, match="is missing") as caught:
        object_created(without(path), "Records[3]")
    assert caught.value.field == f"Records[3].{path.replace('/', '.')}"


@pytest.mark.parametrize(
    ("path", "value", "problem"),
    [
        ("eventVersion", "1.9", "must be 2.x"),
        ("eventVersion", "3.0", "must be 2.x"),
        ("eventVersion", "2", "must be 2.x"),
        ("eventVersion", "2.1\n", "must be 2.x"),
        ("eventVersion", 2.1, "must be a text"),
        ("eventSource", "aws:evil", "must be aws:s3"),
        ("eventName", "ObjectRemoved:Delete", "nothing landed"),
        ("eventTime", "2026-11-01 06:00", "must be a UTC time"),
        ("s3/bucket/name", "UPPER_case", "no bucket name"),
        ("s3/bucket/name", "a/../b", "no bucket name"),
        ("s3/object/key", "%", "not encoded"),
        ("s3/object/key", "100%zz", "not encoded"),
        ("s3/object/key", "%ff%fe", "not UTF-8"),
        ("s3/object/key", "a" * 1025, "has 1025 bytes"),
        ("s3/object/key", "%C3%A9" * 513, "characters, more than"),
        ("s3/object/key", "+" * 1025, "has 1025 bytes"),
        ("s3/object/key", ["a"], "must be a text, not a list"),
        ("s3/object/size", "12", "whole number"),
        ("s3/object/size", -1, "between 0 and"),
        ("s3/object/size", True, "whole number"),
        ("s3/object/eTag", '"quoted"', "without quotes"),
        ("s3/object/versionId", "", "must not be empty"),
        ("s3/object/versionId", "v" * 1025, "characters, more than"),
        ("s3/object/sequencer", "not hex", "hexadecimal"),
        ("responseElements/x-amz-request-id", "\ud800", "surrogate"),
    ],
)
def test_a_wrong_field_is_named(path, value, problem):
    with pytest.raises(MalformedInput, match=problem) as caught:
        object_created(with_value(path, value), "Records[0]")
    assert caught.value.field == f"Records[0].{path.replace('/', '.')}"


@given(st.sampled_from([*REQUIRED, "s3/object/versionId"]), json_values)
def test_hostile_values_are_read_or_refused(path, value):
    """Whatever stands in a field, the answer is a landing or `MalformedInput`."""
    with suppress(MalformedInput):
        object_created(with_value(path, value))


@given(st.binary(max_size=200) | st.text(max_size=200) | json_values.map(json.dumps))
def test_a_hostile_message_is_read_or_refused(body):
    with suppress(MalformedInput):
        for record in message_records(body):
            object_created(record)


@given(st.data())
def test_a_message_that_was_cut_or_changed_is_read_or_refused(data):
    """One byte of a real message is replaced, or its end is missing."""
    body = bytearray(json.dumps({"Records": [notice()]}).encode())
    place = data.draw(st.integers(0, len(body) - 1))
    if data.draw(st.booleans()):
        body[place] = data.draw(st.integers(0, 255))
    else:
        del body[place:]
    with suppress(MalformedInput):
        for record in message_records(bytes(body)):
            object_created(record)


# Few different digits, so that one is often another with zeros behind it.
