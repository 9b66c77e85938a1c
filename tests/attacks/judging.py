"""Having the platform judge, as its DAGs do: what its jobs find, and what readers are shown."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final

import jinja2
from tests.attacks.attack import Finding, Job
from tests.attacks.world import INSIDER, Ran, World
from tests.support.patience import PATIENCE_SECONDS

from custody.aws.catalog import Pointer, point_partitions
from custody.aws.definitions import make_right
from custody.aws.kms.seal_key import fetch_seal_key
from custody.aws.runs.keeping import read_run
from custody.core.formats.hive_ddl import read_definition
from custody.core.ledger.hours.windows import Window, audit_window
from custody.core.ledger.rows import LedgerRow
from custody.core.paging.findings import is_finding
from custody.core.paging.found import Found
from custody.core.runs.report import RunReport
from custody.core.seal.layout import log_origin
from custody.tasks.defaults import SQL_MACROS
from rehearsal.machine import REPOSITORY
from rehearsal.observing import query, whole_hours
from rehearsal.waiting import wait_until

JOB_NAMES: Final = {Job.RECONCILE: "reconcile_job", Job.AUDIT: "audit_job"}
"""The settings that name the Glue jobs."""


@dataclass(frozen=True)
class Seen:
    """What a job found: pages, and the object versions that are VERIFIED."""

    pages: tuple[Finding, ...]
    verified: frozenset[tuple[str, str, str]]
    seconds: float
    changed: frozenset[Finding] = frozenset()
    """What had to be found of the controls that the attackers changed before it ran."""
    rows: tuple[tuple[Finding, LedgerRow], ...] = ()
    """The rows that are paged."""


class JobFailed(RuntimeError):
    """A Glue job failed; the message is Glue's."""


def reconcile(world: World) -> Seen:
    """Run the reconciliation over everything since the first moment's day, without grace."""
    started = time.monotonic()
    now, as_of, world.as_of = datetime.now(UTC), world.as_of, None
    midnight = world.began.replace(hour=0, minute=0, second=0, microsecond=0)
    window = Window(*whole_hours(midnight, now), as_of or now, timedelta(), timedelta())
    order = {"window": window.parameters()}
    changed = frozenset(world.changes.findings(world.arn(INSIDER)))
    run = run_job(world, Job.RECONCILE, order)
    world.outputs.append(f"{Job.RECONCILE}/run={run}/")
    return replace(_seen(world, Job.RECONCILE, run, window, started), changed=changed)


def audit(world: World) -> Seen:
    """Run the audit: everything at rest is read, nothing has grace."""
    started = time.monotonic()
    now = datetime.now(UTC)
    order = audit_window(as_of=now, grace_minutes=0, sample_days=1, days=2)
    run = run_job(world, Job.AUDIT, {"audit": order})
    hour = Window(*whole_hours(now, now), now, timedelta())
    return _seen(world, Job.AUDIT, run, hour, started)


def run_job(world: World, job: Job, order: Mapping[str, Any]) -> str:
    """Run a job as its DAG does; returns the run's id. Raises `JobFailed`."""
    glue = world.platform.client("glue", "airflow")
    name = world.platform.settings[JOB_NAMES[job]]
    run = glue.start_job_run(
        JobName=name,
        Arguments={f"--{key}": json.dumps(value) for key, value in order.items()},
    )["JobRunId"]
    ended(world, name, run)
    return str(run)


def ended(world: World, name: str, run: str) -> None:
    """Wait until a run of a Glue job has succeeded; raises `JobFailed`."""
    glue = world.platform.client("glue", "airflow")
    state: dict[str, Any] = {}

    def has_ended() -> bool:
        state.update(glue.get_job_run(JobName=name, RunId=run)["JobRun"])
        return state["JobRunState"] not in {"STARTING", "RUNNING", "WAITING", "STOPPING"}

    wait_until(f"{name} has ended", has_ended, seconds=PATIENCE_SECONDS)
    if state["JobRunState"] != "SUCCEEDED":
        raise JobFailed(f"{name}: {state.get('ErrorMessage')}")


def _seen(world: World, job: Job, run: str, window: Window, started: float) -> Seen:
    """Show and read what a job found, and make good what had to stay broken for it."""
    place = f"s3://{world.analytics}/{job}/run={run}/"
    places = [
        Pointer((dt, hour), f"{place}dt={dt}/hour={hour}/", window.as_of)
        for dt, hour in window.partitions()
    ]
    make_tables(world)
    glue = world.platform.client("glue", "airflow")
    point_partitions(glue, world.platform.settings["database"], job, places)
    hours = ", ".join(f"('{dt}', '{hour}')" for dt, hour in window.partitions())
    rows = _found(world, job, run, window.as_of.date())
    pages = tuple(finding for finding, _ in rows)
    verified = _verified(world, job, f"(dt, hour) IN ({hours})")
    world.runs.append(Ran(job, run, window, pages))
    world.make_good()
    return Seen(pages, verified, time.monotonic() - started, rows=rows)


def _found(world: World, job: Job, run: str, day: date) -> tuple[tuple[Finding, LedgerRow], ...]:
    """What a run has to have paged, as the task that pages reads it."""
    settings = world.platform.settings
    kms = world.platform.client("kms", "airflow")
    key = fetch_seal_key(kms, settings["seal_key_arn"], log_origin(world.provenance))
    told = read_run(
        world.platform.client("s3", "airflow"),
        key,
        world.provenance,
        job=settings[JOB_NAMES[job]],
        run_id=run,
        day=day,
        parts=["report"],
    )
    found = Found.from_document(RunReport.parse(told.parts["report"]).found)
    # Of controls that the insider changes over and over, the first call at each is read.
    assert set(found.left_out) <= {("CONTROL_CHANGED", world.arn(INSIDER))}
    return tuple(
        (Finding(row.verdict, row.bucket, row.object_key, row.version_id, row.principal_arn), row)
        for row in found.rows
        if is_finding(row)
    )


def _verified(world: World, table: str, where: str) -> frozenset[tuple[str, str, str]]:
    rows = query(
        world.platform,
        "SELECT bucket, object_key, version_id "  # noqa: S608 - ours
        f"FROM {table} WHERE verdict = 'VERIFIED' AND {where}",
    )
    return frozenset(
        (str(row["bucket"]), str(row["object_key"]), str(row["version_id"])) for row in rows
    )


def make_tables(world: World) -> None:
    """The tables the verdicts are read from, as the DAG `provenance_ledger` makes them, and
    makes them right."""
    _make(world, JOB_NAMES)


def make_all_tables(world: World) -> None:
    """All that a runbook asks, as the same DAG makes it."""
    _make(world, [*JOB_NAMES, "cloudtrail_logs", "hash_records", "publications"])
    query(world.platform, _statement(world, "provenance_ledger"), "airflow")


def _make(world: World, tables: Iterable[str]) -> None:
    glue = world.platform.client("glue", "airflow")
    for table in tables:
        statement = _statement(world, f"create_{table}")
        make_right(glue, world.platform.settings["database"], read_definition(statement))


def _statement(world: World, name: str) -> str:
    sql = jinja2.Environment(  # noqa: S701 - SQL, not HTML
        loader=jinja2.FileSystemLoader(REPOSITORY / "include" / "sql")
    )
    settings = {"json": {"custody": world.platform.settings}}
    return sql.get_template(f"provenance/{name}.sql").render(var=settings, **SQL_MACROS)
