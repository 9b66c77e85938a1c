"""What an audit keeps of other runs is read as it was written, or not at all."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from tests.support.judging_runs import BASIS, REPORT, RUN

from custody.core.formats.untrusted import MalformedInput
from custody.core.runs import summaries
from custody.core.runs.statement import RunStatement
from custody.core.runs.summaries import RunSummary, from_bytes, to_bytes
from custody.objects import ObjectVersion

BUCKET = "provenance"
AIRFLOW = {"since": "x", "acts": []}


def one(run_id: str = "jr_1", **more: Any) -> tuple[ObjectVersion, RunSummary]:
    run = replace(RUN, id=run_id)
    summary = RunSummary.of(RunStatement(run, BASIS, {}), replace(REPORT, **more))
    return ObjectVersion(BUCKET, run.statement_key, f"v-{run_id}"), summary


def changed(**more: object) -> bytes:
    document = json.loads(to_bytes(dict([one()])))
    return json.dumps({**document, "runs": [{**document["runs"][0], **more}]}).encode()


def test_summaries_are_read_as_they_were_written() -> None:
    told = dict([one(), one("jr_2", airflow=AIRFLOW), one("jr_3", found={"rows": ["é"]})])
    assert from_bytes(to_bytes(told), BUCKET) == told
    assert to_bytes(dict(reversed(told.items()))) == to_bytes(told)
    assert from_bytes(to_bytes({}), BUCKET) == {}


def test_a_summary_has_what_the_run_states() -> None:
    _, summary = one(airflow=AIRFLOW)
    told = (summary.run, summary.policy, summary.verdicts, summary.found, summary.airflow)
    assert told == (RUN, BASIS.policy, REPORT.verdicts, REPORT.found, AIRFLOW)


def test_what_there_is_no_room_for_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    few, long = dict([one("jr_1"), one("jr_3")]), one("jr_2", found={"rows": ["é" * 500]})
    monkeypatch.setattr(summaries, "MAX_BYTES", len(to_bytes(few)) + 200)
    kept = to_bytes(few | dict([long]))
    assert from_bytes(kept, BUCKET) == few
    assert len(kept) <= summaries.MAX_BYTES


@pytest.mark.parametrize(
    ("raw", "field"),
    [
        (b"[]", "runs"),
        (b'{"v":2,"runs":[]}', "runs.v"),
        (b'{"v":1,"runs":[1]}', "runs.runs"),
        (changed(statement=""), "runs.runs.statement"),
        (changed(policy="aa"), "runs.runs.policy"),
        (changed(verdicts={"VERIFIED": -1}), "runs.runs.verdicts.VERIFIED"),
        (changed(found=[]), "runs.runs.found"),
        (changed(run={"job": "audit", "id": "../x"}), "runs.runs.run.asOf"),
    ],
)
def test_what_is_none_is_refused(raw: bytes, field: str) -> None:
    with pytest.raises(MalformedInput) as refused:
        from_bytes(raw, BUCKET)
    assert refused.value.field == field
