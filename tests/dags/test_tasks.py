"""What the DAGs' own tasks do, given AWS in memory."""

import copy
import json
from collections.abc import Iterator
from dataclasses import asdict, replace
from datetime import UTC, datetime, timedelta
from inspect import unwrap
from types import SimpleNamespace

import boto3
import pytest
from airflow.sdk.exceptions import AirflowFailException
from botocore.exceptions import ClientError
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from moto import mock_aws
from tests.support import answers, publications
from tests.support.contracts import deployed_contracts
from tests.support.judging_runs import BASIS, PARTS, RUN
from tests.support.moto_aws import (
    KEY_ARN,
    PRIVATE_KEY,
    REGION,
    answer,
    make_bucket,
    signing_kms,
)
from tests.support.transparency import OTHER_SIGNER, SIGNER

from custody.aws.catalog import Pointer, point_partitions
from custody.aws.publications.keeping import latest
from custody.aws.runs.keeping import keep_run
from custody.core.datasets.quality.results import QualityResult, results_key, to_bytes
from custody.core.datasets.tables import tables
from custody.core.formats.hive_ddl import parquet_table, read_definition
from custody.core.ledger.rows import fingerprint
from custody.core.paging.findings import read_row
from custody.core.paging.found import Found, found_of
from custody.core.publications.late import MAX_AT_ONCE, LateDay
from custody.core.publications.model import Asked, Why
from custody.core.records.names import record_id, record_key
from custody.core.runs.chain import Link, Reached
from custody.core.runs.report import RunReport, asked_for
from custody.core.runs.statement import BadRun
from custody.core.seal.layout import log_origin
from custody.core.tlog.signed_note import NoteKey, NoteSigner
from custody.objects import ObjectVersion
from custody.tasks import late, publishing
from custody.tasks.paging import PagesNotSent


@pytest.fixture
def aws() -> Iterator[None]:
    with mock_aws():
        yield


@pytest.fixture
def function(bag, monkeypatch):
    """`function(dag_id, task_id, s3=client, …)`: a task's Python function, its clients given."""

    def of(dag_id, task_id, **clients):
        task = bag.dags[dag_id].get_task(task_id)
        mapped = getattr(task, "partial_kwargs", {}).get("python_callable")
        found = mapped or task.python_callable
        if clients:
            monkeypatch.setitem(unwrap(found).__globals__, "client", clients.__getitem__)
        return found

    return of


@pytest.fixture(autouse=True)
def info(caplog):
    """What a task says in its log, as Airflow is set to keep it."""
    caplog.set_level("INFO")


def reconcile_params(**given):
    return {
        "window_start": None,
        "window_end": None,
        "grace_minutes": 30,
        "delivery_hours": 48,
        "lookback_hours": 3,
    } | given


def dag_run(start=None, end=None, **more):
    """A run of a DAG over an interval, as its tasks see it."""
    told = {
        "dag_id": "provenance_reconcile",
        "run_id": "scheduled__2026-11-01T06:35:00+00:00",
        "run_type": "scheduled",
        "triggering_user_name": None,
        "clear_number": 0,
    }
    return SimpleNamespace(data_interval_start=start, data_interval_end=end, **told | more)


TRY = SimpleNamespace(try_number=1)


@pytest.fixture
def propose(runs, function):
    """`propose(params, run)`: what the task proposes, given the runs that there were."""
    task = function("provenance_reconcile", "window", s3=runs.s3, kms=SealKms())
    return lambda params, run: task(runs.judge, params, run, TRY)


def test_the_window_follows_the_interval(propose, caplog):
    run = dag_run(
        datetime(2026, 11, 1, 6, 35, tzinfo=UTC), datetime(2026, 11, 1, 7, 35, tzinfo=UTC)
    )
    window = propose(reconcile_params(), run)
    assert (window["start"], window["end"]) == (
        "2026-11-01 03:00:00.000",
        "2026-11-01 07:00:00.000",
    )
    said = "4 hours, from 2026-11-01 03:00:00+00:00 to 2026-11-01 07:00:00+00:00"
    assert caplog.messages[-1] == said


