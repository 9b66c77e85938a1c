"""Rows of the ledger become findings, and what was told of them is kept."""

from datetime import UTC, datetime
from itertools import pairwise

import pytest
from tests.support.findings import ROW, finding

from custody.core.ledger.tables import COLUMNS
from custody.core.ledger.verdicts import SETTLED, Verdict
from custody.core.paging.findings import SEVERITIES, PageState, read_row
from custody.objects import ObjectVersion

ALWAYS = [column.name for column in COLUMNS["ledger"] if not column.nullable]


def test_every_verdict_that_pages_has_a_severity_and_no_other():
    assert set(SEVERITIES) == {verdict.value for verdict in set(Verdict) - SETTLED}
    assert all(type(verdict) is str for verdict in SEVERITIES)  # their repr goes into SQL
    order = list(SEVERITIES.values())
    assert set(order) == {"critical", "high"}
    assert all(not (one == "high" and next_ == "critical") for one, next_ in pairwise(order))


def test_a_row_becomes_a_finding():
    found = finding()
    key = "incoming/customers/dt=2026-11-01/a b.csv"
    assert found.object_version == ObjectVersion("raw", key, "v1")
    assert found.partition == ("2026-11-01", "06")
    assert (found.verdict_reason, found.user_agent, found.log_key) == (
        "because",
        None,
        "AWSLogs/l1.json.gz",
    )


@pytest.mark.parametrize("column", ALWAYS)
@pytest.mark.parametrize("value", [None, ""])
def test_a_row_without_what_every_finding_has_is_refused(column, value):
    with pytest.raises(ValueError, match=f"without {column}"):
        read_row(ROW | {column: value})


@pytest.mark.parametrize(
    "change",
    [{"verdict": "GUESSED"}, {"event_time": "yesterday"}, {"event_time": "2026-11-01 06:00:01"}],
)
def test_a_row_that_makes_no_sense_is_refused(change):
    with pytest.raises(ValueError, match=next(iter(change.values()))[:4] + "|UTC"):
        read_row(ROW | change)


def test_a_finding_may_have_no_principal():
    assert finding(principal_arn=None).principal_arn is None


def test_sizes_and_times_are_read():
    found = read_row(ROW | {"size_bytes": "12", "hashed_at": "2026-11-01T06:00:02Z"})
    assert (found.size_bytes, found.hashed_at) == (12, datetime(2026, 11, 1, 6, 0, 2, tzinfo=UTC))


def test_what_was_told_survives_being_stored():
    for is_open in (True, False):
        state = PageState(finding(), is_open)
        assert PageState.from_json(state.to_json()) == state


@pytest.mark.parametrize(
    "value",
    [
        None,
        [],
        {},
        {"open": "yes", "finding": {}},
        {"open": True},
        {"open": True, "finding": []},
        {"open": True, "finding": {"verdict": "CONFLICT"}},
        {"open": True, "finding": PageState(finding(), True).to_json()["finding"] | {"key": 1}},
    ],
)
def test_what_is_no_state_is_refused(value):
    with pytest.raises(ValueError, match=r"page|finding"):
        PageState.from_json(value)


def test_the_stored_form_of_a_finding_stays():
    """States that were written before are read, and what is written now is read by what was
    there before."""
    assert PageState(finding(fingerprint="f1"), is_open=True).to_json() == {
        "open": True,
        "finding": {
            "verdict": "UNRECORDED",
            "bucket": "raw",
            "key": "incoming/customers/dt=2026-11-01/a b.csv",
            "version_id": "v1",
            "principal_arn": "arn:aws:iam::111122223333:user/crm-export",
            "event_time": "2026-11-01T06:00:01Z",
            "reason": "because",
            "fingerprint": "f1",
            "event_name": "PutObject",
            "principal_type": "IAMUser",
            "source_ip": "203.0.113.7",
            "user_agent": None,
            "pipeline_layer": "bronze",
            "sha256": None,
            "event_id": "e1",
            "request_id": "r1",
            "record_key": None,
            "log_key": "AWSLogs/l1.json.gz",
            "digest_key": "AWSLogs/d1.json.gz",
        },
    }
