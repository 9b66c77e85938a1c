"""A lineage statement that must not be believed is a finding about itself, and names its writer."""

from __future__ import annotations

from dataclasses import asdict, replace
from datetime import UTC, datetime, timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given
from hypothesis import strategies as st
from tests.plugins.custody.core.lineage.test_trust import TRUST, store
from tests.plugins.custody.core.trail.test_events import event
from tests.support.lineages import LINEAGE, RUN
from tests.support.trail_records import USER, put

from custody.core.ledger.kinds.lineage import is_statement, rows_of_statements
from custody.core.ledger.policy import Policy
from custody.core.lineage.checking import LineageCheck, check_statement
from custody.core.lineage.model import LINEAGE_PREFIX, statement_key

AT = datetime(2026, 11, 2, 2, 1, 31, tzinfo=UTC)
PLACE = statement_key(RUN)
POLICY = Policy(
    as_of=AT + timedelta(hours=3),
    grace=timedelta(minutes=30),
    layers={"provenance": "provenance", "raw": "bronze"},
    writers={},
    recorders=(),
    prefix_writers={LINEAGE_PREFIX: (USER["arn"],)},
)


def check(raw: bytes, key: str = PLACE, version_id: str = "p1") -> LineageCheck:
    return check_statement(
        raw, TRUST, bucket="provenance", key=key, version_id=version_id, written_at=AT
    )


def written(*, proven: bool = True, version: str | None = "p1", second: int = 31):
    found = event(put(), proven=proven)
    return replace(
        found,
        bucket="provenance",
        key=PLACE,
        version_id=version,
        time=AT.replace(second=second),
        digest="d1" if proven else None,
    )


def bad(version: str = "p1") -> LineageCheck:
    return check(b"{}", version_id=version)


def test_an_honest_statement_is_no_finding():
    found = check(store()[PLACE])
    assert (found.trouble, found.was_read) == (None, True)
    assert found.key_id
    assert list(rows_of_statements([found], [written()], POLICY)) == []


@pytest.mark.parametrize(
    ("raw", "key", "trouble"),
    [
        (b"", PLACE, "not JSON"),
        (b"{}", PLACE, "payload"),
        (store(key=ec.generate_private_key(ec.SECP256R1()))[PLACE], PLACE, "does not match"),
        (store()[PLACE], "provenance/lineage/dt=2026-11-01/x.json", "holds part 1 of run"),
        (store(replace(LINEAGE, builder_id="mine"))[PLACE], PLACE, "built by mine"),
    ],
    ids=["empty", "no envelope", "another key", "moved", "another builder"],
)
def test_what_the_gold_job_would_refuse_is_bad(raw, key, trouble):
    found = check(raw, key)
    assert trouble in (found.trouble or "")


@given(st.binary(max_size=200))
def test_rubbish_is_bad_and_nothing_worse(raw):
    assert check(raw).trouble


def test_the_finding_is_about_the_statement_and_names_who_wrote_it():
    (row,) = rows_of_statements(
        [bad(), check(store()[PLACE], version_id="p2")], [written()], POLICY
    )
    assert (row.verdict, row.bucket, row.object_key, row.version_id) == (
        "BAD_SIGNATURE",
        "provenance",
        PLACE,
        "p1",
    )
    assert row.principal_arn == written().who.arn
    assert f"; it was written by {row.principal_arn}." in row.verdict_reason
    assert (row.record_key, row.log_key, row.digest_key) == (PLACE, "log-1", "d1")
    assert row.pipeline_layer == "provenance"


def test_only_a_proven_write_of_this_version_names_anybody():
    writes = [written(proven=False, second=1), written(version="p9", second=2)]
    (row,) = rows_of_statements([bad()], writes, POLICY)
    assert (row.principal_arn, row.event_time) == (None, AT)
    (row,) = rows_of_statements([bad()], [*writes, written(second=40)], POLICY)
    assert (row.principal_arn, row.event_time.second) == (written().who.arn, 40)


def test_somebody_elses_statement_is_unexpected_unless_it_is_bad():
    policy = replace(POLICY, prefix_writers={})
    good = check(store()[PLACE])
    (row,) = rows_of_statements([good], [written()], policy)
    assert (row.verdict, row.version_id) == ("UNEXPECTED_PRINCIPAL", "p1")
    (row,) = rows_of_statements([bad()], [written()], policy)
    assert row.verdict == "BAD_SIGNATURE"
    # One that was taken away before anybody could read it.
    (row,) = rows_of_statements([], [written()], policy)
    assert row.verdict == "UNEXPECTED_PRINCIPAL"


def test_a_version_that_was_checked_twice_is_one_finding():
    assert len(list(rows_of_statements([bad(), bad(), bad("p2")], [written()], POLICY))) == 2


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, True),
        ({"key": "provenance/lineage/dt=2026-11-01/anything"}, True),
        ({"key": "provenance/lineage/dt=2026-11-01/"}, False),
        ({"key": "provenance/incoming/dt=2026-11-01/x.json"}, False),
        ({"bucket": "raw"}, False),
        ({"name": "DeleteObject"}, False),
        ({"key": None}, False),
    ],
)
def test_which_events_write_statements(changes, expected):
    assert is_statement(replace(written(), **changes), POLICY) is expected


def test_a_row_of_the_table_is_the_check():
    assert LineageCheck(**asdict(bad())) == bad()
