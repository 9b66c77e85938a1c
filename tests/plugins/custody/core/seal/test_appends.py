"""The appends of a log: together they are all of it, or it is said what is missing."""

from datetime import date, timedelta

import pytest
from tests.support.transparency import ORIGIN, OTHER_SIGNER, SIGNER

from custody.core.formats.untrusted import MalformedInput
from custody.core.seal.appends import Appends, join_notes, records_among, split_notes
from custody.core.seal.entries import RecordEntry
from custody.core.seal.intent import Intent, take_apart
from custody.core.tlog.checkpoint import Checkpoint
from custody.core.tlog.merkle import EMPTY_ROOT
from custody.core.tlog.signed_note import BadNote

DAY = date(2026, 11, 1)
ROOT = b"\1" * 32


def record(number: int, day: date = DAY) -> bytes:
    return RecordEntry(f"provenance/incoming/dt={day}/{number}.json", f"{number:064x}").to_bytes()


def note(start: int, count: int, day: date = DAY, signer=SIGNER) -> bytes:
    before = Checkpoint(ORIGIN, start, ROOT if start else EMPTY_ROOT)
    intent = Intent(before, day, tuple(record(n, day) for n in range(start, start + count)))
    return take_apart(intent.sign(signer))[0]


def opened(*notes: bytes, size: int) -> Appends:
    return Appends.open(notes, checkpoint=Checkpoint(ORIGIN, size, ROOT), keys=[SIGNER.key])


NOTES = [note(0, 3), note(3, 2, DAY + timedelta(days=1)), note(5, 1)]


def test_all_appends_say_which_leaves_are_of_a_day():
    appends = opened(*reversed(NOTES), size=6)
    assert [(head.before.size, head.end) for head in appends.of_day(DAY)] == [(0, 3), (5, 6)]
    assert appends.reached() == DAY + timedelta(days=1)
    assert [appends.reached(leaf) for leaf in (0, 2, 3, 5)] == [
        DAY, DAY, DAY + timedelta(days=1), DAY + timedelta(days=1),
    ]  # fmt: skip


def test_what_was_decided_behind_the_checkpoint_is_no_part_of_it():
    assert len(opened(*NOTES, size=5).heads) == 2


def test_the_empty_log_has_none():
    assert opened(size=0).reached() is None


@pytest.mark.parametrize("missing", range(3))
def test_none_can_be_left_out(missing):
    some = NOTES[:missing] + NOTES[missing + 1 :]
    with pytest.raises(MalformedInput, match="append/0"):
        opened(*some, size=6)


@pytest.mark.parametrize(
    "more", [note(0, 3), note(3, 3), note(6, 1)], ids=["again", "other", "end"]
)
def test_none_can_be_put_among_them(more):
    with pytest.raises(MalformedInput, match="append/0"):
        opened(*NOTES, more, size=6 if more != note(6, 1) else 8)


def test_one_that_the_log_did_not_sign_is_refused():
    with pytest.raises(BadNote):
        opened(note(0, 3, signer=OTHER_SIGNER), size=3)


def test_notes_travel_in_one_file():
    assert split_notes(join_notes(NOTES)) == NOTES
    for bad in (b"", b"x", join_notes(NOTES)[:-3] + b"\n\nx"):
        with pytest.raises(MalformedInput):
            opened(*split_notes(bad), size=6)


def test_records_are_found_with_their_leaves_and_other_entries_passed_over():
    entries = [record(0), b'{"kind":"other"}', record(2)]
    assert [(each.index, each.entry.to_bytes()) for each in records_among(7, entries)] == [
        (7, record(0)),
        (9, record(2)),
    ]
