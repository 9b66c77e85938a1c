"""A finding becomes a page a person can read on a telephone, once."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from custody.core.findings import (
    GROUP_ABOVE,
    MAX_SUBJECT,
    SEVERITIES,
    Finding,
    distinct,
    pages,
)

ROW = {
    "verdict": "UNRECORDED",
    "bucket": "raw",
    "object_key": "incoming/customers/dt=2026-11-01/a b.csv",
    "version_id": "v1",
    "principal_arn": "arn:aws:iam::111122223333:user/crm-export",
    "event_time": "2026-11-01T06:00:01Z",
    "verdict_reason": "because",
    "fingerprint": "f1",
    "verdict_findings": "1",
}
WINDOW = {"window_start": "2026-11-01 06:00:00.000", "window_end": "2026-11-01 07:00:00.000"}


def finding(**changes):
    return Finding.from_row(ROW | changes)


def pages_of(findings, totals=None):
    return pages(findings, totals=totals or {}, **WINDOW)


def test_a_page_says_who_did_what_to_which_version_and_what_to_do():
    (page,) = pages_of([finding()])
    assert page.subject == "UNRECORDED s3://raw/incoming/customers/dt=2026-11-01/a b.csv"
    assert page.message_attributes == {"verdict": "UNRECORDED", "severity": "high"}
    assert page.fingerprints == ("f1",)
    assert json.loads(page.message) == {
        "verdict": "UNRECORDED",
        "bucket": "raw",
        "key": "incoming/customers/dt=2026-11-01/a b.csv",
        "version_id": "v1",
        "principal_arn": "arn:aws:iam::111122223333:user/crm-export",
        "event_time": "2026-11-01T06:00:01Z",
        "reason": "because",
        "fingerprint": "f1",
        "window": {"start": "2026-11-01 06:00:00.000", "end": "2026-11-01 07:00:00.000"},
        "severity": "high",
        "runbook": "docs/runbooks/unrecorded.md",
    }


@given(st.text(min_size=1, max_size=1024))
def test_any_key_makes_a_subject_sns_takes(key):
    (page,) = pages_of([finding(object_key=key)])
    assert len(page.subject) <= MAX_SUBJECT < 100
    assert page.subject.isascii()
    assert page.subject.isprintable()
    assert json.loads(page.message)["key"] == key


def test_more_than_the_limit_of_one_verdict_become_one_page():
    many = [finding(fingerprint=f"f{n}") for n in range(GROUP_ABOVE + 1)]
    conflict = finding(verdict="CONFLICT", fingerprint="c")
    grouped_last = pages_of([*many, conflict], {"UNRECORDED": 5000, "CONFLICT": 1})
    assert [page.fingerprints[:1] for page in grouped_last] == [("c",), ("f0",)]
    group = grouped_last[1]
    assert len(group.fingerprints) == GROUP_ABOVE + 1
    body = json.loads(group.message)
    assert (body["verdict"], body["findings"], len(body["examples"])) == ("UNRECORDED", 5000, 10)
    assert "5000 object versions" in group.subject
    assert len(group.subject) <= MAX_SUBJECT


def test_as_many_as_the_limit_are_pages_of_their_own():
    many = [finding(fingerprint=f"f{n}") for n in range(GROUP_ABOVE)]
    assert len(pages_of(many)) == GROUP_ABOVE


def test_no_findings_no_pages():
    assert pages_of([]) == []


def test_a_fingerprint_counts_once():
    first, again = finding(principal_arn="one"), finding(principal_arn="two")
    assert distinct([first, again, finding(fingerprint="f2")]) == [first, finding(fingerprint="f2")]


def test_a_finding_may_have_no_principal():
    assert finding(principal_arn=None).principal_arn is None


@pytest.mark.parametrize("column", sorted(ROW.keys() - {"principal_arn", "verdict_findings"}))
def test_a_row_without_what_every_finding_has_is_refused(column):
    with pytest.raises(ValueError, match=f"returned no {column}"):
        Finding.from_row(ROW | {column: None})


def test_a_verdict_that_does_not_page_is_refused():
    with pytest.raises(ValueError, match="'VERIFIED' does not page"):
        finding(verdict="VERIFIED")


def test_every_verdict_that_pages_has_a_runbook_of_its_name():
    runbooks = {
        json.loads(pages_of([finding(verdict=verdict)])[0].message)["runbook"]
        for verdict in SEVERITIES
    }
    assert runbooks == {f"docs/runbooks/{verdict.lower()}.md" for verdict in SEVERITIES}
