"""What somebody who works in Airflow does to the tasks that judge, tell people and show verdicts.

These are run as Airflow runs them: the DAGs' own functions, as its role. Nothing comes of it: what
was found is paged, to the topic that was deployed, and readers are shown it.
"""

from __future__ import annotations

import importlib
import os
import socket
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from types import SimpleNamespace
from typing import Any, Final

import jinja2
from airflow.sdk.exceptions import AirflowFailException
from tests.attacks.attack import Finding, Job, Outcome, made
from tests.attacks.judging import JOB_NAMES, JobFailed, Seen, run_job
from tests.attacks.world import INSIDER, Ran, World

from custody.aws.publications.keeping import latest
from custody.core.datasets.catalog import read_contracts
from custody.core.ledger.rows import fingerprint
from custody.core.runs.statement import BadRun
from custody.objects import ObjectVersion
from custody.tasks.defaults import client
from custody.tasks.runs import judge_of
from custody.tasks.telling.paging import PagesNotSent, pages
from custody.tasks.telling.reminding import remind
from custody.tasks.telling.reporting import report_success
from rehearsal.landing import DATASET
from rehearsal.machine import REPOSITORY

OPERATOR = "operator"
CONTRACTS: Final = REPOSITORY / "include" / "contracts"

NOTHING = Outcome((), ())


def told(world: World) -> Seen:
    """Page what the last run found, and make good what was broken; what people have got."""
    started = time.monotonic()
    page(world)
    got = [Finding(**_renamed(page.finding)) for page in world.inbox.pages()]
    world.make_good()
    return Seen(tuple(got), frozenset(), time.monotonic() - started)


def _renamed(told: Mapping[str, Any]) -> dict[str, Any]:
    names = {"principal_arn": "by"}
    return {names.get(name, name): value for name, value in told.items()}


def page(world: World, **environment: str) -> None:
    """Page what the last run found, as the task of its DAG does."""
    job = world.runs[-1].job
    with _as_airflow(world, **environment):
        pages.function(world.analytics, _judge(world, job), job.value, "audit")


def remind_people(world: World) -> None:
    """Remind people of what stands, as the task of the audit's DAG does."""
    with _as_airflow(world):
        remind.function(_judge(world, Job.AUDIT))


def count_success(world: World, awaited: str) -> None:
    """Count the success of the last run, as the task of its DAG does that awaited this run."""
    judge = _judge(world, world.runs[-1].job)
    with _as_airflow(world):
        report_success.function(world.workgroup, _METRIC, world.analytics, judge, awaited)


_METRIC = "AuditSucceeded"


def show(world: World, ran: Ran) -> None:
    """Show readers what a run of the reconciliation found, as the task of its DAG does."""
    dag = importlib.import_module("dags.provenance_reconcile")
    database, judge = world.platform.settings["database"], _judge(world, Job.RECONCILE)
    with _as_airflow(world):
        dag.publish_hours.function(database, world.analytics, judge, ran.id, str(ran.window.as_of))


def _judge(world: World, job: Job) -> dict[str, str]:
    settings = {"json": {"custody": world.platform.settings}}
    return {
        name: jinja2.Template(template).render(var=settings)
        for name, template in judge_of(JOB_NAMES[job]).items()
    }


@contextmanager
def _as_airflow(world: World, **more: str) -> Iterator[None]:
    """This process is a worker's, that has the role of Airflow."""
    before = dict(os.environ)
    os.environ.update(world.platform.machine.environment_of("airflow") | more)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


def _all_are_told(world: World) -> Outcome:
    found = world.runs[-1].pages
    assert found, "there is nothing to be told"
    return Outcome(found, ())


# What tells people


