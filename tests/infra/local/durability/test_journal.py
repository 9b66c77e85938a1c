from __future__ import annotations

from pathlib import Path

import pytest

from localaws.durability.journal import Journal, JournalError, read


def test_what_was_appended_is_read_back(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "deep" / "journal.jsonl")
    journal.append([{"n": 1}, {"n": "ü\n"}])
    journal.append([])
    journal.append([{"n": 3}])
    assert list(read(tmp_path / "deep" / "journal.jsonl")) == [{"n": 1}, {"n": "ü\n"}, {"n": 3}]
    assert journal.size == (tmp_path / "deep" / "journal.jsonl").stat().st_size
    journal.close()


def test_replacing_begins_anew_and_appending_goes_on(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    journal = Journal(path)
    journal.append([{"n": 1}])
    journal.replace([{"n": 2}])
    assert journal.size == 0
    journal.append([{"n": 3}])
    journal.close()
    assert list(read(path)) == [{"n": 2}, {"n": 3}]


def test_a_torn_last_line_was_never_told_to_anybody(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    path.write_bytes(b'{"n":1}\n{"n":2')
    assert list(read(path)) == [{"n": 1}]


@pytest.mark.parametrize("line", [b"{", b"[1]"])
def test_any_other_damage_is_named(tmp_path: Path, line: bytes) -> None:
    path = tmp_path / "journal.jsonl"
    path.write_bytes(b'{"n":1}\n' + line + b'\n{"n":3}\n')
    with pytest.raises(JournalError, match=r"journal\.jsonl, line 2"):
        list(read(path))


def test_a_journal_that_was_never_written_is_empty(tmp_path: Path) -> None:
    assert list(read(tmp_path / "none")) == []
