"""An answer that must not be believed is a finding about itself, and names who put it there."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from tests.plugins.custody.core.trail.test_events import event
from tests.support.answers import AIRFLOW, ALICE, AT, FINDING, closed, signed, stored, taken
from tests.support.trail_records import put

from custody.core.answers.model import ANSWER_PREFIX, Answer
from custody.core.answers.statement import StoredAnswer
from custody.core.ledger.kinds.answers import answer_row, is_answer
from custody.core.ledger.kinds.undeclared import unhashed_write_rows
from custody.core.ledger.policy import Policy
from custody.core.ledger.rows import LedgerRow
from custody.core.trail.events import TrailEvent
from custody.core.trail.principals import Principal

ON_CALL = "arn:aws:iam::111122223333:role/custody-test-on-call"
ADMIN = "arn:aws:iam::111122223333:user/admin"
SESSION = "arn:aws:sts::111122223333:assumed-role/custody-test-airflow/scheduler"
POLICY = Policy(
    as_of=AT + timedelta(hours=3),
    grace=timedelta(minutes=30),
    layers={"provenance": "provenance", "raw": "bronze"},
    writers={},
    recorders=(),
    prefix_writers={ANSWER_PREFIX: (AIRFLOW, ON_CALL)},
)


def written(arn: str, role: str | None = None, *, proven: bool = True) -> TrailEvent:
    return replace(
        event(put(), proven=proven),
        bucket="provenance",
        key=taken().key,
        version_id="a1",
        time=AT,
        who=Principal(arn, "AssumedRole" if role else "IAMUser", None, role),
    )


def row(read: StoredAnswer, write: TrailEvent | None) -> LedgerRow | None:
    return answer_row(read, write, POLICY, airflow=AIRFLOW)


def read_of(answer: Answer) -> StoredAnswer:
    return stored(signed(answer), answer.key)


BY_ALICE = written(ALICE, ON_CALL)
BY_AIRFLOW = written(SESSION, AIRFLOW)


@pytest.mark.parametrize(
    ("answer", "write"),
    [
        (taken(), BY_ALICE),
        (closed(), BY_ALICE),
        (taken(by=AIRFLOW, user="bob"), BY_AIRFLOW),
        (taken(), None),  # the event may come; the next audit looks again
        (taken(), written(ADMIN, proven=False)),
    ],
)
def test_an_honest_answer_is_no_finding(answer: Answer, write: TrailEvent | None) -> None:
    assert row(read_of(answer), write) is None


@pytest.mark.parametrize(
    ("answer", "write"),
    [
        (taken(), written(ADMIN)),
        (taken(), written(ALICE.replace("alice", "mallory"), ON_CALL)),
        (taken(), BY_AIRFLOW),
        (taken(by=ON_CALL), BY_ALICE),  # hides who it was
        (taken(by=ALICE, user="bob"), BY_ALICE),  # only Airflow speaks for others
        (taken(by=AIRFLOW, user="bob"), BY_ALICE),
    ],
)
def test_an_answer_in_anothers_name_is_a_conflict(answer: Answer, write: TrailEvent) -> None:
    found = row(read_of(answer), write)
    assert found is not None
    assert (found.verdict, found.principal_arn) == ("CONFLICT", write.who.arn)
    assert answer.who in found.verdict_reason
    assert (found.object_key, found.version_id) == (answer.key, "a1")


def test_a_forged_answer_names_who_put_it_there() -> None:
    found = row(stored(b"{}", taken().key), BY_ALICE)
    assert found is not None
    assert (found.verdict, found.principal_arn) == ("BAD_SIGNATURE", ALICE)
    assert found.pipeline_layer == "provenance"
    nobody = row(stored(b"{}", taken().key), None)
    assert nobody is not None
    assert (nobody.principal_arn, nobody.event_time) == (None, AT)


def test_a_write_by_whom_may_not_answer_is_found_as_such() -> None:
    assert is_answer(BY_ALICE, POLICY)
    assert not is_answer(replace(BY_ALICE, bucket="raw"), POLICY)
    assert list(unhashed_write_rows(BY_ALICE, POLICY)) == []
    assert list(unhashed_write_rows(BY_AIRFLOW, POLICY)) == []
    (found,) = unhashed_write_rows(written(ADMIN), POLICY)
    assert (found.verdict, found.principal_arn) == ("UNEXPECTED_PRINCIPAL", ADMIN)
    assert FINDING in found.object_key
