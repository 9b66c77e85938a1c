"""CloudTrail's log files, honest and hostile: every event is read or named, or the file refused."""

import copy
import itertools
import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.plugins.custody.core.trail.test_events import read
from tests.support.strategies import json_values
from tests.support.trail_records import USER, delete, put

from custody.core.formats.untrusted import MalformedInput
from custody.core.trail.events import merge
from custody.core.trail.log_files import read_log

MALFORMED = [
    (None, "Records[1]"),
    ([], "Records[1]"),
    ("PutObject", "Records[1]"),
    ({}, "Records[1].userIdentity"),
    (put(userIdentity="root"), "Records[1].userIdentity"),
    (put(userIdentity=USER | {"arn": 1}), "Records[1].userIdentity.arn"),
    (put(userIdentity=USER | {"sessionContext": []}), "Records[1].userIdentity.sessionContext"),
    (put(eventName=None), "Records[1].eventName"),
    (put(eventSource=3), "Records[1].eventSource"),
    (put(eventCategory=[]), "Records[1].eventCategory"),
    (put(eventID=""), "Records[1].eventID"),
    (put(eventID="e" * 1025), "Records[1].eventID"),
    (put(eventTime="2026-11-01 06:00:01"), "Records[1].eventTime"),
    (put(eventTime="2026-11-31T06:00:01Z"), "Records[1].eventTime"),
    (put(requestParameters=None), "Records[1].requestParameters"),
    (put(requestParameters={"key": "k"}), "Records[1].requestParameters.bucketName"),
    (put(requestParameters={"bucketName": "b"}), "Records[1].requestParameters.key"),
    (put(requestParameters={"bucketName": "b", "key": ["k"]}), "Records[1].requestParameters.key"),
    (put(requestParameters={"bucketName": "b", "key": "é" * 513}),
     "Records[1].requestParameters.key"),
    (put(requestParameters={"bucketName": "b", "key": "\ud800"}),
     "Records[1].requestParameters.key"),
    (put(responseElements="v1"), "Records[1].responseElements"),
    (put(responseElements={"x-amz-version-id": 1}), "Records[1].responseElements.x-amz-version-id"),
    (put(additionalEventData=[]), "Records[1].additionalEventData"),
    (put(requestID={}), "Records[1].requestID"),
    (put(addendum="late"), "Records[1].addendum"),
    (delete(requestParameters={"bucketName": "b", "key": "k", "versionId": []}),
     "Records[1].requestParameters.versionId"),
]  # fmt: skip


@pytest.mark.parametrize(("record", "field"), MALFORMED, ids=[field for _, field in MALFORMED])
def test_a_malformed_record_costs_itself_and_is_named(record: object, field: str) -> None:
    content = read(put(), record, put(eventID="e2"))
    assert [e.event_id for e in content.events] == ["e1", "e2"]
    (problem,) = content.problems
    assert problem.startswith(f"{field}: ")


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"null",
        b"[]",
        b"{}",
        b'{"Records": null}',
        b'{"Records": {}}',
        b"\xff\xfe",
        b'{"Records": [NaN]}',
        b'{"Records": [], "Records": []}',
        b'{"Records": ' + b"[" * 100_000,
        json.dumps({"Records": [put()]}).encode()[:-1],
        json.dumps({"Records": [put()]}).encode() + b"{}",
    ],
    ids=lambda raw: raw[:20].decode("latin-1"),
)
def test_what_is_no_log_is_refused_whole(raw: bytes) -> None:
    with pytest.raises(MalformedInput):
        read_log(raw, log="log", proven=True)


def test_a_log_knows_a_principal_by_his_fullest_description() -> None:
    bare = {"type": "AWSAccount", "principalId": "AIDACRMEXPORT"}
    for records in itertools.permutations([put(), put(userIdentity=bare)]):
        assert read(*records).principals["AIDACRMEXPORT"].arn == USER["arn"]


# Whatever anybody writes into a log.

PATHS = [
    *((name,) for name in [*put(), "errorCode", "addendum"]),
    *(("userIdentity", name) for name in [*USER, "sessionContext", "invokedBy"]),
    *(("requestParameters", name) for name in ["bucketName", "key", "versionId", "uploadId"]),
    ("responseElements", "x-amz-version-id"),
    ("additionalEventData", "bytesTransferredIn"),
    *(("addendum", name) for name in ["reason", "updatedFields", "originalEventID"]),
]


def with_value(record: dict[str, Any], path: tuple[str, ...], value: object) -> dict[str, Any]:
    changed = copy.deepcopy(record)
    *parents, last = path
    target = changed
    for name in parents:
        target = target.setdefault(name, {})
    target[last] = value
    return changed


@given(
    st.sampled_from([put(), delete(), put(eventName="CompleteMultipartUpload")]),
    st.sampled_from(PATHS),
    json_values,
)
def test_a_hostile_value_costs_its_record_at_most(
    record: dict[str, Any], path: tuple[str, ...], value: object
) -> None:
    content = read(put(eventID="before"), with_value(record, path, value), put())
    assert {"before", "e1"} <= {e.event_id for e in content.events}
    assert len(content.events) + len(content.problems) in (2, 3)
    for found in content.events:
        merge([found])
    assert all(problem.startswith("Records[1]") for problem in content.problems)


@given(st.lists(json_values, max_size=4))
def test_any_records_at_all_are_read_or_named(records: list[object]) -> None:
    content = read(*records)
    assert len(content.problems) == len(records)


@given(st.binary(max_size=200) | json_values.map(lambda v: json.dumps(v).encode()))
def test_any_bytes_at_all_are_a_log_or_refused(raw: bytes) -> None:
    with suppress(MalformedInput):
        read_log(raw, log="log", proven=True)


@given(st.integers(0, 10_000))
def test_a_truncated_log_is_refused(length: int) -> None:
    raw = json.dumps({"Records": [put(), delete()]}).encode()
    with pytest.raises(MalformedInput):
        read_log(raw[: length % len(raw)], log="log", proven=True)


@given(st.binary(min_size=1, max_size=4), st.integers(0, 10_000))
def test_a_log_with_changed_bytes_is_read_or_refused(change: bytes, position: int) -> None:
    raw = bytearray(json.dumps({"Records": [put(), delete()]}).encode())
    at = position % len(raw)
    raw[at : at + len(change)] = change
    try:
        content = read_log(bytes(raw), log="log", proven=True)
    except MalformedInput:
        return
    assert len(content.events) + len(content.problems) <= 2
