"""What a run states of itself is read as it was written, if the key that seals signed it."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta

import pytest
from tests.support.judging_runs import BASIS, PLACE, REPORT, RUN
from tests.support.transparency import KEY, OTHER_SIGNER, SIGNER

from custody.aws.kms.seal_key import MAX_MESSAGE_BYTES
from custody.core.formats.dsse import Envelope, pae
from custody.core.formats.untrusted import MalformedInput
from custody.core.lineage.model import HashedObject
from custody.core.runs.airflow_log import AirflowLog
from custody.core.runs.chain import Link, Reached
from custody.core.runs.model import PARTS, RUNS, JudgingRun, run_of_key, run_that_sums_up
from custody.core.runs.report import MAX_ASKED, RunReport, asked_for
from custody.core.runs.statement import (
    BadRun,
    RunStatement,
    from_payload,
    open_run,
    sign_run,
    to_payload,
)
from custody.objects import ObjectVersion

KEY_ID = "arn:aws:kms:us-east-1:111122223333:key/seal"
STATEMENT = RunStatement(
    RUN,
    BASIS,
    {
        part: HashedObject(ObjectVersion("provenance", f"{PLACE}.{part}.json", "v1"), "ee" * 32)
        for part in PARTS
    },
)


LINK = Link(Reached.nothing(RUN.end), None)


def with_report(sha256: str) -> RunStatement:
    report = replace(STATEMENT.parts["report"], sha256=sha256)
    return replace(STATEMENT, parts={**STATEMENT.parts, "report": report})


def test_a_run_says_where_its_own_words_lie() -> None:
    assert (RUN.statement_key, RUN.key_of("report")) == (f"{PLACE}.json", f"{PLACE}.report.json")


@pytest.mark.parametrize("name", ["", "../jr_1", "jr/1", "j" * 256])
def test_what_is_no_run_id_gives_no_key(name: str) -> None:
    with pytest.raises(ValueError, match="is no job run id"):
        replace(RUN, id=name)


@pytest.mark.parametrize(("ended", "is_of_now"), [(0, True), (3, True), (4, False)])
def test_a_run_over_hours_of_long_ago_is_not_of_now(ended: int, is_of_now: bool) -> None:
    moved = timedelta(hours=ended)
    assert replace(RUN, start=RUN.start - moved, end=RUN.end - moved).is_of_now is is_of_now


def test_a_signed_statement_is_read_as_it_was_written() -> None:
    envelope = sign_run(STATEMENT, SIGNER, KEY_ID)
    assert open_run(envelope.to_json_line(), KEY) == STATEMENT
    assert [signature.keyid for signature in envelope.signatures] == [KEY_ID]


@pytest.mark.parametrize(
    ("parts", "link"),
    [
        (PARTS, replace(LINK, previous="provenance/runs/dt=2026-11-01/" + "r" * 255 + ".json")),
        ((*PARTS, RUNS), None),
    ],
    ids=["a reconciliation", "an audit, which has no link"],
)
def test_the_longest_statement_is_signed_by_kms(parts: tuple[str, ...], link: Link | None) -> None:
    longest = replace(
        STATEMENT,
        link=link,
        run=replace(RUN, job="j" * 255, id="r" * 255),
        parts={
            part: HashedObject(ObjectVersion("b" * 63, "x" * 300, "v" * 450), "ee" * 32)
            for part in parts
        },
    )
    payload = to_payload(longest)
    assert len(pae("application/vnd.in-toto+json", payload)) < MAX_MESSAGE_BYTES


def test_the_summaries_of_an_audit_are_a_part_of_its_statement() -> None:
    part = HashedObject(ObjectVersion("provenance", f"{PLACE}.runs.json", "v1"), "ff" * 32)
    audit = replace(STATEMENT, parts={**STATEMENT.parts, RUNS: part})
    assert open_run(sign_run(audit, SIGNER, KEY_ID).to_json_line(), KEY) == audit
    assert (RUN.key_of(RUNS), run_that_sums_up(part.version.key)) == (part.version.key, RUN.id)
    for other in (
        f"{PLACE}.json",
        f"{PLACE}.report.json",
        "x/jr_1.runs.json",
        f"{PLACE}/.runs.json",
    ):
        assert run_that_sums_up(other) is None
    assert run_of_key(part.version.key) is None


def test_a_link_of_the_chain_is_read_back() -> None:
    for previous in (None, f"{PLACE}.json"):
        linked = replace(STATEMENT, link=replace(LINK, previous=previous))
        assert open_run(sign_run(linked, SIGNER, KEY_ID).to_json_line(), KEY) == linked


@pytest.mark.parametrize(
    "reached",
    [
        Reached.nothing(RUN.as_of + timedelta(hours=1)),
        Reached(RUN.end, RUN.end, RUN.as_of + timedelta(days=365)),
        Reached(RUN.start, RUN.end, RUN.start),
    ],
)
def test_no_link_is_ahead_of_its_time(reached: Reached) -> None:
    """Else one that says so is the last, and nothing is owed any more."""
    ahead = replace(STATEMENT, link=Link(reached, None))
    with pytest.raises(BadRun, match="is ahead of what can have been judged"):
        open_run(sign_run(ahead, SIGNER, KEY_ID).to_json_line(), KEY)


def test_what_another_signed_is_not_believed() -> None:
    forged = sign_run(STATEMENT, OTHER_SIGNER, KEY_ID)
    with pytest.raises(BadRun, match="is not signed by the key that seals"):
        open_run(forged.to_json_line(), KEY)


def test_what_was_changed_is_not_believed() -> None:
    envelope = sign_run(STATEMENT, SIGNER, KEY_ID)
    other = to_payload(with_report("ff" * 32))
    changed = Envelope(other, envelope.payload_type, envelope.signatures)
    with pytest.raises(BadRun, match="is not signed"):
        open_run(changed.to_json_line(), KEY)


def test_a_payload_of_another_type_is_not_read() -> None:
    payload = to_payload(STATEMENT)
    text = "text/plain"
    signed = Envelope(payload, text, sign_run(STATEMENT, SIGNER, KEY_ID).signatures)
    with pytest.raises(BadRun, match="is not signed"):
        open_run(signed.to_json_line(), KEY)


@pytest.mark.parametrize("raw", [b"", b"{}", b"\xff", b"[]", b'{"payload":"!"}'])
def test_rubbish_is_told(raw: bytes) -> None:
    with pytest.raises(BadRun):
        open_run(raw, KEY)


@pytest.mark.parametrize(
    ("path", "value", "told"),
    [
        (("predicateType",), "https://slsa.dev/provenance/v1", "must be https://custody"),
        (("predicate", "run", "id"), "jr/1", "run.id: 'jr/1' is no job run id"),
        (("predicate", "run", "asOf"), "now", "run.asOf"),
        (("predicate", "basis", "policy", "sha256"), "aa", "policy.sha256"),
        (("subject", 0, "name"), "s3://provenance/elsewhere", "is not the report of the run"),
        (("subject", 1, "name"), "s3://provenance/elsewhere", "is not the files of the run"),
        (("subject", 0, "annotations"), {}, "subject of the report.versionId"),
        (("subject",), [json.loads(to_payload(STATEMENT))["subject"][0]], "report and files"),
    ],
)
def test_a_field_that_is_wrong_is_named(
    path: tuple[str | int, ...], value: object, told: str
) -> None:
    document = json.loads(to_payload(STATEMENT))
    place = document
    for name in path[:-1]:
        place = place[name]
    place[path[-1]] = value
    with pytest.raises(MalformedInput, match=told):
        from_payload(json.dumps(document).encode())


def test_a_report_is_read_as_it_was_written() -> None:
    assert RunReport.parse(REPORT.to_bytes()) == REPORT
    asked = replace(REPORT, asked=asked_for({"asked": {"by": "operator", "params": {}}}))
    assert RunReport.parse(asked.to_bytes()) == asked
    done = replace(REPORT, airflow=AirflowLog(RUN.start, RUN.as_of, trouble="none").to_document())
    assert RunReport.parse(done.to_bytes()) == done


def test_what_airflow_says_of_a_run_is_kept_as_it_came_and_not_whole() -> None:
    assert asked_for({}) == ""
    assert asked_for({"asked": ["\u2028", 1]}) == '["\\u2028", 1]'
    assert len(asked_for({"asked": "x" * 100_000})) == MAX_ASKED
    # A release before this one wrote nothing of it.
    earlier = json.loads(REPORT.to_bytes())
    del earlier["asked"]
    read = RunReport.parse(json.dumps(earlier).encode())
    assert (read.asked, read.airflow) == ("", None)


@pytest.mark.parametrize(
    "raw",
    [
        b"{}",
        b'{"v":2}',
        b'{"v":1,"settings":[],"verdicts":{}}',
        b'{"v":1,"settings":{},"verdicts":{}}',
    ],
)
def test_a_report_of_another_form_is_refused(raw: bytes) -> None:
    with pytest.raises(MalformedInput, match="report"):
        RunReport.parse(raw)


def test_runs_of_one_id_on_other_days_lie_apart() -> None:
    tomorrow = JudgingRun(RUN.job, RUN.id, RUN.as_of.replace(day=2), RUN.start, RUN.end)
    assert tomorrow.statement_key != RUN.statement_key
