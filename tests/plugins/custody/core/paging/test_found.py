"""What a run found is read from its report as it was written."""

import json
from dataclasses import replace

import pytest
from tests.support.findings import finding

from custody.core.ledger.kinds import sweep
from custody.core.ledger.rows import LedgerRow
from custody.core.paging import found
from custody.core.paging.findings import cause_of
from custody.core.paging.found import Found, fitting, found_of
from custody.core.runs.report import MAX_REPORT_BYTES

ROWS = [finding(), finding("CONFLICT", principal_arn=None), finding("VERIFIED")]


def read_back(found: Found) -> Found:
    return Found.from_document(json.loads(json.dumps(found.to_document())))


def test_what_was_found_is_read_as_it_was_written():
    told = found_of(ROWS, {cause_of(row): 1 for row in ROWS[:2]}, ["f1", "f2"])
    assert read_back(told) == replace(told, unread={})
    whole = replace(ROWS[0], size_bytes=7, hashed_at=ROWS[0].event_time, key_id="arn:k")
    assert read_back(Found((whole,))).rows == (whole,)


def test_what_was_left_out_is_counted_by_cause():
    same = [finding(fingerprint=name) for name in ("f1", "f2")]
    uploader = ROWS[0].principal_arn
    number = {("UNRECORDED", uploader): 700, ("CONFLICT", None): 1, ("REMOVED", None): 3}
    told = found_of([*same, ROWS[1], ROWS[2]], number, [])
    left = {("UNRECORDED", uploader): 698, ("REMOVED", None): 3}
    assert told.left_out == left | {("CONFLICT", None): 0}
    assert read_back(told).left_out == left


def test_of_very_many_causes_the_others_are_counted_as_nobodys(monkeypatch):
    monkeypatch.setattr(found, "MAX_CAUSES", 2)
    number = {("REMOVED", f"arn:{n}"): n for n in range(1, 6)}
    assert found_of([], number, []).left_out == {
        ("REMOVED", "arn:5"): 5,
        ("REMOVED", "arn:4"): 4,
        ("REMOVED", None): 1 + 2 + 3,
    }


@pytest.mark.parametrize(("bound", "most"), [("MAX_ROWS", 2), ("MAX_BYTES", 2000)])
def test_no_more_rows_are_told_than_a_report_has_room_for(monkeypatch, bound, most):
    rows = [finding(fingerprint=f"f{n}", object_key="é" * 250) for n in range(9)]
    assert fitting(rows) == rows
    monkeypatch.setattr(found, bound, most)
    kept = fitting(rows)
    assert kept == rows[: len(kept)]
    assert 0 < len(kept) < 9
    document = Found(tuple(kept)).to_document()
    text = json.dumps(document["rows"], ensure_ascii=False, separators=(",", ":"))
    assert len(text.encode()) <= 2000


def test_a_report_has_room_for_all_that_a_run_tells():
    """What else is in one is far smaller: at most 2,000 acts of people in Airflow."""
    cause = json.dumps(["UNEXPECTED_PRINCIPAL", "\1" * 1024, 9])
    causes = found.MAX_CAUSES * len(cause)
    assert found.MAX_BYTES + causes + sweep.MAX_KEPT_BYTES < MAX_REPORT_BYTES * 3 / 4


def test_of_a_reason_that_names_thousands_the_beginning_is_kept():
    row = replace(ROWS[0], verdict_reason="x" * 100_000)
    (kept,) = read_back(Found((row,))).rows
    assert isinstance(kept, LedgerRow)
    assert kept.verdict_reason == "x" * 4000


@pytest.mark.parametrize(
    "document",
    [
        [],
        {},
        {"rows": [{}], "unread": [], "watched": []},
        {"rows": [], "unread": [["CONFLICT", None]], "watched": []},
        {"rows": [], "unread": [["CONFLICT", None, "2"]], "watched": []},
        {"rows": {}, "unread": [], "watched": []},
    ],
)
def test_what_has_another_form_is_refused(document):
    with pytest.raises(ValueError, match=r"found|finding"):
        Found.from_document(document)
