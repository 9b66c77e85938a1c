"""The management events that matter: how each is read, and that nothing else is looked at."""

from __future__ import annotations

import itertools
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.management_records import (
    INSIDER,
    ROLE,
    call,
    partition_moved,
    role_taken,
    service,
    switched,
)
from tests.support.strategies import json_values

from custody.core.formats.untrusted import MAX_TEXT
from custody.core.trail.control_changes import ControlChange
from custody.core.trail.log_files import LogContent, read_log
from custody.core.trail.management_events import (
    MAX_PARTITIONS,
    CatalogChanged,
    LifecycleSet,
    ManagementEvent,
    PartitionMoved,
    RoleAssumed,
    TrailSwitched,
    merge_calls,
)


def read(*records: Any, proven: bool = True) -> LogContent:
    return read_log(json.dumps({"Records": records}).encode(), log="log-1", proven=proven)


def event(record: Any, *, proven: bool = True) -> ManagementEvent:
    content = read(record, proven=proven)
    assert (content.problems, content.events, dict(content.principals)) == ((), (), {})
    (found,) = content.calls
    return found


def test_a_call_says_who_when_and_from_where() -> None:
    found = event(role_taken("glue", "ASIA1", INSIDER), proven=False)
    assert (found.event_id, found.name, found.request_id) == ("m1", "AssumeRole", "M1")
    assert (found.who.arn, found.who.access_key_id) == (INSIDER["arn"], "AKIAINSIDER")
    assert (found.source_ip, found.user_agent) == ("203.0.113.9", "Boto3/1.43")
    assert (f"{found.time:%H:%M}", found.log, found.proven) == ("06:00", "log-1", False)
    assert found.about == RoleAssumed(f"{ROLE}glue", "ASIA1")


def test_a_service_that_takes_a_role_is_one() -> None:
    assert event(role_taken("glue", "ASIA1", service("glue"))).who.is_service


@pytest.mark.parametrize("how", ["AssumeRoleWithSAML", "AssumeRoleWithWebIdentity"])
def test_a_role_can_be_taken_in_other_ways(how: str) -> None:
    assert isinstance(event(role_taken("glue", "A", INSIDER, eventName=how)).about, RoleAssumed)


@pytest.mark.parametrize(
    ("name", "more", "sets"),
    [
        ("StopLogging", {}, (False, None, None, None, None)),
        ("StartLogging", {}, (True, None, None, None, None)),
        ("DeleteTrail", {}, (False, None, None, None, None)),
        ("UpdateTrail", {"enableLogFileValidation": False}, (None, False, None, None, None)),
        ("UpdateTrail", {"enableLogFileValidation": True}, (None, True, None, None, None)),
        ("UpdateTrail", {"isMultiRegionTrail": False}, (None, None, False, None, None)),
        (
            "UpdateTrail",
            {"enableLogFileValidation": "x", "isMultiRegionTrail": 0, "s3BucketName": "b"},
            (None, None, None, "b", None),
        ),
        ("UpdateTrail", {"s3KeyPrefix": "p"}, (None, None, None, None, "p")),
        ("UpdateTrail", {"s3KeyPrefix": ""}, (None, None, None, None, "")),
    ],
)
def test_what_switches_the_trail(name: str, more: dict[str, Any], sets: tuple[Any, ...]) -> None:
    found = event(switched(name, INSIDER, "06:00:00", **more))
    assert found.about == TrailSwitched("custody-local", *sets)


def test_a_trail_may_be_named_by_its_arn() -> None:
    arn = "arn:aws:cloudtrail:us-east-1:111122223333:trail/custody-local"
    about = event(switched("StopLogging", INSIDER, "06:00:00", name=arn)).about
    assert isinstance(about, TrailSwitched)
    assert about.trail == "custody-local"


def test_who_sets_the_rules_by_which_a_bucket_loses_things() -> None:
    asked = {"bucketName": "raw", "LifecycleConfiguration": {"Rule": {"ID": "x"}}, "lifecycle": ""}
    assert event(call("s3", "PutBucketLifecycle", INSIDER, asked)).about == LifecycleSet("raw")
    left_out = event(call("s3", "PutBucketLifecycle", INSIDER, {"lifecycle": ""}))
    assert left_out.about is None
    assert left_out.control == ControlChange(
        "s3", "bucket", "lifecycle rules", None, '{"lifecycle": ""}'
    )


