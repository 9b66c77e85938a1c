"""An answer is what was signed, for this finding, at this place and time; anything else is none."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from tests.support.answers import AT, FINDING, closed, signed, stored, taken

from custody.core.answers.model import LONGEST, PUT_WITHIN, Answer
from custody.core.answers.statement import to_payload
from custody.core.seal.entries import filed_under


@pytest.mark.parametrize(
    "answer", [taken(), closed(), taken(user="alice", reason="<b>ä\n"), taken(days=30)]
)
def test_what_was_signed_is_read_as_it_was_given(answer: Answer) -> None:
    read = stored(signed(answer), answer.key)
    assert (read.answer, read.trouble) == (answer, "")
    assert filed_under(answer.key) == AT.date()  # so that it is sealed


@pytest.mark.parametrize(
    "wrong",
    [
        {"reason": " \n"},
        {"reason": "x" * 1001},
        {"days": LONGEST.days + 1},
        {"days": 0},
        {"days": -1},
    ],
)
def test_nobody_takes_a_finding_on_without_a_reason_or_for_too_long(wrong: Any) -> None:
    with pytest.raises(ValueError, match=r"reason|days"):
        taken(**wrong)


def test_what_is_closed_has_no_end() -> None:
    with pytest.raises(ValueError, match="no end"):
        closed(until=AT + timedelta(days=1))


def test_what_another_key_signed_is_forged() -> None:
    other = ec.generate_private_key(ec.SECP256R1())
    forged = signed(taken(), other)
    assert "does not match" in stored(forged, taken().key).trouble


def test_what_was_altered_is_none() -> None:
    document = json.loads(signed(taken()))
    document["payload"] = json.loads(signed(closed()))["payload"]
    assert "does not match" in stored(json.dumps(document).encode(), closed().key).trouble


def test_an_answer_to_one_finding_answers_no_other() -> None:
    """Replayed: the same bytes where the answer to another finding would lie."""
    elsewhere = taken().key.replace(FINDING, "0" * 64)
    read = stored(signed(taken()), elsewhere)
    assert read.answer is None
    assert f"belongs at {taken().key}" in read.trouble


@pytest.mark.parametrize("apart", [PUT_WITHIN, -PUT_WITHIN])
def test_none_is_made_in_advance_or_kept_back(apart: timedelta) -> None:
    raw, key = signed(taken()), taken().key
    assert stored(raw, key, AT + apart).answer is not None
    late = stored(raw, key, AT + apart * 1.001)
    assert "not when it was stored" in late.trouble


@pytest.mark.parametrize("raw", [b"", b"{}", b"[]", b"\xff"])
def test_rubbish_is_no_answer(raw: bytes) -> None:
    assert stored(raw, taken().key).trouble


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("answer", "forgotten"),
        ("until", "2027-11-01T12:38:00.000Z"),
        ("at", "yesterday"),
        ("by", ""),
        ("reason", None),
    ],
)
def test_a_key_that_signs_rubbish_answers_nothing(
    name: str, value: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever may sign chooses what; each field is read with its form."""
    document = json.loads(to_payload(taken()))
    document["predicate"][name] = value
    monkeypatch.setattr("tests.support.answers.to_payload", lambda _: json.dumps(document).encode())
    assert stored(signed(taken()), taken().key).trouble


def test_whose_answer_it_is_says_who_says_so() -> None:
    assert taken().who == taken().by
    assert taken(user="bob").who == f"bob (by Airflow's word, as {taken().by})"
