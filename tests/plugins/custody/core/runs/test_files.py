"""Whose a file of a cache is, and the list by which a run names its own."""

from __future__ import annotations

import json
from datetime import date

import pytest
from tests.support.judging_runs import FILE

from custody.core.formats.untrusted import MalformedInput
from custody.core.runs.files import (
    WrittenFile,
    cache_folder,
    files_from_bytes,
    files_to_bytes,
    writer_of,
)

DAY = date(2026, 11, 1)
FOLDER = cache_folder("record_checks/", DAY, judged=date(2026, 11, 2), run_id="jr_1")


def test_a_file_of_a_cache_names_the_run_that_wrote_it() -> None:
    assert FOLDER == "record_checks/dt=2026-11-01/judged=2026-11-02/run=jr_1/"
    assert writer_of(f"{FOLDER}part-0.parquet") == (date(2026, 11, 2), "jr_1")


@pytest.mark.parametrize(
    "key",
    [
        "record_checks/dt=2026-11-01/run=jr_1/part-0.parquet",  # of earlier releases
        f"{FOLDER}_SUCCESS",
        f"{FOLDER}_temporary/0/part-0.parquet",
        f"{FOLDER.replace('jr_1', 'jr.1')}part-0.parquet",
        f"{FOLDER.replace('judged=2026-11-02', 'judged=today')}part-0.parquet",
        "record_checks/planted.parquet",
    ],
)
def test_what_names_no_run_has_no_writer(key: str) -> None:
    assert writer_of(key) is None


def test_the_list_is_read_as_it_was_written() -> None:
    other = WrittenFile("a.parquet", "v2", "aa" * 32)
    assert files_from_bytes(files_to_bytes([FILE, other])) == {
        FILE.key: FILE,
        "a.parquet": other,
    }
    assert files_to_bytes([FILE, other]) == files_to_bytes([other, FILE])
    assert files_from_bytes(files_to_bytes([])) == {}


@pytest.mark.parametrize(
    ("document", "told"),
    [
        ({}, r"files\.v"),
        ({"v": 2, "files": []}, r"files\.v"),
        ({"v": 1, "files": [["key", "v"]]}, r"files\[0\]: must be a key"),
        ({"v": 1, "files": [["key", "v", "aa"]]}, r"files\[0\]\.sha256"),
        ({"v": 1, "files": ["key"]}, r"files\[0\]: must be a key"),
    ],
)
def test_a_list_of_another_form_is_refused(document: object, told: str) -> None:
    with pytest.raises(MalformedInput, match=told):
        files_from_bytes(json.dumps(document).encode())
