"""Readers see the old files or the new ones, and doing it again changes nothing."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import boto3
import pytest
from tests.support.moto_aws import REGION, answer

from custody.aws import catalog
from custody.aws.catalog import MAX_PARTITIONS, PartitionsNotMoved, Pointer, point_partitions

TABLE = {
    "Name": "reconciliation",
    "PartitionKeys": [{"Name": "dt", "Type": "string"}, {"Name": "hour", "Type": "string"}],
    "StorageDescriptor": {
        "Columns": [{"Name": "verdict", "Type": "string"}],
        "Location": "s3://analytics/reconciliation/",
        "InputFormat": "org.apache.hadoop.hive.ql.io.parquet.MapredParquetInputFormat",
        "SerdeInfo": {"SerializationLibrary": "parquet"},
    },
}


@pytest.fixture
def glue(s3):
    client = boto3.client("glue", region_name=REGION)
    client.create_database(DatabaseInput={"Name": "db"})
    client.create_table(DatabaseName="db", TableInput=TABLE)
    return client


def locations(glue):
    partitions = glue.get_partitions(DatabaseName="db", TableName="reconciliation")["Partitions"]
    return {tuple(p["Values"]): p["StorageDescriptor"]["Location"] for p in partitions}


def hours(run, *numbers):
    return [Pointer(("2026-11-01", n), f"s3://analytics/run={run}/hour={n}/") for n in numbers]


def test_new_partitions_are_added_in_the_shape_of_their_table(glue):
    point_partitions(glue, "db", "reconciliation", hours("a", "06"))
    assert locations(glue) == {("2026-11-01", "06"): "s3://analytics/run=a/hour=06/"}
    partition = glue.get_partition(
        DatabaseName="db", TableName="reconciliation", PartitionValues=["2026-11-01", "06"]
    )["Partition"]
    expected = TABLE["StorageDescriptor"] | {"Location": "s3://analytics/run=a/hour=06/"}
    assert partition["StorageDescriptor"].items() >= expected.items()


def test_existing_partitions_move_and_others_stay(glue):
    point_partitions(glue, "db", "reconciliation", hours("a", "05", "06"))
    for _ in range(2):
        point_partitions(glue, "db", "reconciliation", hours("b", "06", "07"))
        assert locations(glue) == {
            ("2026-11-01", "05"): "s3://analytics/run=a/hour=05/",
            ("2026-11-01", "06"): "s3://analytics/run=b/hour=06/",
            ("2026-11-01", "07"): "s3://analytics/run=b/hour=07/",
        }


def test_nothing_to_point_is_no_call():
    assert point_partitions(None, "db", "reconciliation", []) == []


NOON = datetime(2026, 11, 1, 12, tzinfo=UTC)


def judged(run, minutes, *numbers):
    at = NOON + timedelta(minutes=minutes)
    return [replace(pointer, judged_at=at) for pointer in hours(run, *numbers)]


def test_what_was_judged_later_is_not_moved_back(glue):
    """As whoever clears an older run would have it."""
    point_partitions(glue, "db", "reconciliation", judged("late", 60, "06", "07"))
    moved = point_partitions(glue, "db", "reconciliation", judged("early", 0, "05", "06"))
    assert moved == [("2026-11-01", "05")]
    assert locations(glue) == {
        ("2026-11-01", "05"): "s3://analytics/run=early/hour=05/",
        ("2026-11-01", "06"): "s3://analytics/run=late/hour=06/",
        ("2026-11-01", "07"): "s3://analytics/run=late/hour=07/",
    }
    point_partitions(glue, "db", "reconciliation", judged("later", 61, "06"))
    assert locations(glue)["2026-11-01", "06"] == "s3://analytics/run=later/hour=06/"


@pytest.mark.parametrize(
    ("shown", "kept"),
    [
        (None, False),
        ("2026-11-01T12:00:00.000Z", False),
        ("2026-11-01T12:00:00.001Z", True),
        ("2026-11-01T13:00:00.000Z", True),
        ("2026-11-01T13:00:00.001Z", False),
        ("9999-12-31T00:00:00.000Z", False),
        ("tomorrow", False),
    ],
)
def test_nobody_keeps_verdicts_from_moving_by_a_date_of_his_own(shown, kept):
    assert catalog.stays(shown, NOON, NOON + timedelta(hours=1)) is kept


def test_more_than_glue_takes_is_refused_before_anything_moves():
    pointers = [Pointer((str(n),), "s3://x/") for n in range(MAX_PARTITIONS + 1)]
    with pytest.raises(ValueError, match="101 partitions of reconciliation"):
        point_partitions(None, "db", "reconciliation", pointers)


def test_a_refusal_to_add_names_partition_and_reason(glue):
    errors = [
        {
            "PartitionValues": ["2026-11-01", "06"],
            "ErrorDetail": {"ErrorCode": "InvalidInputException", "ErrorMessage": "no"},
        }
    ]
    glue.meta.events.register(
        "before-call.glue.BatchCreatePartition", lambda **_: answer({"Errors": errors})
    )
    with pytest.raises(PartitionsNotMoved, match=r"06'\): InvalidInputException no"):
        point_partitions(glue, "db", "reconciliation", hours("a", "06"))


def test_a_refusal_to_move_names_partition_and_reason(glue):
    point_partitions(glue, "db", "reconciliation", hours("a", "06"))
    errors = [
        {
            "PartitionValueList": ["2026-11-01", "06"],
            "ErrorDetail": {"ErrorCode": "InternalServiceException"},
        }
    ]
    glue.meta.events.register(
        "before-call.glue.BatchUpdatePartition", lambda **_: answer({"Errors": errors})
    )
    with pytest.raises(PartitionsNotMoved, match=r"06'\): InternalServiceException"):
        point_partitions(glue, "db", "reconciliation", hours("b", "06"))
