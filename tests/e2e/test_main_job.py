"""The main job through the real scheduler, Spark, SQL and signatures, in one long story.

The tests are chapters: each goes on from where the one before it left the platform.
"""

import json
from dataclasses import asdict
from datetime import UTC, date, datetime
from ipaddress import ip_address

import added
import pytest
from accounting import file_accounts
from auditor import AUDITOR, custody
from botocore.exceptions import ClientError
from browsing import STEPS, overview_of, walk
from hostile import broken_files
from listening import listening, spark_listens
from story import (
    DAYS,
    HOSTILE_DAY,
    MEDALLION,
    RECONCILE,
    bronze_prefix,
    check_accounts,
    land_all,
    reconcile,
    task_log,
)
from tests.support.grants import unexplained
from tests.support.openlineage_events import check_event
from tests.support.walks import Walker, row_of_page

from custody.aws.kms.seal_key import fetch_seal_key
from custody.aws.runs.keeping import read_run
from custody.aws.runs.last import last_run
from custody.aws.s3.listing import list_keys
from custody.aws.seal.log import seal_lister
from custody.core.lineage.model import LINEAGE_PREFIX
from custody.core.paging.findings import SEVERITIES
from custody.core.runs.report import RunReport
from custody.core.seal.layout import log_origin
from custody.core.seal.lookup import leaf_ranges
from custody.settings import Settings
from rehearsal.airflow import OPERATOR, Airflow, AirflowRefused
from rehearsal.landing import Landed, land
from rehearsal.observing import OnCall, Page, query, wait_settled
from rehearsal.platform import Platform
from rehearsal.runs import clear_of_schedule, follow, run_dag, start_backfill
from rehearsal.tampering import INSIDER, Tampering, arn, tamper
from rehearsal.waiting import wait_until

GOLD = "gold_customers_by_country_month"
TYPED = "nobody is to read this"


@pytest.fixture(scope="module")
def operator(platform: Platform) -> Airflow:
    """Airflow, as somebody uses it who runs things there."""
    return Airflow(platform.machine, OPERATOR)


@pytest.fixture(scope="module")
def landed(platform: Platform, on_call: OnCall) -> list[Landed]:
    return [*land_all(platform), *added.land_it(platform)]


@pytest.fixture(scope="module")
def listeners() -> set[tuple[str, str]]:
    """Program and address of every port that was seen open while Spark jobs ran."""
    return set()


@pytest.fixture(scope="module")
def first_backfill(
    platform: Platform, landed: list[Landed], listeners: set[tuple[str, str]]
) -> list[str]:
    """The three days, and that of the added dataset; `listeners` learns who listens meanwhile."""

    def spark_runs() -> bool:
        now = listening(platform)
        listeners.update(now)
        return spark_listens(now)

    run_ids = start_backfill(platform, MEDALLION, DAYS[0], DAYS[-1])
    beside = start_backfill(platform, added.MEDALLION, added.DAY, added.DAY)
    wait_until("a Spark job runs", spark_runs)
    follow(platform, MEDALLION, run_ids, say=print)
    follow(platform, added.MEDALLION, beside, say=print)
    return run_ids


def test_everything_listens_on_loopback_only(
    first_backfill: list[str], listeners: set[tuple[str, str]]
) -> None:
    assert {program for program, _ in listeners} >= {"java", "python"}
    elsewhere = {
        (program, address)
        for program, address in listeners
        if not ip_address(address.removeprefix("::ffff:")).is_loopback
    }
    assert elsewhere == set()


@pytest.mark.parametrize("day", DAYS, ids=str)
def test_accounting_closes_per_file(
    platform: Platform, first_backfill: list[str], day: date
) -> None:
    check_accounts(platform, day)


@pytest.mark.usefixtures("first_backfill")
def test_a_contract_and_a_query_are_a_dataset(platform: Platform) -> None:
    """Nothing else was added to the repository, and the files come out in gold."""
    accounts = file_accounts(platform, added.DAY, added.DATASET)
    assert accounts == added.accounts_expected()
    assert all(account.closes for account in accounts.values())
    assert added.gold(platform) == added.gold_expected()


