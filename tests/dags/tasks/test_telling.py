"""Who is told what, and how often."""

from datetime import UTC, datetime, timedelta

import boto3
import pytest
from airflow.sdk.exceptions import AirflowFailException
from cryptography.hazmat.primitives.asymmetric import ec
from tests.support import answers
from tests.support.judging_dags import (
    CONFLICT,
    HOUR,
    TOPIC,
    UNRECORDED,
    VERIFIED,
    Kms,
    SealKms,
    dag_run,
)
from tests.support.judging_runs import RUN
from tests.support.moto_aws import KEY_ARN, PRIVATE_KEY, REGION, make_bucket

from custody.core.paging.found import Found
from custody.core.runs.report import RunReport
from custody.core.runs.statement import BadRun
from custody.tasks.telling.paging import PagesNotSent


@pytest.fixture
def told(runs, analytics, function, sns):
    """`told(*rows, watched=…)`: what people are told of a run that found these rows."""
    clients = {"s3": runs.s3, "kms": SealKms(), "sns": sns}
    pages = function("provenance_reconcile", "pages", **clients)

    def of(*rows, watched=()):
        runs.found(rows, watched)
        pages(analytics, runs.judge, "reconciliation", "provenance_ledger")
        return sns.told()

    return of


def test_pages_are_remembered_once_they_are_out_and_resolved_when_they_are_moot(told, sns, caplog):
    def said(new, reopened, known, resolved, messages, unread):
        return (
            f"{new + reopened + known} findings that page ({unread} more unread): {new} new,"
            f" {reopened} reopened, 0 named, {known} known before; {resolved} resolved;"
            f" {messages} messages to send"
        )

    sns.refused = ("UNRECORDED",)
    with pytest.raises(PagesNotSent, match="1 pages were not sent; the first: UNRECORDED"):
        told(UNRECORDED, CONFLICT, CONFLICT)
    assert said(new=2, reopened=0, known=0, resolved=0, messages=2, unread=1) in caplog.messages
    assert caplog.messages[-1] == "remembered what people were told of 1 findings, by m-1"
    assert sns.told() == ["CONFLICT"]  # it held up no other

    sns.refused = ()
    caplog.clear()
    assert told(CONFLICT, UNRECORDED) == ["UNRECORDED"]
    assert said(new=1, reopened=0, known=1, resolved=0, messages=1, unread=2) in caplog.messages
    assert told(CONFLICT, UNRECORDED) == []
    watched = (CONFLICT["fingerprint"], UNRECORDED["fingerprint"])
    assert told(CONFLICT, VERIFIED) == [], "the run did not look at that page"

    caplog.clear()
    assert told(CONFLICT, VERIFIED, watched=watched) == ["RESOLVED UNRECORDED"]
    assert said(new=0, reopened=0, known=1, resolved=1, messages=1, unread=1) in caplog.messages
    assert told(CONFLICT, VERIFIED, watched=watched) == []
    caplog.clear()
    assert told(CONFLICT, UNRECORDED) == ["REOPENED UNRECORDED"]
    assert said(new=0, reopened=1, known=1, resolved=0, messages=1, unread=2) in caplog.messages


def test_a_page_goes_to_the_topic_that_was_deployed(runs, analytics, function, sns):
    """By the settings that the run judged by: what Airflow's parameter says is no matter."""
    pages = function("provenance_reconcile", "pages", s3=runs.s3, kms=SealKms(), sns=sns)
    runs.found([CONFLICT])
    pages(analytics, runs.judge, "reconciliation", "provenance_ledger")
    (page,) = sns.sent
    assert page["TopicArn"] == TOPIC
    assert page["MessageAttributes"]["verdict"] == {
        "DataType": "String",
        "StringValue": "CONFLICT",
    }
    assert CONFLICT["object_key"] in page["Message"]


def test_what_no_run_signed_pages_nobody_and_passes_for_nothing(runs, analytics, function, sns):
    """A forged report fails the task: nobody is told that all is well."""
    run_id = runs.found([CONFLICT])
    key = f"provenance/runs/dt=2026-11-01/{run_id}.report.json"
    (version,) = runs.s3.list_object_versions(Bucket=runs.bucket, Prefix=key)["Versions"]
    forged = RunReport({"topic_arn": TOPIC}, {}, Found().to_document()).to_bytes()
    runs.s3.put_object(Bucket=runs.bucket, Key=key, Body=forged)
    pages = function("provenance_reconcile", "pages", s3=runs.s3, kms=SealKms(), sns=sns)
    pages(analytics, runs.judge, "reconciliation", "provenance_ledger")
    assert sns.told() == ["CONFLICT"]
    runs.s3.delete_object(Bucket=runs.bucket, Key=key, VersionId=version["VersionId"])
    for judge in (runs.judge, {**runs.judge, "job": "audit"}):
        with pytest.raises(BadRun):
            pages(analytics, judge, "reconciliation", "provenance_ledger")
    assert sns.told() == []