def test_hours_that_were_missed_are_proposed_first(runs, propose):
    run = dag_run(
        datetime(2026, 11, 5, 6, 35, tzinfo=UTC), datetime(2026, 11, 5, 7, 35, tzinfo=UTC)
    )
    at = datetime(2026, 11, 2, tzinfo=UTC)
    runs.state(replace(RUN, as_of=at + timedelta(minutes=35)), Link(Reached(at, at, at), None))
    later = datetime.now(UTC) + timedelta(days=1)
    planted = Link(Reached(later, later, later), None)
    runs.state(replace(RUN, id="jr_7", as_of=later), planted)
    runs.state(replace(RUN, id="jr_8", as_of=at + timedelta(days=1)), planted, OTHER_SIGNER)
    window = propose(reconcile_params(), run)
    assert (window["start"], window["end"]) == (
        "2026-11-01 21:00:00.000",
        "2026-11-05 07:00:00.000",
    )


def test_the_window_given_wins(propose):
    run = dag_run()
    params = reconcile_params(
        window_start="2026-11-01T22:00:00+00:00", window_end="2026-11-02T01:00:00Z"
    )
    window = propose(params, run)
    assert window["last_dt"] == "2026-11-02"


def test_a_run_is_told_who_asked_for_it_and_how(propose, function):
    """It signs that, as a claim: Airflow's own log is its administrator's."""
    by_hand = dag_run(run_type="manual", triggering_user_name="operator", clear_number=2)
    given = reconcile_params(
        window_start="2026-11-01T06:00:00Z", window_end="2026-11-01T07:00:00Z", grace_minutes=1440
    )
    asked = propose(given, by_hand)["asked"]
    assert asked == {
        "run": by_hand.run_id,
        "type": "manual",
        "by": "operator",
        "params": given,
        "cleared": 2,
        "try": 1,
    }
    params = {"grace_minutes": 180, "sample_days": 28, "days": 2}
    order = function("custody_audit", "window")(params, by_hand, TRY)
    assert (order["asked"]["by"], order["asked"]["params"]) == ("operator", params)
    assert json.loads(asked_for(order)) == order["asked"]


@pytest.mark.parametrize(
    ("start", "end", "why"),
    [
        (None, None, "no data interval"),
        ("2026-11-01T06:00:00Z", None, "together"),
        (None, "2026-11-01T06:00:00Z", "together"),
        ("2026-11-01T06:00:00Z", "2026-11-01T05:00:00Z", "must be later"),
        ("2026-11-01T06:00:00Z", "2026-11-05T07:00:00Z", "more than 96"),
        ("2026-02-30T06:00:00Z", "2026-11-05T07:00:00Z", "window_start is"),
    ],
)
def test_a_window_that_cannot_be_worked_on_is_not_tried_again(propose, start, end, why):
    run = dag_run()
    params = reconcile_params(window_start=start, window_end=end)
    with pytest.raises(AirflowFailException, match=why):
        propose(params, run)


def test_an_audit_that_looks_back_too_far_is_not_tried_again(function):
    params = {"grace_minutes": 180, "sample_days": 28, "days": 365}
    with pytest.raises(AirflowFailException, match="days is 365"):
        function("custody_audit", "window")(params, dag_run(), TRY)


def test_an_audit_is_of_now_and_watches_what_it_may_resolve(function, caplog):
    params = {"grace_minutes": 180, "sample_days": 28, "days": 2}
    window = json.loads(json.dumps(function("custody_audit", "window")(params, dag_run(), TRY)))
    moment = datetime.fromisoformat(window["as_of"])
    assert window["partition"] == [f"{moment:%Y-%m-%d}", f"{moment:%H}"]
    assert (window["first_dt"], window["first_hour"][-2:]) == tuple(window["partition"])
    assert len(window["watched"]) == 30
    assert (window["sample_days"], window["days"], window["grace_minutes"]) == (28, 2, 180)
    as_of = f"as of {window['as_of']}: one version in 28 is read again, 2 days are sealed"
    assert caplog.messages == [as_of]


@pytest.fixture
def glue(aws):
    """The catalog, with the tables of verdicts."""
    glue = boto3.client("glue", region_name=REGION)
    glue.create_database(DatabaseInput={"Name": "db"})
    for name in ("audit", "reconciliation"):
        table(glue, name, "dt", "hour")
    return glue


