"""What an auditor who remembers the last head sees of a log that was meddled with."""

from collections.abc import Iterable, Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.transparency import KEY, ORIGIN, OTHER_SIGNER, MemoryLog, entry

from custody.core.seal.check import REMEMBERED, SealCheck, SealDefectKind, check_seal
from custody.core.seal.layout import append_path
from custody.core.tlog.tiles import FileReader


def look(files: Mapping[str, bytes], read: FileReader | None = None, **options: Any) -> SealCheck:
    def list_files(prefix: str) -> Iterable[str]:
        return (path for path in files if path.startswith(prefix))

    return check_seal(read or files.get, list_files, origin=ORIGIN, keys=[KEY], **options)


def problems(check: SealCheck) -> list[tuple[SealDefectKind, str]]:
    return [(defect.kind, defect.path) for defect in check.defects]


@given(st.lists(st.integers(1, 600), min_size=1, max_size=5).map(sorted))
def test_an_honest_log_is_never_suspected(sizes):
    log, remembered = MemoryLog(), None
    for size in sizes:
        log.append(map(entry, range(log.tree.size, size)))
        check = look(log.files, remembered=remembered)
        assert check.defects == ()
        assert (check.head, check.checkpoint) == (log.note, log.checkpoint)
        assert check.tree
        assert check.tree.root == log.tree.root
        remembered = check.head


def test_a_log_that_went_back_is_noticed():
    then, now = MemoryLog(300), MemoryLog(299)
    check = look(now.files, remembered=then.note)
    assert problems(check) == [(SealDefectKind.ROLLBACK, "checkpoint")]
    assert check.defects[0].reason == "the log has 299 entries; it had 300"
    assert check.head is None


def test_a_log_that_is_gone_is_noticed():
    check = look({}, remembered=MemoryLog(300).note)
    assert problems(check) == [(SealDefectKind.ROLLBACK, "checkpoint")]
    assert check.defects[0].reason == "there is none; the log had 300 entries"


def test_a_log_that_nothing_was_sealed_into_has_no_defect():
    check = look({})
    assert (check.defects, check.nothing_sealed) == ((), True)
    assert (check.head, check.checkpoint, check.tree) == (None, None, None)
    assert not look(MemoryLog(3).files).nothing_sealed


@pytest.mark.parametrize("path", ["tile/entries/000.p/3", append_path(0), "day/2026-11-01/x"])
def test_files_without_a_checkpoint_are_a_log_whose_checkpoint_is_missing(path):
    check = look({path: b""})
    assert problems(check) == [(SealDefectKind.BAD_CHECKPOINT, "checkpoint")]
    assert not check.nothing_sealed


@pytest.mark.parametrize("size", [300, 301, 900])
def test_a_log_that_was_rewritten_is_noticed(size):
    then, now = MemoryLog(300), MemoryLog(299)
    now.append([b"forged", *map(entry, range(300, size))])
    check = look(now.files, remembered=then.note)
    assert problems(check) == [(SealDefectKind.FORK, "checkpoint")]
    assert "its first 300 entries are not those it had" in check.defects[0].reason
    assert check.head is None


@given(st.integers(0, 400), st.integers(1, 400))
def test_any_entry_that_is_rewritten_is_noticed(place, size):
    if place >= size:
        return
    now = MemoryLog()
    now.append(b"forged" if i == place else entry(i) for i in range(size + 5))
    found = problems(look(now.files, remembered=MemoryLog(size).note))
    assert found == [(SealDefectKind.FORK, "checkpoint")]


def test_a_checkpoint_of_another_key_is_not_trusted():
    log = MemoryLog(3)
    log.files["checkpoint"] = log.checkpoint.sign(OTHER_SIGNER)
    check = look(log.files)
    assert problems(check) == [(SealDefectKind.BAD_CHECKPOINT, "checkpoint")]
    assert "signed by no trusted key" in check.defects[0].reason
    assert (check.head, check.checkpoint, check.tree) == (None, None, None)


@pytest.mark.parametrize("place", range(len(MemoryLog(3).note)))
def test_every_byte_of_the_checkpoint_counts(place):
    log = MemoryLog(3)
    note = bytearray(log.note)
    note[place] ^= 1
    log.files["checkpoint"] = bytes(note)
    assert problems(look(log.files)) == [(SealDefectKind.BAD_CHECKPOINT, "checkpoint")]


def test_every_bad_file_is_a_defect_of_its_own():
    log = MemoryLog(1000)
    log.files["tile/0/001"] = bytes(8192)
    del log.files["tile/entries/002"]
    check = look(log.files)
    assert problems(check) == [
        (SealDefectKind.BAD_TILE, "tile/0/001"),
        (SealDefectKind.BAD_TILE, "tile/entries/002"),
    ]
    assert check.head is None


def test_a_bad_edge_leaves_no_tree_to_read():
    log = MemoryLog(1000)
    del log.files["tile/1/000.p/3"]
    check = look(log.files, remembered=MemoryLog(10).note)
    assert problems(check) == [(SealDefectKind.BAD_TILE, "tile/1/000.p/3")]
    assert (check.checkpoint, check.tree) == (log.checkpoint, None)


def test_only_what_is_new_is_read_unless_everything_is_asked_for():
    log = MemoryLog(300, 1000)
    del log.files["tile/entries/000"]
    remembered = MemoryLog(300).note
    assert look(log.files, remembered=remembered).defects == ()
    check = look(log.files, remembered=remembered, everything=True)
    assert problems(check) == [(SealDefectKind.BAD_TILE, "tile/entries/000")]


def test_in_so_many_samples_everything_has_its_turn():
    log = MemoryLog(2000)
    del log.files["tile/entries/000"]
    del log.files["tile/0/003"]
    found = [look(log.files, remembered=log.note, sample=(n, 4)) for n in range(4)]
    assert [problems(check) for check in found] == [
        [(SealDefectKind.BAD_TILE, "tile/entries/000")],
        [],
        [],
        [(SealDefectKind.BAD_TILE, "tile/0/003")],
    ]


def test_files_are_read_as_often_as_there_is_something_new():
    log = MemoryLog(60_000, 60_001)
    read = []

    def counted(path: str) -> bytes | None:
        read.append(path)
        return log.files.get(path)

    assert look(log.files, counted, remembered=MemoryLog(60_000).note).defects == ()
    assert len(read) < 10


def test_a_memory_that_cannot_be_read_is_said():
    log = MemoryLog(3)
    check = look(log.files, remembered=b"rubbish")
    assert problems(check) == [(SealDefectKind.BAD_MEMORY, REMEMBERED)]
    assert check.head is None
    check = look({}, remembered=log.checkpoint.sign(OTHER_SIGNER))
    assert problems(check) == [
        (SealDefectKind.BAD_MEMORY, REMEMBERED),
        (SealDefectKind.BAD_CHECKPOINT, "checkpoint"),
    ]
    assert not check.nothing_sealed