def test_whatever_run_airflow_names_the_last_is_told(runs, analytics, function, sns):
    """An older run found nothing; who has it read hides nothing, by an XCom or by clearing."""
    runs.found([])
    runs.found([CONFLICT])
    pages = function("provenance_reconcile", "pages", s3=runs.s3, kms=SealKms(), sns=sns)
    pages(analytics, runs.judge, "reconciliation", "provenance_ledger")
    assert sns.told() == ["CONFLICT"]


def test_people_are_reminded_of_what_nobody_has_taken_on_and_told_who_did(
    runs, analytics, function, sns
):
    """By what was signed alone: the key of answers is the one that the run judged by."""
    settings = {
        **{name: f"the-{name}" for name in ("region", "account_id", "trail_name", "trail_bucket")},
        "provenance_bucket": runs.bucket,
        "analytics_bucket": analytics,
        "reconcile_job": RUN.job,
        "audit_job": "audit",
        "answer_key_arn": KEY_ARN,
    }
    now = datetime.now(UTC).replace(microsecond=0)
    at = {"as_of": now - timedelta(hours=13), "end": now - timedelta(hours=14)}
    runs.found([CONFLICT, UNRECORDED], settings=settings, **at)
    remind = function("custody_audit", "remind", s3=runs.s3, kms=Kms(), sns=sns)
    remind(runs.judge)
    (page,) = sns.sent
    assert page["Subject"].startswith("STANDING (critical) 2 findings stand")
    assert page["TopicArn"] == TOPIC

    def answered(key, row):
        answer = answers.taken(at=now, finding=row["fingerprint"])
        body = answers.signed(answer, key)
        runs.s3.put_object(Bucket=runs.bucket, Key=answer.key, Body=body)

    answered(PRIVATE_KEY, CONFLICT)
    answered(ec.generate_private_key(ec.SECP256R1()), UNRECORDED)  # forged
    remind(runs.judge)
    page = sns.sent[-1]
    assert page["Subject"] == (
        "STANDING (high) 1 finding stands and nobody has taken on, 1 answered"
    )
    assert answers.ALICE in page["Message"]
    sns.refused = ("STANDING",)
    with pytest.raises(PagesNotSent):
        remind(runs.judge)


def test_dead_letters_page_once_and_resolve(aws, function, sns, caplog):
    s3 = boto3.client("s3", region_name=REGION)
    sqs = boto3.client("sqs", region_name=REGION)
    bucket = make_bucket(s3, "custody-test-analytics")
    url = sqs.create_queue(QueueName="recorder-dlq")["QueueUrl"]
    find = function("provenance_reconcile", "dead_letters", s3=s3, sqs=sqs, sns=sns)

    def status(grace_minutes="0"):
        find(bucket, "recorder-dlq", grace_minutes, "arn:topic", {})
        sent, sns.sent = sns.sent, []
        return [page["MessageAttributes"]["status"]["StringValue"] for page in sent]

    assert status() == []
    sqs.send_message(QueueUrl=url, MessageBody="not JSON")
    assert status("60") == []
    said = "1 messages in recorder-dlq; people do not know of it; 0 messages to send"
    assert caplog.messages[-1] == said
    sns.refused = ("dlq",)
    with pytest.raises(PagesNotSent):
        status()
    sns.refused = ()
    assert status() == ["open"]
    assert caplog.messages[-1] == "remembered that the page about recorder-dlq is open, by m-1"
    assert status() == []
    sqs.purge_queue(QueueUrl=url)
    assert status() == ["resolved"]
    assert status() == []