@pytest.fixture
def publish(glue, runs, function):
    """`publish(task, run_id, as_of)`: show what a run found, by what it states."""
    dags = {"publish_audit": "custody_audit", "publish_hours": "provenance_reconcile"}

    def published(task, run_id, as_of):
        given = {"glue": glue, "s3": runs.s3, "kms": SealKms()}
        shows = function(dags[task], task, **given)
        shows("db", "analytics", runs.judge, run_id, as_of)

    return published


def test_the_audit_publishes_its_own_hour(runs, publish, glue, caplog):
    at = datetime(2026, 11, 2, 3, 20, 5, tzinfo=UTC)
    for minutes in (0, 1):
        as_of = at + timedelta(minutes=minutes)
        runs.state(replace(RUN, id=f"jr_{minutes}", as_of=as_of, end=as_of))
    place = "s3://analytics/audit/run=jr_1/dt=2026-11-02/hour=03/"
    for run in ("jr_1", "jr_0"):  # clearing the older one shows nobody what it found
        publish("publish_audit", run, "2026-11-02T03:21:05.000Z")
        assert locations(glue, "audit") == {("2026-11-02", "03"): place}
    assert f"audit: dt=2026-11-02, hour 03 is in {place}" in caplog.messages


def table(glue, name, *keys):
    glue.create_table(
        DatabaseName="db",
        TableInput={
            "Name": name,
            "PartitionKeys": [{"Name": key, "Type": "string"} for key in keys],
            "StorageDescriptor": {"Columns": [], "Location": "s3://x/"},
        },
    )


def locations(glue, name):
    partitions = glue.get_partitions(DatabaseName="db", TableName=name)["Partitions"]
    return {tuple(p["Values"]): p["StorageDescriptor"]["Location"] for p in partitions}


def test_empty_hours_are_published_too(runs, publish, glue, caplog):
    for run, minutes in (("jr_1", 1), ("jr_2", 2)):
        as_of = RUN.as_of + timedelta(minutes=minutes)
        runs.state(replace(RUN, id=run, as_of=as_of, start=RUN.end - 2 * HOUR))
        publish("publish_hours", run, "2026-11-01 08:36:00.000")
    place = "s3://analytics/reconciliation/run=jr_2/"
    expected = {
        ("2026-11-01", "06"): f"{place}dt=2026-11-01/hour=06/",
        ("2026-11-01", "07"): f"{place}dt=2026-11-01/hour=07/",
    }
    assert locations(glue, "reconciliation") == expected
    assert f"2 hours are in {place}, 0 were judged later" in caplog.text
    # Clearing the older run shows nobody what it found.
    publish("publish_hours", "jr_1", "2026-11-01 08:36:00.000")
    assert locations(glue, "reconciliation") == expected
    assert "0 hours are in s3://analytics/reconciliation/run=jr_1/, 2 were" in caplog.text


@pytest.mark.parametrize("task", ["publish_hours", "publish_audit"])
@pytest.mark.parametrize(
    ("run_id", "as_of"),
    [
        ("jr_nothing", "2026-11-01 08:35:00.000"),
        ("../dt=2026-11-01/jr_1", "2026-11-01 08:35:00.000"),
        ("None", "2026-11-01 08:35:00.000"),
        ("jr_1", "2026-11-02 08:35:00.000"),
        ("jr_other", "2026-11-01 08:35:00.000"),
    ],
)
def test_what_no_run_of_the_job_states_is_not_published(runs, publish, glue, task, run_id, as_of):
    """Who works in Airflow edits XComs: they lead to no place where nothing was found."""
    runs.state(RUN)
    runs.state(replace(RUN, id="jr_other", job="another"))
    with pytest.raises(BadRun):
        publish(task, run_id, as_of)
    assert locations(glue, task.replace("hours", "reconciliation").removeprefix("publish_")) == {}