VALUES = ["2026-11-01", "06"]
INPUT = {"values": VALUES, "storageDescriptor": {"location": "s3://b/x/"}}
MOVED = PartitionMoved(("2026-11-01", "06"), "s3://b/x/")
GONE = PartitionMoved(("2026-11-01", "06"), None)


@pytest.mark.parametrize(
    ("name", "asked", "moved"),
    [
        ("CreatePartition", {"partitionInput": INPUT}, MOVED),
        ("BatchCreatePartition", {"partitionInputList": [INPUT]}, MOVED),
        ("UpdatePartition", {"partitionValueList": VALUES, "partitionInput": INPUT}, MOVED),
        (
            "BatchUpdatePartition",
            {"entries": [{"partitionValueList": VALUES, "partitionInput": INPUT}]},
            MOVED,
        ),
        ("DeletePartition", {"partitionValues": VALUES}, GONE),
        ("BatchDeletePartition", {"partitionsToDelete": [{"values": VALUES}]}, GONE),
        ("BatchUpdatePartition", {"entries": "HIDDEN_DUE_TO_SECURITY_REASONS"}, None),
    ],
)
def test_every_call_about_partitions(
    name: str, asked: dict[str, Any], moved: PartitionMoved | None
) -> None:
    request = {"databaseName": "db", "tableName": "t", **asked}
    found = event(call("glue", name, INSIDER, request)).about
    assert found == CatalogChanged("db", ("t",), (moved,) if moved else ())


@pytest.mark.parametrize(
    ("name", "asked", "tables"),
    [
        ("CreateTable", {"databaseName": "db", "tableInput": {"name": "t"}}, ("t",)),
        ("UpdateTable", {"databaseName": "db", "tableInput": {"name": "t"}}, ("t",)),
        ("DeleteTable", {"databaseName": "db", "name": "t"}, ("t",)),
        ("BatchDeleteTable", {"databaseName": "db", "tablesToDelete": ["t", 1, "u"]}, ("t", "u")),
        ("DeleteDatabase", {"name": "db"}, ()),
    ],
)
def test_every_call_about_tables(name: str, asked: dict[str, Any], tables: tuple[str, ...]) -> None:
    assert event(call("glue", name, INSIDER, asked)).about == CatalogChanged("db", tables, ())


def test_a_partition_that_glue_refused_was_not_changed() -> None:
    """Pointing a partition that is there begins with an attempt to create it."""
    exists = {"errorDetail": {"errorCode": "AlreadyExistsException"}, "partitionValues": VALUES}
    other = {**INPUT, "values": ["2026-11-01", "07"]}
    request = {"databaseName": "db", "tableName": "t", "partitionInputList": [INPUT]}
    refused = call("glue", "BatchCreatePartition", INSIDER, request, {"errors": [exists]})
    assert read(refused).calls == ()
    request = {**request, "partitionInputList": [INPUT, other]}
    half = call("glue", "BatchCreatePartition", INSIDER, request, {"errors": [exists]})
    about = event(half).about
    assert isinstance(about, CatalogChanged)
    assert [partition.values for partition in about.partitions] == [("2026-11-01", "07")]


def test_what_claims_to_be_endless_is_cut() -> None:
    values = [{"values": [f"{n}", "x" * 2 * MAX_TEXT]} for n in range(3 * MAX_PARTITIONS)]
    request = {"databaseName": "db", "tableName": "t", "partitionsToDelete": values}
    about = event(call("glue", "BatchDeletePartition", INSIDER, request)).about
    assert isinstance(about, CatalogChanged)
    assert len(about.partitions) == MAX_PARTITIONS
    assert len(about.partitions[0].values[1]) == MAX_TEXT


@pytest.mark.parametrize(
    "record",
    [
        call("ec2", "DescribeInstances", {}, None),
        call("ec2", "RunInstances", INSIDER, {}, userIdentity=None, eventTime=None),
        call("s3", "GetBucketPolicy", INSIDER, {"bucketName": "raw"}, userIdentity="AWS Internal"),
        call("sts", "GetCallerIdentity", INSIDER, None),
        call("glue", "GetTable", INSIDER, {"databaseName": "db", "name": "t"}),
        call("example", "AssumeRole", INSIDER, {}, eventSource=["sts.amazonaws.com"]),
        role_taken("glue", "A", INSIDER, errorCode="AccessDenied"),
        role_taken("glue", "A", INSIDER, responseElements=None),
        call("sqs", "StartMessageMoveTask", INSIDER, {"sourceArn": "arn"}),
        call("iam", "PutEverything", INSIDER, {"userName": "a"}, readOnly=True),
    ],
)
def test_what_does_not_matter_is_passed_over(record: Any) -> None:
    content = read(record)
    assert (content.calls, content.events, content.problems) == ((), (), ())


