"""Catalog calls need what they need on AWS: the resource and everything above it."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError
from tests.infra.local.conftest import ACCOUNT, REGION, Server

PREFIX = f"arn:aws:glue:{REGION}:{ACCOUNT}"
CATALOG, DATABASE, TABLE = f"{PREFIX}:catalog", f"{PREFIX}:database/lake", f"{PREFIX}:table/lake/*"
STORAGE = {"Columns": [{"Name": "a", "Type": "int"}], "Location": "s3://b/run=1/"}
KEY = {"Name": "dt", "Type": "string"}
_names = itertools.count()


@pytest.fixture(scope="module")
def table(server: Server) -> Iterator[str]:
    glue = server.client("glue")
    glue.create_database(DatabaseInput={"Name": "lake"})
    given = {"Name": "t", "StorageDescriptor": STORAGE, "PartitionKeys": [KEY]}
    glue.create_table(DatabaseName="lake", TableInput=given)
    partition = {"Values": ["2026-11-20"], "StorageDescriptor": STORAGE}
    glue.create_partition(DatabaseName="lake", TableName="t", PartitionInput=partition)
    yield "t"
    glue.delete_database(Name="lake")


def glue_with(server: Server, *resources: str) -> Any:
    """The Glue client of a user who may do everything on these resources."""
    iam, name = server.client("iam"), f"analyst-{next(_names)}"
    iam.create_user(UserName=name)
    statement = {"Effect": "Allow", "Action": "glue:*", "Resource": list(resources)}
    policy = {"Version": "2012-10-17", "Statement": [statement]}
    iam.put_user_policy(UserName=name, PolicyName="p", PolicyDocument=json.dumps(policy))
    made = iam.create_access_key(UserName=name)["AccessKey"]
    return server.client("glue", server.session(made["AccessKeyId"], made["SecretAccessKey"]))


def test_all_of_them_are_enough(server: Server, table: str) -> None:
    glue = glue_with(server, CATALOG, DATABASE, TABLE)
    assert glue.get_database(Name="lake")["Database"]["Name"] == "lake"
    assert [found["Name"] for found in glue.get_tables(DatabaseName="lake")["TableList"]] == [table]
    assert len(glue.get_partitions(DatabaseName="lake", TableName=table)["Partitions"]) == 1


@pytest.mark.parametrize("missing", [CATALOG, DATABASE, TABLE])
def test_without_one_of_them_a_table_is_closed(server: Server, table: str, missing: str) -> None:
    glue = glue_with(server, *({CATALOG, DATABASE, TABLE} - {missing}))
    for call in (glue.get_table, glue.delete_table):
        with pytest.raises(ClientError, match="AccessDeniedException") as refused:
            call(DatabaseName="lake", Name=table)
        assert "on resource: arn:aws:glue" in str(refused.value)


def test_a_database_takes_its_tables_with_it_only_from_who_may_delete_them(
    server: Server, table: str
) -> None:
    with pytest.raises(ClientError, match="AccessDeniedException"):
        glue_with(server, CATALOG, DATABASE).delete_database(Name="lake")


def test_a_partition_is_pointed_elsewhere(server: Server, table: str) -> None:
    glue = server.client("glue")
    where = {"DatabaseName": "lake", "TableName": table}
    moved = {
        "Values": ["2026-11-20"],
        "StorageDescriptor": {**STORAGE, "Location": "s3://b/run=2/"},
    }
    glue.update_partition(**where, PartitionValueList=["2026-11-20"], PartitionInput=moved)
    found = glue.get_partition(**where, PartitionValues=["2026-11-20"])["Partition"]
    assert found["StorageDescriptor"]["Location"] == "s3://b/run=2/"
    with pytest.raises(ClientError, match="EntityNotFoundException"):
        glue.update_partition(**where, PartitionValueList=["1999-01-01"], PartitionInput=moved)


def test_what_nobody_gave_is_left_out(server: Server, table: str) -> None:
    glue = server.client("glue")
    glue.create_table(
        DatabaseName="lake", TableInput={"Name": "told", "Description": "a", "Owner": "hadoop"}
    )
    listed = {found["Name"]: found for found in glue.get_tables(DatabaseName="lake")["TableList"]}
    assert (listed["told"]["Description"], listed["told"]["Owner"]) == ("a", "hadoop")
    for bare in (listed[table], glue.get_table(DatabaseName="lake", Name=table)["Table"]):
        assert not {"Description", "Owner", "ViewOriginalText"} & set(bare)
        assert (bare["PartitionKeys"], bare["Parameters"]) == ([KEY], {})
    database = glue.get_database(Name="lake")["Database"]
    assert database in glue.get_databases()["DatabaseList"]
    assert not {"Description", "LocationUri"} & set(database)