def test_a_table_that_was_bent_is_made_right(aws, function, caplog):
    glue = boto3.client("glue", region_name=REGION)
    glue.create_database(DatabaseInput={"Name": "db"})
    statements = [
        f"-- Notes\nCREATE EXTERNAL TABLE IF NOT EXISTS {name} (a STRING)\nSTORED AS PARQUET\n"
        f"LOCATION 's3://analytics/{name}'"
        for name in ("audit", "reconciliation", "gold")
    ]
    audit, bent, _ = (read_definition(statement).to_table_input() for statement in statements)
    glue.create_table(DatabaseName="db", TableInput=audit)
    bent["StorageDescriptor"]["Location"] = "s3://analytics/nothing"
    glue.create_table(DatabaseName="db", TableInput=bent)
    files = bent | {"Name": "silver_customers_files"}
    glue.create_table(DatabaseName="db", TableInput=files)
    buckets = {"processed_bucket": "processed", "analytics_bucket": "analytics"}
    function("provenance_ledger", "make_tables", glue=glue)("db", statements, buckets)
    found = glue.get_tables(DatabaseName="db")["TableList"]
    others = [
        table
        for each in deployed_contracts()
        if each.dataset != "customers"
        for table in tables(each)
    ]
    assert {table["Name"]: table["StorageDescriptor"]["Location"] for table in found} == {
        **{table.name: f"s3://{buckets[table.bucket]}/{table.folder}" for table in others},
        "audit": "s3://analytics/audit",
        "reconciliation": "s3://analytics/reconciliation",
        "gold": "s3://analytics/gold",
        "silver_customers": "s3://processed/silver/customers",
        "silver_customers_files": "s3://processed/files/customers",
        "silver_customers_quarantine": "s3://processed/quarantine/customers",
        "gold_customers_by_country_month": "s3://analytics/gold/customers_by_country_month",
    }
    assert caplog.messages[-7 - len(others) :] == [
        "reconciliation was made right: location differed",
        "gold is defined now",
        "silver_customers_files was made right: columns, partition_keys, location differed",
        "silver_customers_quarantine is defined now",
        "silver_customers is defined now",
        "gold_customers_by_country_month is defined now",
        *(f"{table.name} is defined now" for table in others),
        f"{7 + len(others)} tables are as deployed",
    ]


@pytest.fixture
def day(aws, function):
    """A day of customers that two runs have built, and `publish(run, **params)`."""
    s3, glue = boto3.client("s3", region_name=REGION), boto3.client("glue", region_name=REGION)
    glue.create_database(DatabaseInput={"Name": "db"})
    for name in (publications.PROCESSED, publications.ANALYTICS, publications.PROVENANCE):
        make_bucket(s3, name)
    for run in ("1", "2"):
        publications.build(s3, publications.silver_lineage(f"jr_{run}"))
        publications.build(s3, publications.gold_lineage(f"g_{run}", f"jr_{run}"))
    clients = {"s3": s3, "glue": glue, "kms": signing_kms()}
    shown = [
        {
            "definition": asdict(definition(each)),
            "day": asdict(each),
        }
        for each in publications.TABLES
    ]

    def publish(run, *, by="operator", **params):
        function("medallion_customers", "publish", **clients)(
            {"bucket": publications.ANALYTICS, "database": "db"},
            "customers",
            publications.DAY,
            run,
            asdict(publications.BUILDERS),
            shown,
            params={"rollback_to": None, "reason": None} | params,
            dag_run=dag_run(run_id=f"run of {by}", triggering_user_name=by),
            ti=TRY,
        )

    return SimpleNamespace(s3=s3, glue=glue, publish=publish, clients=clients)


def definition(table):
    """The definition of a table whose day lies there."""
    return parquet_table(table.table, (), (("dt", "string"),), table.location.partition("/dt=")[0])


def visible(day):
    """The run that each table shows."""
    tables = [each.table for each in publications.TABLES]
    return {
        found.rpartition("run=")[2].strip("/")
        for name in tables
        for found in locations(day.glue, name).values()
    }


