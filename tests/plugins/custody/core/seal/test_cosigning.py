"""What cosigners' answers and silence say of the seal."""

from datetime import timedelta

import pytest
from tests.support.cosigners import ANNE, BOB, NOW, policy_text
from tests.support.transparency import OTHER_SIGNER, MemoryLog

from custody.core.seal.check import COSIGNED, SealDefectKind
from custody.core.seal.cosigning import QUORUM_GRACE, lapse, other_history
from custody.core.tlog.policy import CosigningPolicy
from custody.core.tlog.quorum import cosigned
from custody.core.tlog.witness_protocol import Answer

NOTE = MemoryLog(5).note
POLICY = CosigningPolicy.parse(policy_text("2"))
HOUR = timedelta(hours=1)


def both(at):
    return BOB.sign(ANNE.sign(NOTE, at), at)


@pytest.mark.parametrize("missed", [timedelta(), 24 * HOUR, QUORUM_GRACE])
def test_one_seal_without_a_quorum_is_no_defect(missed):
    assert lapse(both(NOW - missed), POLICY, None, {}, NOW) is None


def test_a_quorum_that_is_there_now_is_no_defect_whatever_was():
    assert lapse(None, POLICY, cosigned(both(NOW), POLICY, NOW), {}, NOW) is None


def test_the_second_in_a_row_is_one_and_says_who_was_silent():
    answers = {"anne": Answer((ANNE.signature(NOTE),)), "bob": Answer(trouble="it is away")}
    found = cosigned(ANNE.sign(NOTE), POLICY, NOW)
    defect = lapse(both(NOW - 48 * HOUR), POLICY, found, answers, NOW)
    assert (defect.kind, defect.path) == (SealDefectKind.UNCOSIGNED, COSIGNED)
    assert defect.reason == (
        "the policy asks for 2 of (anne, bob, carl); the last was complete at "
        "2026-11-01T04:00:00Z; bob did not sign: it is away"
    )


@pytest.mark.parametrize(
    "last",
    [
        None,
        b"not a note",
        NOTE,
        ANNE.sign(NOTE),
        BOB.sign(ANNE.sign(NOTE, NOW - 48 * HOUR)),
        both(NOW + HOUR),
    ],
)
def test_what_is_remembered_must_have_had_a_quorum_in_time(last):
    """Else whoever overwrites it could keep the silence."""
    assert lapse(last, POLICY, None, {}, NOW).kind is SealDefectKind.UNCOSIGNED


def test_a_policy_that_is_about_another_log_is_told():
    policy = CosigningPolicy.parse(f"log {OTHER_SIGNER.key.vkey}\n{policy_text('any')}")
    defect = lapse(None, policy, cosigned(both(NOW), policy, NOW), {}, NOW)
    assert "there never was one; none of the logs of the policy signed it" in defect.reason


def test_who_knows_another_history_is_named_and_who_is_away_is_not():
    answers = {
        "anne": Answer((ANNE.signature(NOTE),)),
        "bob": Answer(trouble="it has signed 7 entries, and here are 5", other_history=True),
        "carl": Answer(trouble="it is away"),
    }
    defect = other_history(answers)
    assert (defect.kind, defect.path) == (SealDefectKind.OTHER_HISTORY, COSIGNED)
    assert defect.reason == "bob refuses it: it has signed 7 entries, and here are 5"
    assert other_history({name: answers[name] for name in ("anne", "carl")}) is None
