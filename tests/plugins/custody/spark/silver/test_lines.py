"""What goes wrong while a file is read names the file and the line."""

from __future__ import annotations

import errno
import importlib
import io
import random
import sys
import tempfile
import zipfile
from itertools import chain
from pathlib import Path
from typing import Any

import pytest
from tests.support.customers import DT, HEADER, PREFIX, csv, good
from tests.support.landing_zone import PROVENANCE, RAW, LandingZone

from custody.aws.records import custody_gate
from custody.aws.records.custody_gate import Gate
from custody.aws.s3.listing import list_current
from custody.core.datasets.columns import own_name
from custody.core.datasets.contract_fields import ContractError, Place
from custody.core.datasets.contracts import Contract
from custody.spark.silver import lines
from custody.spark.silver.lines import UnreadFileError, read_lines
from custody.spark.silver.rows import Rows
from custody.spark.silver.shares import shared_out


@pytest.fixture
def zone() -> LandingZone:
    zone = LandingZone()
    zone.land(PREFIX + "a.csv", csv(good(1), "", good(2, email="zoe")))
    return zone


def read(zone: LandingZone, contract: Contract) -> list[dict[str, Any]]:
    s3: Any = zone.s3
    shares = shared_out(list_current(s3, RAW, PREFIX), readers=1)
    batches = read_lines(
        chain.from_iterable(shares), Gate(PROVENANCE, zone.keys), contract, DT, lambda: s3
    )
    lines = [line for batch in batches for line in batch.to_pylist()]
    return sorted(lines, key=lambda line: line["source_line"] or 1_000)


def test_a_line_is_judged_and_kept_if_it_is_rejected(zone: LandingZone, contract: Contract) -> None:
    first, blank, second, closing = read(zone, contract)

    assert [line["source_line"] for line in (first, blank, second, closing)] == [2, 3, 4, None]
    assert (first["reasons"], first["raw_line"]) == (None, None)
    assert (blank["reasons"], blank["raw_line"]) == (["row.malformed"], "")
    assert (second["reasons"], second["raw_line"]) == (["email.pattern"], good(2, email="zoe"))
    assert closing["reasons"] is None
    entry = closing["closing"]
    assert (entry["landed_rows"], entry["file_reason"]) == (3, None)


def test_no_column_of_a_contract_is_called_as_one_beside(
    zone: LandingZone, contract: Contract
) -> None:
    """The job could not tell them apart, and no day would be built."""
    beside = read(zone, contract)[0].keys() - set(contract.header)
    assert {"file", "closing"} <= beside
    for name in beside:
        with pytest.raises(ContractError, match="rename it"):
            own_name({"name": name}, Place())


def test_a_store_that_refuses_is_told_with_the_file(zone: LandingZone, contract: Contract) -> None:
    zone.s3.denied.add(PROVENANCE)

    with pytest.raises(UnreadFileError, match=r"dt=2026-11-01/a\.csv.* line 1: .*AccessDenied"):
        read(zone, contract)


def test_a_full_disk_is_told_with_the_file(
    zone: LandingZone, contract: Contract, monkeypatch: pytest.MonkeyPatch
) -> None:
    class FullDisk(io.BytesIO):
        def __init__(self, **_: Any) -> None:
            super().__init__()

        def write(self, _: Any) -> int:
            raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(custody_gate, "IN_MEMORY_BYTES", 1)
    monkeypatch.setattr(tempfile, "TemporaryFile", FullDisk)

    with pytest.raises(UnreadFileError, match=r"dt=2026-11-01/a\.csv.*No space left on device"):
        read(zone, contract)


def test_a_fault_in_judging_is_told_with_the_row(
    zone: LandingZone, contract: Contract, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One in the middle of a file that is judged with others."""
    judge = lines.Judge.judge

    def fails(self: lines.Judge, rows: Rows) -> Any:
        if any("C000000013" in text for text in rows.texts.to_pylist()):
            raise OverflowError("as nobody foresaw")
        return judge(self, rows)

    zone.land(PREFIX + "b.csv", csv(*(good(n) for n in range(10, 17))))
    monkeypatch.setattr(lines.Judge, "judge", fails)

    at = r"dt=2026-11-01/b\.csv[^,]*, line 5: as nobody foresaw"
    with pytest.raises(UnreadFileError, match=at):
        read(zone, contract)


def test_a_fault_in_judging_many_is_told_with_the_lines(
    zone: LandingZone, contract: Contract, monkeypatch: pytest.MonkeyPatch
) -> None:
    def judge(_: Any, rows: Rows) -> None:
        if len(rows) > 2:
            raise MemoryError("no memory left")

    zone.land(PREFIX + "b.csv", csv(good(3), good(4)))
    monkeypatch.setattr(lines.Judge, "judge", judge)

    at = r"dt=2026-11-01/b\.csv.* line 2 to .*dt=2026-11-01/a\.csv.* line 4: no memory left"
    with pytest.raises(UnreadFileError, match=at):
        read(zone, contract)


def test_nothing_of_an_archive_is_kept_for_the_workers_next_task(
    zone: LandingZone, contract: Contract, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    archive = tmp_path / "archive.zip"
    with zipfile.ZipFile(archive, "w") as file:
        for name in ("first_of_archive", "second_of_archive"):
            file.writestr(f"{name}.py", "")
    monkeypatch.syspath_prepend(archive)
    importlib.import_module("first_of_archive")
    assert str(archive) in sys.path_importer_cache

    read(zone, contract)

    assert str(archive) not in sys.path_importer_cache
    assert importlib.import_module("second_of_archive").__file__


def test_small_files_have_the_rows_that_they_have_in_columns(
    zone: LandingZone, contract: Contract, monkeypatch: pytest.MonkeyPatch
) -> None:
    chance = random.Random(97)  # noqa: S311
    rows = [good(3), good(4, email="zoe"), good(5).replace(",", ";"), '"', "", " ", "\x1c", good(6)]
    ends = ["\n", "\n", "\r\n", "\r", "\n\n", ""]
    for number in range(60):
        some = chance.choices(rows, k=chance.randint(0, 9))
        body = HEADER + "\n" + "".join(row + chance.choice(ends) for row in some)
        altered = {"sha256": "0" * 64} if chance.random() < 0.1 else {}
        broken = chance.choice(["", "", "", "", "\0", "x" + HEADER])
        zone.land(f"{PREFIX}{number}.csv", (broken or body).encode(), claims=altered)
    zone.land(PREFIX + "empty.csv", b"")
    zone.land(PREFIX + "large.csv", csv(*(good(number) for number in range(10, 500))))

    found = read(zone, contract)
    for few in (0, sys.maxsize):
        monkeypatch.setattr(lines, "_FEW_BYTES", few)
        assert in_order(read(zone, contract)) == in_order(found)

    closing = [entry for line in found if (entry := line["closing"]) is not None]
    assert len(closing) == 63
    assert len({entry["file_reason"] for entry in closing}) > 3
    assert sum(entry["landed_rows"] for entry in closing) == len(found) - len(closing)


def in_order(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return sorted(rows, key=lambda row: (row["file"], row["source_line"] or 0))