def test_a_day_is_published_at_once_and_rolled_back_by_whoever_asks(day, caplog):
    for run in ("1", "2"):
        day.publish(f"jr_{run}", by=f"schedule {run}")
        assert visible(day) == {f"jr_{run}", f"g_{run}"}
    assert "gold_by_country was made right: table" in caplog.messages
    day.publish("jr_1", rollback_to="jr_1", reason="half of the rows were lost")
    assert visible(day) == {"jr_1", "g_1"}
    published = latest(day.s3, publications.ANALYTICS, "customers", publications.DAY)
    assert (published.number, published.why) == (3, Why.ROLLBACK)
    assert published.asked == Asked("run of operator", 0, "operator", "half of the rows were lost")
    where = f"s3://{publications.ANALYTICS}/{published.key} counts"
    assert caplog.messages[-4:] == [
        where,
        *(
            f"{each.table}: dt=2026-11-01 is in {each.of('g_1' if each.gold else 'jr_1')}"
            for each in publications.TABLES
        ),
    ]


def test_what_was_not_built_is_not_published_and_not_tried_again(day):
    day.publish("jr_1")
    for run, why in (("jr_9", "has no statement"), ("g_1", "not trusted"), ("a/b", "no job run")):
        with pytest.raises(AirflowFailException, match=f"customers, 2026-11-01: .*{why}"):
            day.publish(run, rollback_to=run)
    assert visible(day) == {"jr_1", "g_1"}
    published = latest(day.s3, publications.ANALYTICS, "customers", publications.DAY)
    assert published.number == 1


def test_a_move_that_was_killed_is_finished_by_the_next_try_or_within_the_hour(
    day, function, monkeypatch, caplog
):
    day.publish("jr_1")
    # Killed between the publication and the last table.
    day.glue.meta.events.register("before-call.glue.BatchUpdatePartition", third := Nth(2))
    with pytest.raises(Nth.Killed):
        day.publish("jr_2", by="schedule")
    day.glue.meta.events.unregister("before-call.glue.BatchUpdatePartition", third)
    assert visible(day) == {"jr_1", "jr_2", "g_1"}
    day.publish("jr_2", by="schedule")
    assert visible(day) == {"jr_2", "g_2"}

    # Nobody tries again.
    point_partitions(
        day.glue,
        "db",
        "gold_by_country",
        [Pointer((publications.DAY,), publications.TABLES[2].of("g_1"))],
    )
    assert visible(day) == {"jr_2", "g_1"}
    tables = [
        SimpleNamespace(definition=lambda _, each=each: definition(each))
        for each in publications.TABLES
    ]
    monkeypatch.setattr(publishing, "tables", lambda _: tables)
    monkeypatch.setattr(publishing, "client", day.clients.__getitem__)
    buckets = {"analytics_bucket": publications.ANALYTICS}
    function("provenance_ledger", "follow_publications")("db", buckets)
    assert visible(day) == {"jr_2", "g_2"}
    place = publications.TABLES[2].of("g_2")
    said = f"gold_by_country: dt=2026-11-01 is in {place} again: it was elsewhere"
    assert caplog.messages[-1] == said


class Nth:
    """Kills the n-th call."""

    class Killed(BaseException):
        """As by SIGKILL: nothing is cleaned up."""

    def __init__(self, left):
        self.left = left

    def __call__(self, **_):
        self.left -= 1
        if self.left == 0:
            raise self.Killed


def row(verdict, key):
    return {
        "verdict": verdict,
        "bucket": "raw",
        "object_key": key,
        "version_id": "v1",
        "principal_arn": None,
        "event_time": "2026-11-01T06:00:01Z",
        "verdict_reason": "because",
        "fingerprint": fingerprint(verdict, ObjectVersion("raw", key, "v1")),
    }


CONFLICT, UNRECORDED = row("CONFLICT", "{{ a }}.csv"), row("UNRECORDED", "b.csv")
VERIFIED = row("VERIFIED", "b.csv")
HOUR = timedelta(hours=1)
TOPIC = "arn:aws:sns:us-east-1:111122223333:deployed"


class SealKms:
    """The public half of the key that seals."""

    def get_public_key(self, KeyId):  # noqa: N803
        assert KeyId == "arn:seal"
        public = Ed25519PublicKey.from_public_bytes(SIGNER.key.public_key)
        return {"PublicKey": public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)}


class Kms(SealKms):
    """That, and the public half of the key that signs answers."""

    def get_public_key(self, KeyId):  # noqa: N803
        if KeyId != KEY_ARN:
            return super().get_public_key(KeyId)
        public = PRIVATE_KEY.public_key()
        return {"PublicKey": public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)}


