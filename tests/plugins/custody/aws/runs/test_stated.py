"""What is stated of a day's runs is found wherever it hides, and summed up for others."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from tests.support.judging_runs import BASIS, PARTS, REPORT, RUN
from tests.support.transparency import KEY, OTHER_SIGNER, SIGNER

from custody.aws.runs.keeping import keep_run
from custody.aws.runs.stated import Stated, stated_on, summaries_of, told_in
from custody.core.runs.model import RUNS, JudgingRun
from custody.core.runs.summaries import RunSummary, from_bytes
from custody.core.tlog.signed_note import NoteSigner
from custody.objects import ObjectVersion

JOBS = ("reconcile", "audit")
OTHER = replace(RUN, job="audit", id="jr_2")


def state(
    s3: Any,
    bucket: str,
    run: JudgingRun = RUN,
    *,
    runs: bytes | None = None,
    signer: NoteSigner = SIGNER,
    report: bytes = PARTS["report"],
) -> ObjectVersion:
    """The version of a run's statement."""
    parts = {**PARTS, "report": report}
    if runs is not None:
        parts[RUNS] = runs
    keep_run(s3, bucket, run, BASIS, parts, signer=signer, key_arn="arn:k")
    found = s3.list_object_versions(Bucket=bucket, Prefix=run.statement_key)["Versions"]
    return ObjectVersion(bucket, run.statement_key, found[0]["VersionId"])


def summary(run: JudgingRun) -> RunSummary:
    return RunSummary(run, BASIS.policy, REPORT.verdicts, REPORT.found)


def told(s3: Any, bucket: str) -> dict[ObjectVersion, RunSummary]:
    return from_bytes(summaries_of(s3, KEY, bucket, RUN.day, JOBS), bucket)


def test_the_runs_of_a_day_are_found_behind_what_hides_them(s3: Any, provenance: str) -> None:
    version = state(s3, provenance)
    state(s3, provenance, replace(OTHER, as_of=RUN.as_of.replace(day=2)))
    s3.put_object(Bucket=provenance, Key=RUN.statement_key, Body=b"rubbish")
    s3.delete_object(Bucket=provenance, Key=RUN.statement_key)
    (found,) = stated_on(s3, provenance, RUN.day)
    assert (found.day, found.run_id, len(found.versions)) == (RUN.day, "jr_1", 2)
    assert found.versions[1] == version
    assert not found.sums_up


def test_a_day_is_summed_up(s3: Any, provenance: str) -> None:
    versions = [state(s3, provenance), state(s3, provenance, OTHER)]
    assert told(s3, provenance) == dict(zip(versions, (summary(RUN), summary(OTHER)), strict=True))


@pytest.mark.parametrize(
    "planted",
    [
        {"signer": OTHER_SIGNER},
        {"run": replace(RUN, job="medallion")},
        {"report": b"[]"},
    ],
    ids=["another signed it", "of another job", "its report is none"],
)
def test_what_is_not_believed_is_not_summed_up(
    s3: Any, provenance: str, planted: dict[str, Any]
) -> None:
    state(s3, provenance, **planted)
    assert told(s3, provenance) == {}


def test_the_statement_of_another_run_is_nobody_elses(s3: Any, provenance: str) -> None:
    version = state(s3, provenance)
    body = s3.get_object(Bucket=provenance, Key=version.key)["Body"].read()
    s3.put_object(Bucket=provenance, Key=OTHER.statement_key, Body=body)
    assert list(told(s3, provenance)) == [version]


def test_what_is_planted_over_a_statement_or_beside_it_is_not_read(
    s3: Any, provenance: str
) -> None:
    version = state(s3, provenance)
    for key in (RUN.statement_key, RUN.statement_key.replace("/jr_1", "/zz/jr_1")):
        for _ in range(3):
            s3.put_object(Bucket=provenance, Key=key, Body=b"rubbish")
    (stated,) = stated_on(s3, provenance, RUN.day)
    assert len(stated.versions) == 7
    asked: list[str] = []
    s3.meta.events.register("before-call.s3", lambda model, **_: asked.append(model.name))
    found = told_in(s3, KEY, stated, JOBS)
    assert found is not None
    assert found.version == version
    assert asked == ["GetObject"] * 2, "its statement and its report"


def test_an_audit_tells_of_the_others(s3: Any, provenance: str) -> None:
    version = state(s3, provenance)
    runs = summaries_of(s3, KEY, provenance, RUN.day, JOBS)
    state(s3, provenance, OTHER, runs=runs)
    reconciliation, audit = sorted(stated_on(s3, provenance, RUN.day), key=lambda one: one.run_id)
    assert [reconciliation.sums_up, audit.sums_up] == [False, True]
    found = told_in(s3, KEY, audit, JOBS)
    assert found is not None
    assert found.summary == summary(OTHER)
    assert found.others == {version: summary(RUN)}


def test_summaries_that_nobody_signed_are_not_looked_at(s3: Any, provenance: str) -> None:
    state(s3, provenance)
    forged = summaries_of(s3, KEY, provenance, RUN.day, JOBS)
    s3.put_object(Bucket=provenance, Key=RUN.key_of(RUNS), Body=forged)
    (found,) = stated_on(s3, provenance, RUN.day)
    assert found.sums_up, "by its name alone"
    read = told_in(s3, KEY, found, JOBS)
    assert read is not None
    assert read.others == {}


def test_where_nothing_is_stated_nothing_is_told(s3: Any, provenance: str) -> None:
    gone = ObjectVersion(provenance, RUN.statement_key, "null")
    assert told_in(s3, KEY, Stated(RUN.day, RUN.id, (gone,)), JOBS) is None
    assert told(s3, provenance) == {}
