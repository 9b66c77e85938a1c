"""Changes by somebody who is not declared to make them."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from tests.support.ledger_cases import policy
from tests.support.management_records import (
    INSIDER,
    ROLE,
    call,
    partition_moved,
    role_taken,
    session,
)
from tests.support.trail_records import put

from custody.core.ledger.kinds.undeclared import batch_rows, catalog_rows
from custody.core.ledger.policy import Policy
from custody.core.ledger.rows import CATALOG, CONTROL, LedgerRow
from custody.core.ledger.versions import ObjectHistory, rows_of
from custody.core.trail.log_files import read_log

RULES = replace(
    policy(datetime(2026, 11, 1, 8, tzinfo=UTC)),
    database="custody_local",
    catalog_writers=(f"{ROLE}airflow",),
)


def rows_of_change(
    record: dict[str, Any], *, proven: bool = True, rules: Policy = RULES
) -> list[LedgerRow]:
    """The rows of a change of the catalog."""
    content = json.dumps({"Records": [record]}).encode()
    calls = read_log(content, log="log", proven=proven).calls
    return [row for call in calls for row in catalog_rows(call, rules)]


def test_a_partition_that_somebody_else_moves_is_named_by_database_table_and_values() -> None:
    (row,) = rows_of_change(partition_moved(INSIDER, "s3://analytics/nothing/"))
    assert (row.verdict, row.principal_arn) == ("UNEXPECTED_PRINCIPAL", INSIDER["arn"])
    assert (row.bucket, row.object_key) == (CATALOG, "custody_local/reconciliation/2026-11-01/06")
    assert (row.version_id, row.pipeline_layer) == ("null", "catalog")
    assert "s3://analytics/nothing/" in row.verdict_reason
    assert row.event_time == datetime(2026, 11, 1, 6, tzinfo=UTC)


def test_moving_it_again_is_another_finding() -> None:
    """Otherwise the second would never be paged: the first stays open."""
    (one,) = rows_of_change(partition_moved(INSIDER))
    (other,) = rows_of_change(partition_moved(INSIDER, requestID="M2", eventID="m2"))
    assert one.fingerprint != other.fingerprint


def test_declared_writers_change_the_catalog_and_other_databases_are_not_ours() -> None:
    assert rows_of_change(partition_moved(session("airflow", "ASIA1"))) == []
    others = {"databaseName": "other", "tableName": "t", "entries": []}
    assert rows_of_change(partition_moved(INSIDER, requestParameters=others)) == []
    assert rows_of_change(role_taken("glue", "ASIA1", INSIDER)) == []


def test_a_definition_that_somebody_else_changes_is_a_control() -> None:
    bent = {"databaseName": "custody_local", "tableInput": {"name": "reconciliation"}}
    dropped = call("glue", "DeleteTable", INSIDER, {"databaseName": "custody_local", "name": "t"})
    everything = call("glue", "DeleteDatabase", INSIDER, {"name": "custody_local"})
    found = [
        row
        for record in (call("glue", "UpdateTable", INSIDER, bent), dropped, everything)
        for row in rows_of_change(record)
    ]
    assert [(row.bucket, row.object_key) for row in found] == [
        (CONTROL, "glue/table/custody_local/reconciliation"),
        (CONTROL, "glue/table/custody_local/t"),
        (CONTROL, "glue/database/custody_local"),
    ]
    assert {row.verdict for row in found} == {"CONTROL_CHANGED"}
    assert {row.principal_arn for row in found} == {INSIDER["arn"]}
    (pending,) = rows_of_change(dropped, proven=False)
    assert pending.verdict == "PENDING"


def test_definitions_that_airflow_or_the_deployment_changes_are_none_of_it() -> None:
    bent = {"databaseName": "custody_local", "tableInput": {"name": "reconciliation"}}
    assert rows_of_change(call("glue", "UpdateTable", session("airflow", "ASIA1"), bent)) == []
    deployed = INSIDER | {"invokedBy": "cloudformation.amazonaws.com"}
    assert rows_of_change(call("glue", "UpdateTable", deployed, bent)) != []
    rules = replace(RULES, deployers=(INSIDER["arn"],))
    assert rows_of_change(call("glue", "UpdateTable", deployed, bent), rules=rules) == []


def test_a_change_of_the_catalog_pages_nobody_before_it_is_proven() -> None:
    (row,) = rows_of_change(partition_moved(INSIDER), proven=False)
    assert row.verdict == "PENDING"


GLUE_SESSION, AUDIT_SESSION = session("glue", "ASIA1"), session("audit", "ASIA2")


@pytest.mark.parametrize(
    ("key", "who", "found"),
    [
        ("provenance/lineage/dt=2026-11-01/", GLUE_SESSION, []),
        ("provenance/lineage/dt=2026-11-01/", AUDIT_SESSION, ["UNEXPECTED_PRINCIPAL"]),
        ("seal/checkpoint", AUDIT_SESSION, []),
        ("seal/checkpoint", INSIDER, ["UNEXPECTED_PRINCIPAL"]),
        ("anything/else", GLUE_SESSION, ["UNEXPECTED_PRINCIPAL"]),
        # What lies there is judged with what it claims to be: a record, or lineage.
        ("provenance/incoming/dt=2026-11-01/x.json", INSIDER, []),
        ("provenance/lineage/dt=2026-11-01/x.json", INSIDER, []),
    ],
)
def test_who_may_write_beside_the_records(key: str, who: dict[str, Any], found: list[str]) -> None:
    rules = replace(
        policy(datetime(2026, 11, 1, 8, tzinfo=UTC)),
        prefix_writers={"provenance/lineage/": (f"{ROLE}glue",), "seal/": (f"{ROLE}audit",)},
    )
    record = put(userIdentity=who)
    record["requestParameters"] |= {"bucketName": "provenance", "key": key}
    for proven in (True, False):
        events = read_log(
            json.dumps({"Records": [record]}).encode(), log="log", proven=proven
        ).events
        history = ObjectHistory("provenance", key, events, ())
        rows = list(rows_of(history, rules, {}))
        assert [row.verdict for row in rows] == (found if proven else ["PENDING"] * len(found))
        assert all(row.principal_arn == who["arn"] for row in rows)
        assert all(row.version_id == "v1" for row in rows)


OURS = replace(
    policy(datetime(2026, 11, 1, 8, tzinfo=UTC)),
    layers={"raw": "bronze", "code": "artifacts", "answers": "results", "trail": "trail"},
    unhashed_writers={"results": (f"{ROLE}airflow", "athena.amazonaws.com")},
    deployment="custody-local",
    deployers=(f"{ROLE}deployer",),
    copiers=(f"{ROLE}replication",),
)
DEPLOYER, AIRFLOW = session("deployer", "ASIA3"), session("airflow", "ASIA4")
COPYING = session("replication", "ASIA5", "s3-replication")


@pytest.mark.parametrize(
    ("bucket", "who", "found"),
    [
        ("code", DEPLOYER, False),
        ("code", INSIDER, True),
        ("code", AIRFLOW, True),
        ("answers", AIRFLOW, False),
        ("answers", INSIDER | {"invokedBy": "athena.amazonaws.com"}, False),
        ("answers", INSIDER, True),
        ("answers", DEPLOYER, True),
        # One that no setting names, as MWAA's.
        ("custody-local-dags-1", DEPLOYER, False),
        ("custody-local-dags-1", INSIDER, True),
        ("custody-local-raw-replica-1", COPYING, False),
        ("custody-local-raw-replica-1", AIRFLOW, True),
        ("code", COPYING, True),
        ("custody-locality", INSIDER, False),
        ("elsewhere", INSIDER, False),
        # Proving the trail finds what others put there.
        ("trail", INSIDER, False),
    ],
)
def test_who_may_write_where_nobody_records(
    bucket: str, who: dict[str, Any], *, found: bool
) -> None:
    record = put(userIdentity=who)
    record["requestParameters"] |= {"bucketName": bucket, "key": "a/b"}
    for proven, verdict in ((True, "UNEXPECTED_PRINCIPAL"), (False, "PENDING")):
        events = read_log(
            json.dumps({"Records": [record]}).encode(), log="log", proven=proven
        ).events
        rows = list(rows_of(ObjectHistory(bucket, "a/b", events, ()), OURS, {}))
        assert [(row.verdict, row.principal_arn) for row in rows] == (
            [(verdict, who["arn"])] if found else []
        )


@pytest.mark.parametrize(
    ("bucket", "found"),
    [("raw", True), ("code", True), ("answers", True), ("trail", True), ("elsewhere", False),
     ("custody-local-dags-1", True)],
)  # fmt: skip
def test_whoever_removes_anything_from_a_bucket_of_ours_is_found(
    bucket: str, *, found: bool
) -> None:
    for who in (INSIDER, DEPLOYER):
        record = put(eventName="DeleteObject", userIdentity=who)
        record["requestParameters"] |= {"bucketName": bucket, "key": "a/b", "versionId": "v3"}
        events = read_log(json.dumps({"Records": [record]}).encode(), log="l", proven=True).events
        rows = list(rows_of(ObjectHistory(bucket, "a/b", events, ()), OURS, {}))
        assert [(row.verdict, row.principal_arn, row.version_id) for row in rows] == (
            [("REMOVED", who["arn"], "v3")] if found else []
        )


@pytest.mark.parametrize(
    ("bucket", "who", "found"),
    [
        ("raw", INSIDER, True),
        ("provenance", INSIDER, True),
        ("processed", INSIDER, True),
        ("analytics", INSIDER, True),
        # The jobs clear what they worked with.
        ("processed", session("glue", "A"), False),
        ("analytics", session("glue", "A"), False),
        ("processed", session("airflow", "A"), True),
        ("raw", session("glue", "A"), True),
        ("x", INSIDER, False),
    ],
)
def test_who_removes_without_saying_what_is_a_finding_of_its_own(
    bucket: str, who: dict[str, Any], found: bool
) -> None:
    rules = policy(datetime(2026, 11, 1, 8, tzinfo=UTC))
    record = put(eventName="DeleteObjects", userIdentity=who)
    record["requestParameters"] = {"bucketName": bucket, "delete": ""}
    for proven, verdict in ((True, "REMOVED"), (False, "PENDING")):
        (event,) = read_log(
            json.dumps({"Records": [record]}).encode(), log="log", proven=proven
        ).events
        rows = list(batch_rows(event, rules))
        assert [(row.verdict, row.principal_arn) for row in rows] == (
            [(verdict, who["arn"])] if found else []
        )
        assert all((row.bucket, row.object_key) == (bucket, "*") for row in rows)