@pytest.mark.usefixtures("first_backfill")
def test_openlineage_is_told_what_the_runs_signed(platform: Platform) -> None:
    """By events that follow the published schemas; each statement of a run stands in one."""
    s3, settings = platform.client("s3"), platform.settings
    results, provenance = settings["athena_results_bucket"], settings["provenance_bucket"]
    told = set[str]()
    for key in list_keys(s3, results, "openlineage/"):
        event = json.loads(s3.get_object(Bucket=results, Key=key)["Body"].read())
        facets = check_event(event)
        # What people mark in Airflow is told whatever the policy says, and names no dataset.
        if event["eventType"] == "COMPLETE" and event["outputs"]:
            assert facets >= {"ColumnLineageDatasetFacet", "DatasetVersionDatasetFacet"}, key
            signed = event["run"]["facets"]["custody_signedLineage"]["statements"]
            told.update(statement["uri"] for statement in signed)
    kept = {f"s3://{provenance}/{key}" for key in list_keys(s3, provenance, LINEAGE_PREFIX)}
    assert told == kept


def test_who_uploads_one_dataset_writes_into_no_other(platform: Platform) -> None:
    with pytest.raises(ClientError, match="AccessDenied") as refused:
        land(platform, "crm-export", added.DAY, "of-another.csv", b"return_id\n", added.DATASET)
    assert refused.value.operation_name == "PutObject"


def test_broken_files_are_quarantined_with_a_reason_and_said_in_the_log(
    platform: Platform, first_backfill: list[str]
) -> None:
    rows = query(
        platform,
        "SELECT source_key, file_reason FROM silver_customers_files WHERE file_reason IS NOT NULL",
    )
    broken = {file.name for file in broken_files()}
    assert {str(row["source_key"]).rpartition("/")[2] for row in rows} == broken
    log = task_log(platform, HOSTILE_DAY, "report_files")
    for row in rows:
        lines = [line for line in log.splitlines() if str(row["source_key"]) in line]
        assert any(str(row["file_reason"]) in line for line in lines), row


def test_each_day_was_judged_before_it_was_published(
    platform: Platform, first_backfill: list[str]
) -> None:
    rows = query(platform, "SELECT dataset, table_name, rule, outcome, dt FROM quality_results")
    silver, rules = "silver_customers", {"some_rows", "premium_share"}
    rules |= {"last_login.fresh", "last_login.mostly_known"}
    of_a_day = {
        *(("customers", silver, rule, "passed") for rule in rules),
        ("customers", silver, "as_many_as_usual", "skipped"),
        *(("customers", GOLD, rule, "passed") for rule in ("grain", "customers.at_least_one")),
    }
    found = {(r["dataset"], r["table_name"], r["rule"], r["outcome"], r["dt"]) for r in rows}
    assert found == {
        *((*each, str(day)) for each in of_a_day for day in DAYS),
        ("returns", "gold_returns_by_status", "returns.at_least_one", "passed", str(added.DAY)),
    }
    assert "as_many_as_usual" in task_log(platform, DAYS[0], "report_quality")


def test_a_crash_of_aws_during_uploads_loses_no_record(
    platform: Platform, landed: list[Landed]
) -> None:
    """Whatever S3 acknowledged, and whatever it stored without living to say so, is recorded."""
    day = DAYS[-1]
    for number in range(30):
        if number == 15:
            platform.kill_aws()
            platform.start_aws()
        landed.append(land(platform, "crm-export", day, f"burst/{number}", b"%d" % number))
    versions = platform.client("s3").list_object_versions(
        Bucket=platform.settings["raw_bucket"], Prefix=f"{bronze_prefix(day)}burst/"
    )["Versions"]
    assert {v["VersionId"] for v in versions} >= {file.version_id for file in landed[-30:]}
    wait_settled(platform, bronze=len(landed))


def test_an_honest_history_pages_nothing(
    platform: Platform, on_call: OnCall, landed: list[Landed]
) -> None:
    """The crash included."""
    wait_settled(platform, bronze=len(landed))
    assert reconcile(platform, on_call) == []


def test_every_landed_object_is_recorded_and_joined_under_its_own_name(
    platform: Platform, landed: list[Landed]
) -> None:
    rows = query(
        platform,
        "SELECT object_key, version_id, verdict, size_bytes FROM provenance_ledger"
        " WHERE pipeline_layer = 'bronze'",
    )
    assert {(r["object_key"], r["version_id"], r["verdict"], r["size_bytes"]) for r in rows} == {
        (file.key, file.version_id, "VERIFIED", str(file.size_bytes)) for file in landed
    }
    assert len(rows) == len(landed)