@made(OPERATOR)
def a_connection_leads_elsewhere(world: World) -> Outcome:
    """makes a connection aws_default that leads to a host of his

    Nobody comes there.
    """
    stranger = socket.create_server(("127.0.0.1", 0))
    stranger.setblocking(False)
    endpoint = f"http%3A%2F%2F127.0.0.1%3A{stranger.getsockname()[1]}"
    os.environ["AIRFLOW_CONN_AWS_DEFAULT"] = f"aws://?endpoint_url={endpoint}"

    def undone() -> None:
        del os.environ["AIRFLOW_CONN_AWS_DEFAULT"]
        try:
            stranger.accept()
        except BlockingIOError:
            return
        finally:
            stranger.close()
        raise AssertionError("somebody has called at a stranger's")

    world.undo.append(undone)
    return _all_are_told(world)


@made(OPERATOR)
def telling_is_marked_as_done(world: World) -> Outcome:
    """marks pages as done, which has failed as SNS was away

    Nothing is remembered as told, and no success is counted.
    """
    with socket.create_server(("127.0.0.1", 0)) as away:
        nowhere = f"http://127.0.0.1:{away.getsockname()[1]}"
    try:
        page(world, AWS_ENDPOINT_URL_SNS=nowhere, AWS_MAX_ATTEMPTS="1")
    except PagesNotSent:
        pass
    else:
        raise AssertionError("SNS was away, and pages has succeeded")
    try:
        count_success(world, world.runs[-1].id)
    except AirflowFailException:
        return _all_are_told(world)
    raise AssertionError("nobody was told, and a success is counted")


@made(OPERATOR)
def an_older_run_is_taken_for_this_one(world: World) -> Outcome:
    """marks the job that judges as done, so that an older run is taken for that of now

    No success is counted, and the alarm speaks.
    """
    began = world.began
    count_success(world, "jr_" + "0" * 64)
    numbers = world.client("cloudwatch").get_metric_statistics(
        Namespace="Custody",
        MetricName=_METRIC,
        Dimensions=[{"Name": "Deployment", "Value": world.workgroup}],
        StartTime=began - timedelta(hours=1),
        EndTime=began + timedelta(hours=12),
        Period=86400,
        Statistics=["Sum"],
    )["Datapoints"]
    assert numbers, "nothing was counted"
    assert sum(number["Sum"] for number in numbers) == 0
    return NOTHING


@made(INSIDER, call="UpdateObjectEncryption")
def what_was_told_is_encrypted_anew(world: World) -> Outcome:
    """encrypts the note of what people were told anew with a key of his own, and switches that off

    What cannot be read was never told: it is paged again. The audit, too, cannot read it.
    """
    told = next(finding for finding in world.runs[-1].pages if finding.verdict == "ALTERED")
    version = ObjectVersion(told.bucket, told.key, told.version_id)
    note = f"pages/findings/{fingerprint(told.verdict, version)}.json"
    changed = world.encrypt_anew(world.analytics, note)
    audited = replace(changed, verdict="ALTERED", by=None)
    return Outcome((told,), (), reconciled=(changed,), audited=(audited,))


# What judges


@made(OPERATOR)
def the_dag_is_paused(world: World) -> Outcome:
    """pauses the DAG of the reconciliation, or sets its pool to 0

    CloudWatch waits for a success: none for two hours is an alarm, and so is no word at all.
    """
    name = f"{world.workgroup}-no-reconciliation"
    (alarm,) = world.client("cloudwatch").describe_alarms(AlarmNames=[name])["MetricAlarms"]
    assert alarm["TreatMissingData"] == "breaching"
    assert alarm["ComparisonOperator"] == "LessThanThreshold"
    assert alarm["Period"] * alarm["EvaluationPeriods"] <= 2 * 3600
    assert alarm["ActionsEnabled"]
    assert alarm["AlarmActions"]
    return NOTHING


@made(OPERATOR)
def a_past_window_is_judged_with_a_week_of_grace(world: World) -> Outcome:
    """edits the XCom of a run, so that a past window is judged with a week of grace"""
    return _refused(world, grace=timedelta(days=7))


@made(OPERATOR)
def it_is_judged_as_of_tomorrow(world: World) -> Outcome:
    """edits the XCom of a run, so that it judges as of tomorrow"""
    tomorrow = world.runs[-1].window.as_of + timedelta(days=1)
    return _refused(world, as_of=tomorrow)