class Runs:
    """Runs of the job that judges, each later than the one before."""

    def __init__(self, s3):
        self.s3 = s3
        self.bucket = make_bucket(s3, "custody-test-provenance")
        self.judge = {"job": RUN.job, "bucket": self.bucket, "key": "arn:seal", "former": ""}
        self.count = 0

    def state(self, run, link=None, by=SIGNER, parts=PARTS):
        """A run states something."""
        signer = NoteSigner(NoteKey(log_origin(self.bucket), by.key.public_key), by.sign)
        keep_run(
            self.s3, self.bucket, run, BASIS, parts, signer=signer, key_arn="arn:seal", link=link
        )

    def found(
        self,
        rows,
        watched=(),
        verdicts=None,
        topic=TOPIC,
        as_of=RUN.as_of,
        end=RUN.end,
        settings=None,
    ):
        """The id of a run that found these rows, and wrote so many verdicts."""
        self.count += 1
        later = timedelta(seconds=self.count)
        run = replace(RUN, id=f"jr_{self.count}", as_of=as_of + later, end=end)
        found = found_of(((read_row(row), 2) for row in rows), watched)
        judged_by = {**(settings or {}), "topic_arn": topic}
        report = RunReport(judged_by, verdicts or {}, found.to_document())
        self.state(run, parts={**PARTS, "report": report.to_bytes()})
        return run.id


@pytest.fixture
def runs(aws):
    return Runs(boto3.client("s3", region_name=REGION))


@pytest.fixture
def analytics(runs):
    return make_bucket(runs.s3, "custody-test-analytics")


class Sns:
    """Takes pages for a topic, but for those about what it is told to refuse."""

    def __init__(self):
        self.sent = []
        self.refused = ()

    def publish(self, **page):
        if any(word in page["Subject"] for word in self.refused):
            raise ClientError({"Error": {"Code": "Throttling"}}, "Publish")
        self.sent.append(page)
        return {"MessageId": f"m-{len(self.sent)}"}

    def told(self):
        """The subjects of what was sent since this was asked last, without what they are about."""
        sent, self.sent = self.sent, []
        return [page["Subject"].split(" (")[0] for page in sent]


@pytest.fixture
def sns():
    return Sns()


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
        find(bucket, "recorder-dlq", grace_minutes, "arn:topic")
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


def test_the_gate_opens_when_every_file_has_its_record(aws, function, caplog):
    s3 = boto3.client("s3", region_name=REGION)
    raw = make_bucket(s3, "custody-test-raw")
    provenance = make_bucket(s3, "custody-test-provenance")
    call = function("medallion_customers", "custody_gate", s3=s3)
    ti = SimpleNamespace(get_first_reschedule_date=lambda _context: None)

    def gate(*arguments: str) -> object:
        return call(*arguments, ti=ti)

    key = "incoming/customers/dt=2026-11-01/a b.csv"
    version = s3.put_object(Bucket=raw, Key=key, Body=b"x")["VersionId"]

    day = "incoming/customers/dt=2026-11-01/"
    assert gate(raw, provenance, day, "10") is False
    assert caplog.messages[-1] == f"1 files under s3://{raw}/{day} wait for their record"
    assert gate(raw, provenance, "incoming/customers/dt=2026-11-02/", "10") is True
    # Its time is up: the job quarantines it, the other files need not wait.
    assert gate(raw, provenance, day, "0") is True
    place = record_key(datetime.now(UTC), record_id(ObjectVersion(raw, key, version)))
    s3.put_object(Bucket=provenance, Key=place, Body=b"{}")
    assert gate(raw, provenance, day, "10") is True
    assert caplog.messages[-1] == f"0 files under s3://{raw}/{day} wait for their record"


def athena_with(found):
    names = list(found[0])
    data = [
        {"Data": [{} if value is None else {"VarCharValue": value} for value in line]}
        for line in [names, *([row[name] for name in names] for row in found)]
    ]
    client = boto3.client("athena", region_name=REGION)
    client.meta.events.register(
        "before-call.athena.GetQueryResults",
        lambda **_: answer({"ResultSet": {"Rows": data}}),
    )
    return client