def test_the_api_refuses_a_window_that_is_not_of_whole_hours(platform: Platform) -> None:
    with pytest.raises(AirflowRefused, match="window_start") as refused:
        platform.airflow.trigger(RECONCILE, {"window_start": "2026-11-01T06:30:00Z"})
    assert refused.value.status == 400


def test_all_of_an_added_dataset_is_verified_in_every_layer(platform: Platform) -> None:
    there = added.versions(platform)
    assert there.keys() == {"raw_bucket", "processed_bucket", "analytics_bucket"}
    rows = query(platform, "SELECT bucket, object_key, version_id, verdict FROM provenance_ledger")
    verdicts = {(r["bucket"], r["object_key"], r["version_id"]): r["verdict"] for r in rows}
    assert {
        name: verdicts.get((platform.settings[bucket], *name))
        for bucket, names in there.items()
        for name in names
    } == dict.fromkeys(set().union(*there.values()), "VERIFIED")


@pytest.mark.usefixtures("auditor")
def test_the_daily_audit_finds_all_well_and_seals_the_day(
    platform: Platform, on_call: OnCall
) -> None:
    audit_of_all = {"sample_days": 1, "grace_minutes": 0}
    run_dag(platform, "custody_audit", audit_of_all, say=print)
    assert on_call.pages() == []
    seal = custody(platform, "seal")[-1]
    assert (seal["size"] > 0, seal["cosigned"]) == (True, True)
    s3, provenance = platform.client("s3"), str(platform.settings["provenance_bucket"])
    for day in DAYS:  # that were backfilled: nothing but lineage is filed under them
        sealed = leaf_ranges(seal_lister(s3, provenance), day, seal["size"])
        statements = list(list_keys(s3, provenance, f"{LINEAGE_PREFIX}dt={day}/"))
        assert sum(leaves.end - leaves.start for leaves in sealed) == len(statements) > 0


@pytest.mark.usefixtures("auditor")
def test_an_auditor_follows_gold_to_who_landed_it(platform: Platform, landed: list[Landed]) -> None:
    day = DAYS[-1]
    (part, *_) = query(
        platform,
        f"SELECT DISTINCT \"$path\" AS uri FROM {GOLD} WHERE dt = '{day}'",  # noqa: S608
        AUDITOR,
    )
    trace = custody(platform, "trace", str(part["uri"]))
    sources = {
        (found["key"], found["version_id"], found["principal_arn"])
        for found in trace
        if found["kind"] == "landed"
    }
    assert sources == {
        (file.key, file.version_id, arn(platform, file.principal))
        for file in landed
        if file.key.startswith(bronze_prefix(day)) and "/burst/" not in file.key
    }


def test_an_operator_may_mark_edit_and_pause(operator: Airflow) -> None:
    """All that he does leaves the platform as it was."""
    run_id = next(r["dag_run_id"] for r in operator.runs(RECONCILE) if r["run_type"] == "manual")
    for state in ("failed", "success"):
        operator.mark(RECONCILE, run_id, "dead_letters", state)
    operator.set_variable("of the operator", TYPED)
    for is_paused in (True, False):
        operator.pause("custody_audit", is_paused=is_paused)
    states = {run["dag_run_id"]: run["state"] for run in operator.runs(RECONCILE)}
    assert states[run_id] == "success"


@pytest.fixture(scope="module")
def tampered() -> list[tuple[Tampering, Page]]:
    """What was done, and the page of it."""
    return []


def test_tampering_pages_exactly_its_findings(
    platform: Platform,
    on_call: OnCall,
    landed: list[Landed],
    tampered: list[tuple[Tampering, Page]],
) -> None:
    clear_of_schedule(platform, RECONCILE)
    tamperings = list(tamper(platform, DAYS[-1], landed))
    wait_settled(platform, bronze=len(landed) + 3, alone=3)
    pages = reconcile(platform, on_call)
    expected = [asdict(done.finding) for done in tamperings]
    assert sorted((page.finding for page in pages), key=str) == sorted(expected, key=str)
    for done in tamperings:
        (page,) = (page for page in pages if page.finding == asdict(done.finding))
        tampered.append((done, page))
        assert done.controls <= page.causes.keys()
        assert set(page.causes.values()) == {arn(platform, INSIDER)}


