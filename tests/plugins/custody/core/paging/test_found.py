"""What a run found is read from its report as it was written."""

import json
from dataclasses import replace

import pytest
from tests.support.findings import finding

from custody.core.ledger.rows import LedgerRow
from custody.core.paging.found import Found, found_of

ROWS = [finding(), finding("CONFLICT", principal_arn=None), finding("VERIFIED")]


def read_back(found: Found) -> Found:
    return Found.from_document(json.loads(json.dumps(found.to_document())))


def test_what_was_found_is_read_as_it_was_written():
    found = found_of(((row, 1) for row in ROWS), ["f1", "f2"])
    assert read_back(found) == replace(found, unread={})
    whole = replace(ROWS[0], size_bytes=7, hashed_at=ROWS[0].event_time, key_id="arn:k")
    assert read_back(Found((whole,))).rows == (whole,)


def test_what_was_left_out_is_counted_by_cause():
    same = [finding(fingerprint=name) for name in ("f1", "f2")]
    found = found_of([(same[0], 700), (same[1], 700), (ROWS[1], 1)], [])
    uploader = ROWS[0].principal_arn
    assert found.left_out == {("UNRECORDED", uploader): 698, ("CONFLICT", None): 0}
    assert read_back(found).left_out == {("UNRECORDED", uploader): 698}


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
