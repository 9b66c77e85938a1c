"""What the runs state is read once, and only what the key that seals signed is believed."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from tests.support.findings import finding
from tests.support.judging_runs import BASIS, PARTS, REPORT, RUN
from tests.support.transparency import KEY, OTHER_SIGNER, SIGNER

from custody.aws.runs import history
from custody.aws.runs.history import RunHistory
from custody.aws.runs.keeping import keep_run
from custody.core.console.standing import ReadRun
from custody.core.paging.found import Found
from custody.core.runs.model import JudgingRun
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
) -> ReadRun:
    found = found or Found()
    report = replace(REPORT, found=found.to_document())
    parts = {**PARTS, "report": report.to_bytes()}
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


def test_a_day_without_a_run_has_none(s3: Any, provenance: str, runs: RunHistory) -> None:
    assert runs.runs(s3, [date(2026, 10, 1)]).read == []
