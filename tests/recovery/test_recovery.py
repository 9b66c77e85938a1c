"""The disaster that `docs/recovery.md` is for, and the way back, step by step.

Lost are the catalog, the settings, what runs, and all that is made of the evidence: silver, gold,
verdicts, checks, heads and the notes of what was paged. What is left are keys, bronze, records,
seal, trail and the recorder's queue. The tests are chapters: each looks at where the way back led.
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import pytest
from auditor import custody, make_role
from tests.recovery.steps import Steps

from rehearsal.landing import Landed, land, land_sample, sample_days
from rehearsal.machine import PROJECT, REPOSITORY, STAGE, Machine
from rehearsal.observing import query, wait_settled
from rehearsal.platform import ADMIN, Platform
from rehearsal.tampering import INSIDER, arn, lifted_bucket_policy, upload_past_the_recorder

DAY, ANOTHER_DAY, *_ = sample_days()
LOST_BUCKETS: Final = ("processed_bucket", "analytics_bucket")
TABLES: Final = (
    "silver_customers",
    "silver_customers_quarantine",
    "silver_customers_files",
    "gold_customers_by_country_month",
)
PARAMETER: Final = f"/{PROJECT}/{STAGE}/airflow/variables/{PROJECT}"

Row = tuple[tuple[str, str | None], ...]


@dataclass
class World:
    """The platform, and what was known of it before the disaster."""

    platform: Platform
    heads: Path
    """Where an auditor keeps what he has seen."""
    began: datetime = field(default_factory=lambda: datetime.now(UTC))
    bronze: int = 0
    """Versions in bronze."""
    ledger: frozenset[Row] = frozenset()
    tables: dict[str, Counter[Row]] = field(default_factory=dict)
    """The rows of each table of silver and gold."""
    sealed: dict[str, Any] = field(default_factory=dict)
    meanwhile: Landed | None = None
    """What landed while nothing ran."""
    seconds: dict[str, float] = field(default_factory=dict)

    @property
    def steps(self) -> Steps:
        return Steps(self.platform)

    def judge(self) -> None:
        wait_settled(self.platform, bronze=self.bronze, alone=1)
        self.steps.reconcile(self.began)
        self.steps.audit()

    def rows(self, table: str = "provenance_ledger") -> frozenset[Row]:
        """Without the causes that a reason ends with: what somebody changes later may be one."""
        rows = query(self.platform, f"SELECT * FROM {table}")  # noqa: S608 - ours
        for row in rows:
            row["verdict_reason"] = str(row["verdict_reason"]).partition(" Controls that bear")[0]
        return frozenset(tuple(sorted(row.items())) for row in rows)

    def built(self) -> dict[str, Counter[Row]]:
        """Every row of silver and gold, whole: no column of theirs names the run that made it."""
        return {
            table: Counter(
                tuple(sorted(row.items()))
                for row in query(self.platform, f"SELECT * FROM {table}")  # noqa: S608 - ours
            )
            for table in TABLES
        }

    def audited(self, command: str) -> dict[str, Any]:
        """What an auditor is told who comes again with the head of his last visit."""
        head = ["--head", str(self.heads / command)]
        return custody(self.platform, command, *head)[-1]


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A platform of its own; its logs stay in build/recovery."""
    platform = Platform(Machine(REPOSITORY / "build" / "recovery", 4720, 4721))
    platform.reset_aws()
    platform.start_aws()
    try:
        platform.deploy()
        make_role(platform)
        yield World(platform, tmp_path_factory.mktemp("heads"))
    finally:
        platform.stop_aws()


@pytest.fixture(scope="module")
def before(world: World) -> World:
    """A day that was built, judged, sealed and visited, with one finding in it."""
    world.steps.make_tables()
    world.bronze = len(land_sample(world.platform, [DAY]))
    upload_past_the_recorder(world.platform, DAY)
    world.bronze += 1
    wait_settled(world.platform, bronze=world.bronze, alone=1)
    world.steps.build(DAY)
    world.judge()
    world.ledger, world.tables = world.rows(), world.built()
    world.sealed = world.audited("seal")
    world.audited("trail")
    return world


@pytest.fixture(scope="module")
def disaster(before: World) -> World:
    """An administrator takes away all that can be lost."""
    platform, settings = before.platform, before.platform.settings
    glue = platform.client("glue", INSIDER)
    for table in glue.get_tables(DatabaseName=settings["database"])["TableList"]:
        glue.delete_table(DatabaseName=settings["database"], Name=table["Name"])
    platform.client("ssm", INSIDER).delete_parameter(Name=PARAMETER)
    for bucket in (settings[name] for name in LOST_BUCKETS):
        empty(platform, bucket)
    return before