def test_the_console_has_exactly_what_was_paged(
    platform: Platform, tampered: list[tuple[Tampering, Page]]
) -> None:
    """With the controls that were changed for each beside it, and none by itself."""
    overview = overview_of(platform)
    paged = {page.body["fingerprint"]: done.controls for done, page in tampered}
    assert len(paged) == 4
    assert {each.finding.fingerprint for each in overview.open} == paged.keys()
    for name, controls in paged.items():
        assert controls <= {cause.object_key for cause in overview.beside[name]}


def test_the_runbook_of_each_page_leads_to_the_insider_and_his_call(
    platform: Platform, tampered: list[tuple[Tampering, Page]]
) -> None:
    """Followed to the letter, with the page's values; an uploader that one names is innocent."""
    insider, walker = arn(platform, INSIDER), Walker(platform)
    assert len(tampered) == 4
    for done, page in tampered:
        assert walker.walk(row_of_page(page.body)).shows(insider, done.call), done.story


def test_the_next_run_states_what_the_operator_did(platform: Platform) -> None:
    s3, settings = platform.client("s3"), Settings.parse(dict(platform.settings))
    key = fetch_seal_key(
        platform.client("kms"), settings.seal_key_arn, log_origin(settings.provenance_bucket)
    )
    bucket, job = settings.provenance_bucket, settings.reconcile_job
    last = last_run(s3, key, bucket, job=job, as_of=datetime.now(UTC))
    assert last is not None
    run = last.run
    told = read_run(s3, key, bucket, job=job, run_id=run.id, day=run.day, parts=["report"])
    report = told.parts["report"]
    said = RunReport.parse(report).airflow
    assert (said["trouble"], said["unread"], said["left_out"]) == ("", 0, [])
    acts = [
        (act["verb"], act.get("dag"), act.get("task"), act.get("names"), act.get("state"))
        for act in said["acts"]
        if act["who"] == OPERATOR
    ]
    assert acts == [
        ("mark", RECONCILE, "dead_letters", None, "failed"),
        ("mark", RECONCILE, "dead_letters", None, "success"),
        ("variable", None, None, ["of the operator"], None),
        ("pause", "custody_audit", None, None, "true"),
        ("pause", "custody_audit", None, None, "false"),
    ]
    assert TYPED.encode() not in report


def test_who_looks_at_the_console_gets_from_a_finding_to_its_case_and_rolls_a_day_back(
    platform: Platform, tampered: list[tuple[Tampering, Page]]
) -> None:
    """In a browser, from Airflow's own login on, where there is one."""
    walked = walk(platform, DAYS[-1], [page for _, page in tampered], "untrailed.csv")
    assert walked in (STEPS, ()), walked


def test_a_finding_pages_once(platform: Platform, on_call: OnCall) -> None:
    """What judges the same window again pages again only what nobody has been told."""
    runs = platform.airflow.runs(RECONCILE)
    run_id = next(str(run["dag_run_id"]) for run in runs if run["run_type"] == "manual")
    platform.airflow.clear(RECONCILE, run_id, ["pages"])
    follow(platform, RECONCILE, [run_id], say=print)
    (read,) = [
        task
        for task in platform.airflow.task_instances(RECONCILE, run_id)
        if task["task_id"] == "pages"
    ]
    (told,) = query(
        platform,
        "SELECT count(DISTINCT fingerprint) AS findings FROM reconciliation"  # noqa: S608
        f" WHERE verdict IN ({', '.join(map(repr, SEVERITIES))})",
    )
    # The four, and the changes of controls that were told with them.
    assert int(told["findings"] or 0) > 4
    known = f"{told['findings']} findings that page (0 more unread): 0 new"
    assert known in platform.airflow.task_log(RECONCILE, run_id, read)
    assert on_call.pages() == []


def test_nobody_has_a_right_that_none_of_all_this_needed(platform: Platform) -> None:
    log = platform.machine.home / "logs" / "grants.jsonl"
    assert unexplained(log, "airflow", "audit", "expiry", "glue", "recorder") == []
