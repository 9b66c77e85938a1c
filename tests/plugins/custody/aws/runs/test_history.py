"""What the runs state is read once, and only what the key that seals signed is believed."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from tests.support.findings import finding
from tests.support.judging_runs import BASIS, PARTS, REPORT, RUN
from tests.support.s3_answers import encrypt_anew
from tests.support.transparency import KEY, OTHER_SIGNER, SIGNER

from custody.aws.runs import history
from custody.aws.runs.history import RunHistory
from custody.aws.runs.keeping import keep_run
from custody.aws.runs.stated import summaries_of
from custody.core.console.standing import ReadRun
from custody.core.paging.found import Found
from custody.core.runs.model import RUNS, JudgingRun
from custody.core.tlog.signed_note import NoteSigner

AUDIT = replace(RUN, job="audit", id="jr_2", as_of=RUN.as_of + timedelta(days=1))
DAYS = [RUN.day, AUDIT.day]


def state(
    s3: Any,
    bucket: str,
    run: JudgingRun = RUN,
    *,
    found: Found | None = None,
    signer: NoteSigner = SIGNER,
    runs: bytes | None = None,
) -> ReadRun:
    found = found or Found()
    report = replace(REPORT, found=found.to_document())
    parts = {**PARTS, "report": report.to_bytes()} | ({} if runs is None else {RUNS: runs})
    keep_run(s3, bucket, run, BASIS, parts, signer=signer, key_arn="arn:k")
    return ReadRun(
        run, REPORT.verdicts, Found(found.rows, found.left_out, found.watched), BASIS.policy
    )


@pytest.fixture
def runs(provenance: str) -> RunHistory:
    return RunHistory(KEY, provenance, ["reconcile", "audit"])


def calls(s3: Any) -> list[str]:
    """The operations that S3 is asked for from now on."""
    asked: list[str] = []
    s3.meta.events.register("before-call.s3", lambda model, **_: asked.append(model.name))
    return asked


def test_the_runs_of_both_jobs_are_read(s3: Any, provenance: str, runs: RunHistory) -> None:
    told = state(s3, provenance, found=Found((finding("REMOVED"),), {("REMOVED", None): 2}, ("f",)))
    audit = state(s3, provenance, AUDIT)
    read = runs.runs(s3, DAYS)
    assert list(read.read) == [told, audit]
    assert read.disbelieved == []
    assert list(runs.runs(s3, [AUDIT.day]).read) == [audit]


def test_what_was_read_is_not_read_again(s3: Any, provenance: str, runs: RunHistory) -> None:
    told, lists = state(s3, provenance), ["ListObjectVersions"] * len(DAYS)
    asked = calls(s3)
    assert list(runs.runs(s3, DAYS).read) == [told]
    assert asked == [*lists, *["GetObject"] * 2], "the statement and its report"
    asked.clear()
    assert list(runs.runs(s3, DAYS).read) == [told]
    assert asked == lists


@pytest.mark.parametrize("run", [RUN, replace(RUN, job="medallion", id="jr_9")])
def test_what_another_signed_or_another_job_is_not_believed(
    s3: Any, provenance: str, runs: RunHistory, run: JudgingRun
) -> None:
    state(s3, provenance, run, signer=OTHER_SIGNER if run is RUN else SIGNER)
    read = runs.runs(s3, DAYS)
    assert (read.read, read.disbelieved) == ([], [f"{RUN.day} {run.id}"])
    asked = calls(s3)
    runs.runs(s3, DAYS)
    assert asked == ["ListObjectVersions"] * len(DAYS)


def test_what_is_put_over_a_statement_or_hides_it_changes_nothing(
    s3: Any, provenance: str, runs: RunHistory
) -> None:
    told = state(s3, provenance)
    s3.put_object(Bucket=provenance, Key=RUN.statement_key, Body=b"rubbish")
    s3.delete_object(Bucket=provenance, Key=RUN.statement_key)
    assert list(runs.runs(s3, DAYS).read) == [told]


def test_a_report_that_is_none_is_not_believed(s3: Any, provenance: str, runs: RunHistory) -> None:
    keep_run(s3, provenance, RUN, BASIS, {**PARTS, "report": b"[]"}, signer=SIGNER, key_arn="arn:k")
    assert runs.runs(s3, DAYS).disbelieved == [f"{RUN.day} {RUN.id}"]


def test_memory_is_bounded_and_all_is_shown_all_the_same(
    s3: Any, provenance: str, runs: RunHistory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(history, "_MOST_ROWS", 1)
    told = state(s3, provenance, found=Found((finding("REMOVED"),)))
    audit = state(s3, provenance, AUDIT, found=Found((finding("ALTERED"),)))
    for _ in range(2):
        assert list(runs.runs(s3, DAYS).read) == [told, audit]
    assert len(runs._kept) == 1


def audited(s3: Any, bucket: str, runs: bytes | None = None) -> ReadRun:
    """An audit of the day after, with the summaries of the day's runs."""
    summed_up = summaries_of(s3, KEY, bucket, RUN.day, ["reconcile", "audit"])
    return state(s3, bucket, AUDIT, runs=summed_up if runs is None else runs)


