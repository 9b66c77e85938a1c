"""A table that was bent is made right, and its partitions stay."""

from unittest import mock

import boto3
import pytest
from tests.support.moto_aws import REGION

from custody.aws.definitions import MISSING, make_right
from custody.core.formats.hive_ddl import definition_of, read_definition

DEPLOYED = read_definition(
    "CREATE EXTERNAL TABLE IF NOT EXISTS t (a STRING, b BIGINT)\nPARTITIONED BY (dt STRING)\n"
    "STORED AS PARQUET\nLOCATION 's3://analytics/t'"
)


@pytest.fixture
def glue(s3):
    client = boto3.client("glue", region_name=REGION)
    client.create_database(DatabaseInput={"Name": "db"})
    return client


def table(glue):
    return glue.get_table(DatabaseName="db", Name="t")["Table"]


def test_a_bent_table_is_made_right_and_keeps_its_partitions(glue):
    right = DEPLOYED.to_table_input()
    glue.create_table(DatabaseName="db", TableInput=right)
    assert make_right(glue, "db", DEPLOYED) == ()
    partition = {"Values": ["2026-11-01"], "StorageDescriptor": right["StorageDescriptor"]}
    glue.create_partition(DatabaseName="db", TableName="t", PartitionInput=partition)

    projection = {
        "projection.enabled": "true",
        "projection.dt.type": "enum",
        "projection.dt.values": "2026-11-01",
        "storage.location.template": "s3://analytics/nothing/${dt}",
    }
    bent = {**right, "Parameters": {"EXTERNAL": "TRUE", **projection}}
    glue.update_table(DatabaseName="db", TableInput=bent)
    assert make_right(glue, "db", DEPLOYED) == ("properties",)
    assert table(glue)["Parameters"] == {"EXTERNAL": "TRUE"}
    assert make_right(glue, "db", DEPLOYED) == ()
    assert len(glue.get_partitions(DatabaseName="db", TableName="t")["Partitions"]) == 1


def test_a_table_that_is_missing_is_made_once(glue):
    assert make_right(glue, "db", DEPLOYED) == (MISSING,)
    assert definition_of(table(glue)) == DEPLOYED
    assert make_right(glue, "db", DEPLOYED) == ()


def test_who_makes_a_table_at_the_same_time_is_no_trouble(glue):
    client, there = mock.Mock(wraps=glue), glue.exceptions.EntityNotFoundException
    client.exceptions = glue.exceptions
    client.get_table.side_effect = there({"Error": {"Code": "EntityNotFoundException"}}, "GetTable")
    for _ in range(2):
        assert make_right(client, "db", DEPLOYED) == (MISSING,)
    assert definition_of(table(glue)) == DEPLOYED