def test_a_report_of_files_counts_them(aws, function, caplog):
    account = {"landed_rows": "3", "silver_rows": "2", "duplicate_rows": "0"}
    file = account | {"source_version_id": "v", "quarantined_rows": "1", "file_reason": None}
    files = [file | {"source_key": "a"}, file | {"source_key": "b", "file_reason": "not CSV"}]
    athena = athena_with(files)
    caplog.clear()
    function("medallion_customers", "report_files", athena=athena)("q")
    assert caplog.messages == [
        "a (version v): 3 rows landed = 2 silver + 0 duplicates + 1 quarantined",
        "quarantined the whole file b (version v): not CSV",
        "2 files landed, 1 of them are in quarantine as a whole",
    ]


def test_a_report_of_quality_tells_what_the_last_run_of_each_table_found(
    analytics, function, caplog
):
    s3 = boto3.client("s3", region_name=REGION)
    tables = ["silver_orders", "gold_orders"]

    def judged(run, hour, outcome, table="silver_orders"):
        result = QualityResult(
            dataset="orders",
            table_name=table,
            rule="enough",
            dimension=None,
            severity="error",
            outcome=outcome,
            found="1",
            unit="rows",
            expected="more than 0 rows",
            compared_with=None,
            row_count=1,
            run=run,
            contract_version="1.0.0",
            judged_at=f"2026-11-02T{hour:02}:00:00.000Z",
        )
        key = results_key("2026-11-01", run, table)
        s3.put_object(Bucket=analytics, Key=key, Body=to_bytes([result]))

    def told():
        caplog.clear()
        report = function("medallion_customers", "report_quality", s3=s3)
        report(analytics, "2026-11-01", tables)
        return [(line.levelname, line.message) for line in caplog.records]

    judged("jr_z", 6, "warned")
    judged("jr_a", 7, "failed")
    judged("jr_b", 8, "failed", table="silver_customers")
    assert told() == [
        ("INFO", "table          rule    severity  outcome  found   expected"),
        ("INFO", "silver_orders  enough  error     failed   1 rows  more than 0 rows"),
        (
            "WARNING",
            "failed in run jr_a: silver_orders, enough: expected more than 0 rows, found 1 rows",
        ),
        ("WARNING", "no run has judged gold_orders of 2026-11-01"),
    ]
    judged("jr_9", 9, "passed")
    judged("jr_g", 9, "passed", table="gold_orders")
    assert {level for level, _ in told()} == {"INFO"}


@pytest.mark.parametrize(
    ("dag_id", "task_id"),
    [
        ("medallion_customers", "bronze_to_silver"),
        ("medallion_customers", "gold_customers_by_country_month.silver_to_gold"),
        ("provenance_reconcile", "classify"),
        ("custody_audit", "audit"),
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


def test_days_that_files_came_late_for_are_built_again_a_few_at_once(
    aws, bag, function, monkeypatch
):
    def found(*_, dataset, **__):
        version = ObjectVersion("raw", f"incoming/{dataset}/dt=2026-11-01/a", "v1")
        for day in range(1, 9):
            yield LateDay(dataset, f"2026-11-0{day}", frozenset({version}))

    monkeypatch.setattr(late, "late_days", found)
    monkeypatch.setattr(late, "client", {"s3": None, "kms": signing_kms()}.__getitem__)
    buckets = {"raw_bucket": "raw", "analytics_bucket": "analytics"}
    runs = function("provenance_ledger", "late_files")(buckets, asdict(publications.BUILDERS))
    assert len(runs) == MAX_AT_ONCE
    assert runs[0]["trigger_dag_id"] in bag.dags
    assert runs[0]["trigger_run_id"].startswith("late__2026-11-01__")
    assert runs[0]["conf"] == {"dt": "2026-11-01", "reason": "files came after the day was built"}
    for run in runs:
        params = bag.dags[run["trigger_dag_id"]].params
        for name, value in run["conf"].items():
            copy.deepcopy(params.get_param(name)).resolve(value)


def test_a_run_for_late_files_is_started_once(bag):
    rebuild = bag.dags["provenance_ledger"].get_task("rebuild_day")
    assert rebuild.partial_kwargs["skip_when_already_exists"] is True
    assert rebuild.partial_kwargs["logical_date"] is None