@pytest.mark.parametrize(
    ("record", "control"),
    [
        (
            call("iam", "UpdateAssumeRolePolicy", INSIDER, {"roleName": "r"}),
            ("iam", "role", "trust", ("r",)),
        ),
        (
            call("lambda", "UpdateFunctionCode20150331v2", INSIDER, {"functionName": "f"}),
            ("lambda", "function", "code", ("f",)),
        ),
        (
            call(
                "lambda",
                "UpdateEventSourceMapping20150331",
                INSIDER,
                {"uUID": "u", "enabled": False},
                {"functionArn": "arn:f"},
            ),
            ("lambda", "function", "subscription", ("arn:f",)),
        ),
        (
            call("ssm", "DeleteParameters", INSIDER, {"names": ["/a", 7, "/b"]}),
            ("ssm", "parameter", "", ("/a", "/b")),
        ),
        (
            call("kms", "RevokeGrant", INSIDER, {"grantId": "g"}, resources=[{"ARN": "arn:key"}]),
            ("kms", "key", "grants", ("arn:key",)),
        ),
        (
            call("iam", "DeleteAccessKey", INSIDER, {"accessKeyId": "AKIA"}),
            ("iam", "user", "access keys", (INSIDER["arn"],)),
        ),
        (call("glue", "PutResourcePolicy", INSIDER, {}), ("glue", "catalog", "policy", ())),
        # What CloudTrail left out may be about anything.
        (call("iam", "PutRolePolicy", INSIDER, None), ("iam", "role", "rights", None)),
        (call("glue", "UpdateTable", INSIDER, None), ("glue", "database", "tables", None)),
        (
            switched("StopLogging", INSIDER, "06:00:00", name=7),
            ("cloudtrail", "trail", "logging", None),
        ),
        # What nobody has looked at yet changes something.
        (
            call("iam", "PutEverything", INSIDER, {"of": [{"whom": "u"}]}),
            ("iam", "unknown thing", "", ("u",)),
        ),
    ],
)
def test_what_a_call_changes_is_named_as_far_as_it_is_told(
    record: Any, control: tuple[Any, ...]
) -> None:
    found = event(record).control
    assert found is not None
    assert (found.service, found.thing, found.aspect, found.names) == control


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"userIdentity": None}, "userIdentity"),
        ({"eventTime": "soon"}, "eventTime"),
        ({"eventID": None}, "eventID"),
        ({"eventVersion": "2.0"}, "eventVersion"),
    ],
)
def test_one_that_matters_must_say_who_and_when(changes: dict[str, Any], field: str) -> None:
    content = read(partition_moved(INSIDER, **changes), partition_moved(INSIDER))
    (problem,) = content.problems
    assert problem.startswith(f"Records[0].{field}: ")
    assert len(content.calls) == 1


def test_deliveries_are_one_call_in_whatever_order_they_come() -> None:
    late = {"originalEventID": "m1", "reason": "UPDATED_DATA", "updatedFields": "userIdentity"}
    deliveries = [
        event(partition_moved(INSIDER)),
        event(partition_moved(INSIDER), proven=False),
        event(partition_moved(service("glue"), eventID="m2", addendum=late)),
    ]
    for some in itertools.permutations(deliveries):
        (merged,) = merge_calls(some)
        assert (merged.who.arn, merged.proven) == (INSIDER["arn"], True)


NAMED = st.sampled_from([role_taken("glue", "A", INSIDER), partition_moved(INSIDER)])


@given(NAMED, st.sampled_from(["requestParameters", "responseElements", "addendum"]), json_values)
def test_parameters_of_any_shape_cost_no_log(
    record: dict[str, Any], field: str, value: object
) -> None:
    content = read({**record, field: value}, partition_moved(INSIDER, eventID="whole"))
    assert content.calls[-1].event_id == "whole"
    assert content.problems == ()


@given(json_values)
def test_identities_of_any_shape_cost_their_record_only(value: object) -> None:
    content = read(
        {**partition_moved(INSIDER), "userIdentity": value},
        partition_moved(INSIDER, eventID="whole"),
    )
    assert content.calls[-1].event_id == "whole"
    assert len(content.calls) + len(content.problems) == 2
