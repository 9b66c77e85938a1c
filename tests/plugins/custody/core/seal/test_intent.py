from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.transparency import KEY, ORIGIN, OTHER_SIGNER, SIGNER

from custody.core.formats.untrusted import MalformedInput
from custody.core.seal.intent import MAX_ENTRIES, MAX_ENTRIES_BYTES, Intent, portions
from custody.core.tlog.checkpoint import Checkpoint
from custody.core.tlog.signed_note import BadNote, sign_note

HEAD = Checkpoint(ORIGIN, 41, b"r" * 32)
INTENT = Intent(HEAD, date(2026, 11, 1), (b'{"a":1}', b'{"b":"\xc3\xa9"}'))
FILE = INTENT.sign(SIGNER)


def reopened(raw: bytes, before: Checkpoint = HEAD) -> Intent:
    return Intent.open(raw, before=before, keys=[KEY])


def test_reads_what_it_writes():
    assert reopened(FILE) == INTENT


def test_the_text_that_is_signed_stays_short():
    long = Intent(HEAD, date(2026, 11, 1), (b"x" * 60_000,) * 200)
    assert len(long.sign(SIGNER).partition(b"\n\n")[0]) < 4096  # the most KMS signs


@pytest.mark.parametrize("place", range(len(FILE)))
def test_every_byte_counts(place):
    with pytest.raises((BadNote, MalformedInput)):
        reopened(FILE[:place] + bytes([FILE[place] ^ 1]) + FILE[place + 1 :])
    with pytest.raises((BadNote, MalformedInput)):
        reopened(FILE[:place])


@pytest.mark.parametrize(
    "head",
    [
        replace(HEAD, size=40),
        replace(HEAD, root=b"s" * 32),
        replace(HEAD, origin="other.example/log"),
    ],
)
def test_it_is_about_one_place_of_one_log(head):
    with pytest.raises(MalformedInput, match="is not one to append to"):
        reopened(FILE, head)


def test_another_key_decides_nothing():
    with pytest.raises(BadNote):
        reopened(INTENT.sign(OTHER_SIGNER))


def test_it_is_no_checkpoint_and_a_checkpoint_is_no_intent():
    note, _, _ = FILE.rpartition(b"\n\n")
    with pytest.raises(MalformedInput, match="checkpoint origin"):
        Checkpoint.open(note + b"\n", origin=ORIGIN, keys=[KEY])
    with pytest.raises(MalformedInput, match="is not one to append to"):
        reopened(HEAD.sign(SIGNER) + b"\nx\n")


@pytest.mark.parametrize("entries", [(), (b"x",) * (MAX_ENTRIES + 1), (b"x" * 60_000,) * 300])
def test_too_many_or_none(entries):
    with pytest.raises(ValueError, match="entries with"):
        replace(INTENT, entries=entries).sign(SIGNER)


def test_an_entry_is_a_line():
    with pytest.raises(ValueError, match="must be one line"):
        replace(INTENT, entries=(b"a\nb",)).sign(SIGNER)


@pytest.mark.parametrize(
    ("raw", "problem"),
    [
        (b"", "must be a signed note, an empty line and entries"),
        (FILE.rpartition(b"\n\n")[0] + b"\n", "must be a signed note, an empty line and entries"),
        (b"x" * 20_000_000, "longer than"),
        (sign_note("a\nb\n", SIGNER) + b"\nx\n", "is not one to append to"),
    ],
)
def test_what_is_no_intent(raw, problem):
    with pytest.raises(MalformedInput, match=problem):
        reopened(raw)


@given(st.binary(max_size=200))
def test_no_bytes_crash_the_reader(raw):
    with pytest.raises((BadNote, MalformedInput)):
        reopened(raw)
    with pytest.raises((BadNote, MalformedInput)):
        reopened(FILE[:300] + raw)


def test_entries_are_divided_into_appends_that_hold_them():
    assert list(portions([])) == []
    assert list(portions([b"a", b"b"])) == [(b"a", b"b")]
    many = [b"%d" % i for i in range(2 * MAX_ENTRIES + 1)]
    parts = list(portions(many))
    assert [len(part) for part in parts] == [MAX_ENTRIES, MAX_ENTRIES, 1]
    assert [entry for part in parts for entry in part] == many
    large = [b"x" * 65_535] * 600
    assert [len(part) for part in portions(large)] == [256, 256, 88]
    assert MAX_ENTRIES_BYTES == 256 * 65_536
    for part in (*parts, *portions(large)):
        replace(INTENT, entries=part).sign(SIGNER)


def test_an_entry_too_long_for_the_log_is_refused_before_anything_is_decided():
    with pytest.raises(ValueError, match="65535 is the most"):
        list(portions([b"x" * 65_536]))
