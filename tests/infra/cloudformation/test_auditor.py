"""The auditor's whole job with the auditor's role, which may nothing that the job does not need."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any, Final

from infra.build import REPOSITORY
from tests.infra.cloudformation.conftest import answer, bucket
from tests.support.grants import unexplained
from tests.support.local_aws import LocalAws, role_arn
from tests.support.patience import wait_for

KEY: Final = "incoming/orders/dt=2026-11-01/audited.csv"
COMMAND: Final = "from custody.cli.main import run; run()"  # what its installed script does


def custody(aws: LocalAws, *arguments: str) -> tuple[int, list[dict[str, Any]]]:
    """The status that `custody` ends with for the auditor, and what it prints."""
    settings = ("--settings", "ssm:/custody/local/airflow/variables/custody")
    done = subprocess.run(
        [sys.executable, "-c", COMMAND, *arguments, "--json", *settings],
        env=aws.environment
        | {
            "AWS_PROFILE": "auditor",
            "AWS_DEFAULT_REGION": aws.region,
            "PYTHONPATH": str(REPOSITORY / "plugins"),
        },
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert "not authorized" not in done.stdout + done.stderr
    assert "AccessDenied" not in done.stdout + done.stderr
    return done.returncode, [json.loads(line) for line in done.stdout.splitlines()]


def test_an_auditor_does_his_job_and_may_nothing_else(aws: LocalAws, tmp_path: Path) -> None:
    aws.add_profile("auditor", role_arn=role_arn("auditor"), source_profile="platform-engineer")
    place, keys = f"s3://{bucket('raw')}/{KEY}", str(tmp_path / "keys.json")
    aws.client("s3", "web-shop").put_object(Bucket=bucket("raw"), Key=KEY, Body=b"a,b\n")

    assert custody(aws, "keys", "-o", keys)[0] == 0
    wait_for(lambda: custody(aws, "verify", place, "--keys", keys)[0] == 0)
    assert custody(aws, "verify", place)[0] == 0
    # Nothing is sealed yet, and no digest covers the hour: neither can be said to be well.
    assert custody(aws, "seal", "--keys", keys)[0] == 2
    assert custody(aws, "trail", "--keys", keys)[0] in (1, 2)
    look_by_hand(aws)
    query(aws)
    assert unexplained(aws.home / "logs" / "grants.jsonl", "auditor") == []


def look_by_hand(aws: LocalAws) -> None:
    """How evidence is kept, asked of AWS itself."""
    s3, trail = aws.client("s3", "auditor"), aws.client("cloudtrail", "auditor")
    for role in ("raw", "provenance"):
        where = {"Bucket": bucket(role)}
        s3.get_bucket_location(**where)
        s3.get_bucket_policy(**where)
        s3.get_bucket_versioning(**where)
        s3.get_object_lock_configuration(**where)
        (first, *_) = s3.list_objects_v2(**where)["Contents"]
        s3.get_object_retention(**where, Key=first["Key"])
        s3.get_object(**where, Key=first["Key"])
    trail.get_trail(Name="custody-local")
    trail.get_trail_status(Name="custody-local")
    trail.get_event_selectors(TrailName="custody-local")


def query(aws: LocalAws) -> None:
    """A query, its results, and the catalog that it is about."""
    athena, glue = aws.client("athena", "auditor"), aws.client("glue", "auditor")
    asked = {"QueryString": "SELECT 1 AS one", "WorkGroup": "custody-local"}
    execution = {"QueryExecutionId": athena.start_query_execution(**asked)["QueryExecutionId"]}

    def succeeded() -> bool:
        found = athena.get_query_execution(**execution)["QueryExecution"]["Status"]
        assert found["State"] != "FAILED", found
        return bool(found["State"] == "SUCCEEDED")

    wait_for(succeeded)
    athena.get_query_results(**execution)
    athena.stop_query_execution(**execution)
    athena.get_work_group(WorkGroup="custody-local")
    glue.get_database(Name="custody_local")
    glue.get_tables(DatabaseName="custody_local")
    # No table has been made yet, which is for Airflow to do: it is asked for, and not refused.
    table = {"DatabaseName": "custody_local", "TableName": "none"}
    for call, arguments in (
        (glue.get_table, {"DatabaseName": "custody_local", "Name": "none"}),
        (glue.get_partitions, table),
        (glue.get_partition, {**table, "PartitionValues": ["2026-11-01"]}),
    ):
        assert answer(call, **arguments) == "EntityNotFoundException"
