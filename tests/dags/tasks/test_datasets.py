"""Waiting for the files of a day, and telling what became of them."""

import copy
from dataclasses import asdict
from datetime import UTC, datetime
from types import SimpleNamespace

import boto3
from tests.support import publications
from tests.support.moto_aws import REGION, answer, make_bucket, signing_kms

from custody.core.datasets.quality.results import QualityResult, results_key, to_bytes
from custody.core.publications.late import MAX_AT_ONCE, LateDay
from custody.core.records.names import record_id, record_key
from custody.objects import ObjectVersion
from custody.tasks.datasets import late


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


def test_days_that_files_came_late_for_are_built_again_a_few_at_once(
    aws, bag, function, monkeypatch
):
    def found(_s3, _trust, _builders, contract, **_):
        dataset = contract.dataset
        version = ObjectVersion("raw", f"incoming/{dataset}/dt=2026-11-01/a", "v1")
        for day in range(1, 9):
            yield LateDay(dataset, f"2026-11-0{day}", frozenset({version}))

    monkeypatch.setattr(late, "late_days", found)
    monkeypatch.setattr(late, "client", {"s3": None, "kms": signing_kms()}.__getitem__)
    buckets = {"raw_bucket": "raw", "analytics_bucket": "analytics"}
    started: set[tuple[str, str]] = set()

    def dag_runs(dag_id, run_ids):
        return sum((dag_id, run_id) in started for run_id in run_ids)

    def look():
        by, ti = asdict(publications.BUILDERS), SimpleNamespace(get_dr_count=dag_runs)
        return function("provenance_ledger", "late_files")(buckets, by, ti=ti)

    runs = look()
    assert len(runs) == MAX_AT_ONCE
    assert runs[0]["trigger_dag_id"] in bag.dags
    assert runs[0]["trigger_run_id"].startswith("late__2026-11-01__")
    assert runs[0]["conf"] == {"dt": "2026-11-01", "reason": "files came after the day was built"}
    # What their runs could not build keeps no other day waiting.
    started |= {(run["trigger_dag_id"], run["trigger_run_id"]) for run in runs}
    others = look()
    assert len(others) == MAX_AT_ONCE
    assert not any(run in runs for run in others)
    for run in runs:
        params = bag.dags[run["trigger_dag_id"]].params
        for name, value in run["conf"].items():
            copy.deepcopy(params.get_param(name)).resolve(value)


def test_a_run_for_late_files_is_started_once(bag):
    rebuild = bag.dags["provenance_ledger"].get_task("rebuild_day")
    assert rebuild.partial_kwargs["skip_when_already_exists"] is True
    assert rebuild.partial_kwargs["logical_date"] is None