def test_of_what_an_audit_summed_up_nothing_is_read(
    s3: Any, provenance: str, runs: RunHistory
) -> None:
    told = state(s3, provenance, found=Found((finding("REMOVED"),), {("REMOVED", None): 2}, ("f",)))
    audit = audited(s3, provenance)
    asked = calls(s3)
    assert list(runs.runs(s3, DAYS).read) == [told, audit]
    lists = ["ListObjectVersions"] * len(DAYS)
    assert asked == [*lists, *["GetObject"] * 3], "the audit's statement, report and summaries"
    asked.clear()
    assert list(runs.runs(s3, DAYS).read) == [told, audit]
    assert asked == lists


def test_what_came_after_the_audit_is_read(s3: Any, provenance: str, runs: RunHistory) -> None:
    told, audit = state(s3, provenance), audited(s3, provenance)
    late = state(s3, provenance, replace(RUN, id="jr_3"), found=Found((finding("ALTERED"),)))
    assert list(runs.runs(s3, DAYS).read) == [told, late, audit]


def test_another_version_than_the_one_that_was_summed_up_is_read(
    s3: Any, provenance: str, runs: RunHistory
) -> None:
    """A summary is of the bytes that the audit saw, whatever is under that name later."""
    state(s3, provenance, found=Found((finding("ALTERED"),)))
    audit = audited(s3, provenance)
    for stored in s3.list_object_versions(
        Bucket=provenance, Prefix=f"provenance/runs/dt={RUN.day}"
    )["Versions"]:
        s3.delete_object(Bucket=provenance, Key=stored["Key"], VersionId=stored["VersionId"])
    s3.put_object(Bucket=provenance, Key=RUN.statement_key, Body=b"rubbish")
    read = runs.runs(s3, DAYS)
    assert (list(read.read), list(read.disbelieved)) == ([audit], [f"{RUN.day} {RUN.id}"])


def test_who_plants_summaries_beside_a_run_that_was_summed_up_hides_it_no_more(
    s3: Any, provenance: str, runs: RunHistory
) -> None:
    """By the name it is taken for an audit, and read: what it reports, S3 does not hand out."""
    told, audit = state(s3, provenance, found=Found((finding("ALTERED"),))), audited(s3, provenance)
    s3.put_object(Bucket=provenance, Key=RUN.key_of(RUNS), Body=b"rubbish")
    encrypt_anew(s3, RUN.key_of("report"))
    read = runs.runs(s3, DAYS)
    assert (list(read.read), list(read.disbelieved)) == ([told, audit], [])


def test_an_audit_sums_up_no_run_of_another_job(s3: Any, provenance: str) -> None:
    """As by reading each: who is told of other jobs' names is told what is not believed."""
    state(s3, provenance)
    audit = audited(s3, provenance)
    read = RunHistory(KEY, provenance, ["other", "audit"]).runs(s3, DAYS)
    assert (list(read.read), list(read.disbelieved)) == ([audit], [f"{RUN.day} {RUN.id}"])


@pytest.mark.parametrize("spoilt", ["withheld", "rubbish", "of nothing"])
def test_summaries_that_cannot_be_used_cost_no_more_than_reading(
    s3: Any, provenance: str, runs: RunHistory, spoilt: str
) -> None:
    told = state(s3, provenance)
    summed_up = summaries_of(s3, KEY, provenance, RUN.day, ["reconcile", "audit"])
    of_nothing = summed_up.replace(b'"rows":[]', b'"rows":[1]')
    assert of_nothing != summed_up
    spoils = {"withheld": summed_up, "rubbish": b"[]", "of nothing": of_nothing}
    audit = audited(s3, provenance, spoils[spoilt])
    if spoilt == "withheld":
        encrypt_anew(s3, AUDIT.key_of(RUNS))
    assert list(runs.runs(s3, DAYS).read) == [told, audit]


def test_a_day_without_a_run_has_none(s3: Any, provenance: str, runs: RunHistory) -> None:
    assert runs.runs(s3, [date(2026, 10, 1)]).read == []