def empty(platform: Platform, bucket: str) -> None:
    s3 = platform.client("s3", INSIDER)
    with lifted_bucket_policy(platform, bucket):
        for page in s3.get_paginator("list_object_versions").paginate(Bucket=bucket):
            for one in [*page.get("Versions", []), *page.get("DeleteMarkers", [])]:
                s3.delete_object(Bucket=bucket, Key=one["Key"], VersionId=one["VersionId"])


@pytest.fixture(scope="module")
def after(disaster: World) -> World:
    """What `docs/recovery.md` says, done in its order; a file lands before anything runs again."""
    began = time.monotonic()

    def done(step: str) -> None:
        disaster.seconds[step] = round(time.monotonic() - began)

    destroy(disaster.platform)
    disaster.meanwhile = land(disaster.platform, "web-shop", ANOTHER_DAY, "meanwhile.csv", b"id\n")
    disaster.bronze += 1
    disaster.platform = Platform(disaster.platform.machine)  # it remembers its settings
    disaster.platform.deploy()
    done("stacks")
    disaster.steps.make_tables()
    done("tables and view")
    disaster.judge()
    done("verdicts and seal")
    disaster.steps.build(DAY)
    done("silver and gold")
    print(f"after so many seconds: {disaster.seconds}")
    return disaster


def destroy(platform: Platform) -> None:
    subprocess.run(
        [sys.executable, "-m", "infra.deployment", "destroy", "--stage", STAGE, "--yes"],
        cwd=REPOSITORY,
        env=platform.machine.environment_of(ADMIN),
        check=True,
    )
    # CloudFormation makes nothing whose name is taken; of the command's lines, those about logs.
    logs = platform.client("logs", ADMIN)
    for page in logs.get_paginator("describe_log_groups").paginate():
        for group in page["logGroups"]:
            logs.delete_log_group(logGroupName=group["logGroupName"])


def test_every_row_of_the_ledger_comes_back_as_it_was(after: World) -> None:
    """What was still to be judged, as its digest was not there yet, has been since."""
    settled = {row for row in after.ledger if dict(row)["verdict"] != "PENDING"}
    assert {dict(row)["pipeline_layer"] for row in settled} >= {"bronze", "silver", "gold"}
    assert settled - after.rows() == frozenset()


def test_what_is_new_in_the_ledger_is_the_loss_and_the_way_back(after: World) -> None:
    """Removals and dropped tables, with the name of who did it; and honest work."""
    new = [dict(row) for row in after.rows() - after.ledger]
    found = [row for row in new if row["verdict"] not in ("VERIFIED", "PENDING")]
    insider = arn(after.platform, INSIDER)
    assert {(row["verdict"], row["principal_arn"]) for row in found} == {
        (verdict, insider) for verdict in ("CONTROL_CHANGED", "REMOVED")
    }
    lost = {after.platform.settings[name] for name in LOST_BUCKETS}
    assert {row["bucket"] for row in found} == {*lost, "AwsControl"}
    controls = {row["object_key"] for row in found if row["bucket"] == "AwsControl"}
    database = after.platform.settings["database"]
    assert {f"glue/table/{database}/{table}" for table in TABLES} <= controls


def test_what_landed_while_nothing_ran_is_recorded_and_verified(after: World) -> None:
    assert after.meanwhile
    (row,) = query(
        after.platform,
        "SELECT verdict FROM provenance_ledger"  # noqa: S608 - ours
        f" WHERE version_id = '{after.meanwhile.version_id}'",
    )
    assert row["verdict"] == "VERIFIED"


def test_the_audit_finds_evidence_and_trail_whole(after: World) -> None:
    """But for the file that went past the recorder before anything was lost."""
    found = [dict(row) for row in after.rows("audit")]
    settings = after.platform.settings
    kept = {settings[f"{name}_bucket"] for name in ("provenance", "trail")}
    assert [row for row in found if row["bucket"] in kept] == []
    bronze = [row for row in found if row["bucket"] == settings["raw_bucket"]]
    (wrong,) = (row for row in bronze if row["verdict"] != "VERIFIED")
    assert wrong["verdict"] == "UNRECORDED"
    assert str(wrong["object_key"]).endswith("/past-the-recorder.csv")


def test_silver_and_gold_have_the_rows_they_had(after: World) -> None:
    assert min(rows.total() for rows in after.tables.values()) > 0
    again = after.built()
    assert [table for table, rows in after.tables.items() if again[table] != rows] == []


def test_an_auditor_comes_again_with_his_heads_and_finds_nothing_rewritten(after: World) -> None:
    seal = after.audited("seal")
    assert seal["compared"]
    assert seal["size"] > after.sealed["size"]
    after.audited("trail")
    folder = f"s3://{after.platform.settings['raw_bucket']}/incoming/customers/dt={DAY}"
    for name in ("crm-export", "web-shop", "partner-feed"):
        custody(after.platform, "verify", f"{folder}/{name}.csv")