def _refused(world: World, **edited: Any) -> Outcome:
    """The job fails, and states nothing."""
    window = replace(world.runs[-1].window, **edited)
    try:
        run_job(world, Job.RECONCILE, {"window": window.parameters()})
    except JobFailed as error:
        if "BadWindow" not in str(error):
            raise
        return NOTHING
    raise AssertionError("a window is judged that Airflow does not ask for")


# What readers are shown


@made(OPERATOR)
def its_hours_are_shown_elsewhere(world: World) -> Outcome:
    """edits the XComs of a run and clears publish_hours, so that its hours lead to nothing"""
    ran = world.runs[-1]
    before = _shown(world)
    try:
        show(world, replace(ran, id="jr_nothing"))
    except BadRun:
        assert _shown(world) == before
        return NOTHING
    raise AssertionError("readers are shown what no run states")


@made(OPERATOR)
def an_older_run_is_cleared(world: World) -> Outcome:
    """clears publish_hours of an older run, which found less"""
    older = next(ran for ran in world.runs if ran.job is Job.RECONCILE)
    before = _shown(world)
    show(world, older)
    assert _shown(world) == before
    return NOTHING


@made(OPERATOR)
def a_day_is_rolled_back_to_what_nobody_built(world: World) -> Outcome:
    """rolls a day back to a run that no job has signed, whose files somebody has planted"""
    publishing = importlib.import_module("custody.tasks.datasets.publishing")
    settings = {"json": {"custody": world.platform.settings}}
    day, said = "2026-11-03", "readers are shown what no run has signed"

    def rendered(value: Any) -> Any:
        if isinstance(value, Mapping):
            return {name: rendered(each) for name, each in value.items()}
        if not isinstance(value, str):
            return value
        return jinja2.Template(value).render(
            var=settings, params={}, dag_run=None, dataset_day=lambda *_: day
        )

    (contract,) = read_contracts(
        {path.name: path.read_text(encoding="utf-8") for path in CONTRACTS.glob(f"{DATASET}.*")}
    )
    operator = SimpleNamespace(run_id="manual__1", run_type="manual", clear_number=0)
    operator.triggering_user_name = OPERATOR
    with _as_airflow(world):
        before = latest(client("s3"), world.analytics, DATASET, day)
        try:
            publishing.publish_day.function(
                {"bucket": world.analytics, "database": world.platform.settings["database"]},
                DATASET,
                contract.version,
                day,
                "jr_forged",
                rendered(publishing.builders()),
                [rendered(table) for table in publishing.shown_of(contract)],
                params={"rollback_to": "jr_forged", "reason": "so that nobody sees it"},
                dag_run=operator,
                ti=SimpleNamespace(try_number=1),
            )
        except AirflowFailException as refused:
            said = str(refused)
        after = latest(client("s3"), world.analytics, DATASET, day)
    assert "run jr_forged of 2026-11-03 has no statement" in said
    assert after == before
    return NOTHING


def _shown(world: World) -> dict[tuple[str, ...], str]:
    """Where the table of the verdicts leads for each hour."""
    found = world.client("glue").get_partitions(
        DatabaseName=world.platform.settings["database"], TableName=Job.RECONCILE.value
    )["Partitions"]
    return {tuple(one["Values"]): str(one["StorageDescriptor"]["Location"]) for one in found}


ON_PAGES = [a_connection_leads_elsewhere, telling_is_marked_as_done]
ONCE_TOLD = [an_older_run_is_taken_for_this_one, what_was_told_is_encrypted_anew]
ON_RUNS = [
    the_dag_is_paused,
    an_older_run_is_cleared,
    its_hours_are_shown_elsewhere,
    a_day_is_rolled_back_to_what_nobody_built,
    a_past_window_is_judged_with_a_week_of_grace,
    it_is_judged_as_of_tomorrow,
]
