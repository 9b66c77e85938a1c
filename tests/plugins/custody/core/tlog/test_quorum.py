"""Who of a policy has cosigned a checkpoint, and which signatures are kept."""

from datetime import timedelta

import pytest
from tests.support.cosigners import ANNE, BOB, CARL, NOW, TestCosigner, policy_text
from tests.support.transparency import KEY, OTHER_SIGNER, MemoryLog

from custody.core.formats.untrusted import MalformedInput
from custody.core.tlog.policy import CosigningPolicy
from custody.core.tlog.quorum import CLOCKS_DIFFER, cosigned, with_cosignatures
from custody.core.tlog.signed_note import open_note, put_together, take_apart

NOTE = MemoryLog(5).note
TEXT, LOG_SIGNATURES = take_apart(NOTE)
TWO_OF_THREE = CosigningPolicy.parse(policy_text("2"))
HOUR = timedelta(hours=1)
STRANGER = TestCosigner("stranger")


def test_a_quorum_is_met_by_enough_of_its_members():
    assert not cosigned(NOTE, TWO_OF_THREE, NOW).is_met
    one = cosigned(ANNE.sign(NOTE), TWO_OF_THREE, NOW)
    assert (one.is_met, one.times) == (False, {"anne": NOW})
    two = cosigned(BOB.sign(ANNE.sign(NOTE)), TWO_OF_THREE, NOW)
    assert (two.is_met, set(two.times), two.faults) == (True, {"anne", "bob"}, ())


def test_who_signs_twice_counts_once_and_strangers_not_at_all():
    note = STRANGER.sign(ANNE.sign(ANNE.sign(NOTE, NOW - HOUR)))
    found = cosigned(note, TWO_OF_THREE, NOW)
    assert (found.is_met, found.times, found.faults) == (False, {"anne": NOW}, ())


def test_a_forged_cosignature_spoils_the_checkpoint_whoever_else_signed():
    forged = put_together(TEXT, [*LOG_SIGNATURES, CARL.signature(b"another text\n")])
    found = cosigned(BOB.sign(ANNE.sign(forged)), TWO_OF_THREE, NOW)
    assert (set(found.times), found.is_met, found.complete_since) == ({"anne", "bob"}, False, None)
    assert "the cosignature of carl does not match" in found.in_words


def test_nobody_signs_in_the_future():
    late = NOW + CLOCKS_DIFFER
    assert cosigned(BOB.sign(ANNE.sign(NOTE, late)), TWO_OF_THREE, NOW).is_met
    later = late + timedelta(seconds=1)
    found = cosigned(BOB.sign(ANNE.sign(NOTE, later)), TWO_OF_THREE, NOW)
    assert (found.is_met, set(found.times)) == (False, {"bob"})
    assert "later than now" in found.in_words


def test_a_quorum_is_as_old_as_the_last_one_it_needs():
    note = CARL.sign(BOB.sign(ANNE.sign(NOTE, NOW - 3 * HOUR), NOW - 2 * HOUR), NOW - HOUR)
    for quorum, hours in (("any", 1), ("2", 2), ("all", 3)):
        policy = CosigningPolicy.parse(policy_text(quorum))
        assert cosigned(note, policy, NOW).complete_since == NOW - hours * HOUR
    assert cosigned(ANNE.sign(NOTE), TWO_OF_THREE, NOW).complete_since is None
    nobody = CosigningPolicy.parse("quorum none\n")
    assert (cosigned(NOTE, nobody, NOW).is_met, cosigned(NOTE, nobody, NOW).complete_since) == (
        True,
        None,
    )


def test_a_policy_that_lists_logs_wants_one_of_them():
    theirs = CosigningPolicy.parse(f"log {OTHER_SIGNER.key.vkey}\nquorum none\n")
    found = cosigned(NOTE, theirs, NOW)
    assert (found.is_met, "none of the logs of the policy" in found.in_words) == (False, True)
    both = CosigningPolicy.parse(f"log {OTHER_SIGNER.key.vkey}\nlog {KEY.vkey}\nquorum none\n")
    assert cosigned(NOTE, both, NOW).is_met


def test_people_read_who_signed_and_what_is_asked_for():
    assert cosigned(ANNE.sign(NOTE), TWO_OF_THREE, NOW).in_words == (
        "the policy asks for 2 of (anne, bob, carl); cosigned by anne at 2026-11-03T04:00:00Z, "
        "not by bob, not by carl"
    )
    nobody = CosigningPolicy.parse("quorum none\n")
    assert cosigned(NOTE, nobody, NOW).in_words == (
        "the policy asks for nobody; cosigned by nobody"
    )


def test_what_is_no_note_is_refused():
    with pytest.raises(MalformedInput):
        cosigned(b"no note", TWO_OF_THREE, NOW)


def add(note: bytes, *fresh):
    return with_cosignatures(note, fresh, TWO_OF_THREE, NOW)


def test_cosignatures_become_lines_of_the_note_and_nothing_else_of_it_changes():
    note = add(NOTE, BOB.signature(TEXT), ANNE.signature(TEXT))
    assert note == BOB.sign(ANNE.sign(NOTE))
    assert open_note(note, [KEY]) == TEXT.decode()
    assert add(NOTE) == NOTE


def test_the_newest_of_each_cosigner_is_kept():
    old = BOB.sign(ANNE.sign(NOTE, NOW - HOUR), NOW - HOUR)
    assert add(old, ANNE.signature(TEXT)) == BOB.sign(ANNE.sign(NOTE), NOW - HOUR)
    assert add(old, ANNE.signature(TEXT, NOW - 2 * HOUR)) == old


def test_what_verifies_by_no_key_of_the_policy_is_not_added():
    wrong = ANNE.signature(b"another text\n")
    assert add(NOTE, wrong, STRANGER.signature(TEXT), BOB.signature(TEXT, NOW + HOUR)) == NOTE


def test_what_was_forged_is_taken_out_and_what_others_signed_stays():
    stray = STRANGER.sign(NOTE)
    text, signatures = take_apart(stray)
    forged = put_together(text, [*signatures, CARL.signature(b"another text\n")])
    assert add(forged) == stray