@pytest.mark.parametrize("dag_id", ["provenance_reconcile", "custody_audit"])
def test_a_run_that_fails_pages_once_and_the_next_that_succeeds_resolves_it(
    aws, function, sns, caplog, dag_id
):
    s3 = boto3.client("s3", region_name=REGION)
    bucket = make_bucket(s3, "custody-test-analytics")
    ended = function(dag_id, "run_ended", s3=s3, sns=sns)
    run = dag_run(dag_id=dag_id)

    def status(succeeded):
        ended(bucket, "docs/runbooks/x.md", "arn:topic", succeeded, run)
        sent, sns.sent = sns.sent, []
        assert {page["TopicArn"] for page in sent} <= {"arn:topic"}
        return [page["MessageAttributes"]["status"]["StringValue"] for page in sent]

    assert status(True) == []
    sns.refused = (dag_id,)
    with pytest.raises(PagesNotSent):
        status(None)  # what did not run has returned nothing
    sns.refused = ()
    assert status(None) == ["open"]
    assert caplog.messages[-1] == f"remembered that the page about {dag_id} is open, by m-1"
    assert status(None) == []
    assert status(True) == ["resolved"]
    assert status(True) == []


@pytest.mark.parametrize(
    ("dag_id", "task_id"),
    [
        ("medallion_customers", "bronze_to_silver"),
        ("medallion_customers", "gold_customers_by_country_month.silver_to_gold"),
        ("provenance_reconcile", "classify"),
        ("custody_audit", "audit"),
        ("custody_audit", "expire"),
    ],
)
def test_a_job_run_says_where_it_logged_what_it_counted(render, caplog, dag_id, task_id):
    xcoms = {"window": {}, "bronze_to_silver": "jr_1", "audit": "jr_1", "classify": "jr_1"}
    task = render(dag_id, task_id, xcoms=xcoms)
    task._post_execute_hook({"task": task}, "jr_9")
    assert caplog.messages[-1] == (
        "run jr_9 has succeeded; what it read, decided and wrote is in the log groups"
        f" /aws-glue/{task.job_name}/…, by its id"
    )


def test_a_success_is_counted_with_what_says_that_the_trail_is_broken(runs, analytics, function):
    cloudwatch = boto3.client("cloudwatch", region_name=REGION)
    now, verdicts = datetime.now(UTC), {"TRAIL_BROKEN": 7, "VERIFIED": 3}
    hour = now.replace(minute=0, second=0, microsecond=0)
    for dag_id, metric in (
        ("provenance_reconcile", "ReconciliationSucceeded"),
        ("custody_audit", "AuditSucceeded"),
    ):
        clients = {"s3": runs.s3, "kms": SealKms(), "cloudwatch": cloudwatch}
        report = function(dag_id, "report_success", **clients)

        def count(run_id, report=report, told=(f"custody-{dag_id}", metric)):
            report(*told, analytics, runs.judge, run_id)

        ago = 6 * HOUR
        # Who judges hours of long ago alone does not watch; nor does who judged long ago.
        count(runs.found([], verdicts=verdicts, as_of=now - ago, end=hour - ago))
        count(runs.found([], verdicts=verdicts, as_of=now - HOUR, end=hour - ago))
        count(runs.found([], verdicts=verdicts, as_of=now - HOUR, end=hour))
        count("jr_0")  # nor who names a run that is not the last
        found = cloudwatch.get_metric_data(
            StartTime=datetime.now(UTC) - timedelta(hours=1),
            EndTime=datetime.now(UTC) + timedelta(hours=1),
            MetricDataQueries=[
                {
                    "Id": name.lower(),
                    "MetricStat": {
                        "Metric": {
                            "Namespace": "Custody",
                            "MetricName": name,
                            "Dimensions": [{"Name": "Deployment", "Value": f"custody-{dag_id}"}],
                        },
                        "Period": 3600,
                        "Stat": "Sum",
                    },
                }
                for name in (metric, "TrailBroken")
            ],
        )["MetricDataResults"]
        assert [sum(each["Values"]) for each in found] == [1, 28]
        now += timedelta(minutes=1)


def test_who_marks_the_task_that_tells_as_done_has_told_nobody(runs, analytics, function, sns):
    """The run fails then, and pages; and the next run tells what was found."""
    clients = {"s3": runs.s3, "kms": SealKms(), "sns": sns, "cloudwatch": None}
    report = function("provenance_reconcile", "report_success", **clients)
    run_id = runs.found([CONFLICT])
    with pytest.raises(AirflowFailException, match="nobody was told of 1 findings"):
        report("custody-x", "ReconciliationSucceeded", analytics, runs.judge, run_id)
