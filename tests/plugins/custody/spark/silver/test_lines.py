"""What goes wrong while a file is read names the file and the line."""

from __future__ import annotations

import errno
import io
import tempfile
from typing import Any

import pytest
from tests.support.customers import PREFIX, csv, good
from tests.support.landing_zone import PROVENANCE, RAW, LandingZone

from custody.aws.records.custody_gate import Gate
from custody.aws.s3.listing import list_current
from custody.core.datasets.contracts import Contract
from custody.spark.silver import lines
from custody.spark.silver.lines import LINES, UnreadFileError, read_lines, shared_out


@pytest.fixture
def zone() -> LandingZone:
    zone = LandingZone()
    zone.land(PREFIX + "a.csv", csv(good(1), "", good(2, email="zoe")))
    return zone


def read(zone: LandingZone, contract: Contract) -> list[dict[str, Any]]:
    s3: Any = zone.s3
    (parts,) = shared_out(list_current(s3, RAW, PREFIX), readers=2)
    found = read_lines(parts, Gate(PROVENANCE, zone.keys), contract, lambda: s3)
    return [dict(zip(LINES.fieldNames(), line, strict=True)) for line in found]


def test_a_line_says_which_patterns_it_misses(zone: LandingZone, contract: Contract) -> None:
    first, blank, second, closing = read(zone, contract)

    assert [line["source_line"] for line in (first, blank, second, closing)] == [2, 3, 4, None]
    assert (first["unmatched"], blank["unmatched"]) == (None, None)
    assert second["unmatched"] == [contract.header.index("email")]
    assert (closing["landed_rows"], closing["file_reason"]) == (3, None)


def test_a_store_that_refuses_is_told_with_the_file(zone: LandingZone, contract: Contract) -> None:
    zone.s3.denied.add(PROVENANCE)

    with pytest.raises(UnreadFileError, match=r"dt=2026-11-01/a\.csv.* line 1: .*AccessDenied"):
        read(zone, contract)


def test_a_full_disk_is_told_with_the_file(
    zone: LandingZone, contract: Contract, monkeypatch: pytest.MonkeyPatch
) -> None:
    class FullDisk(io.BytesIO):
        def write(self, _: Any) -> int:
            raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(tempfile, "TemporaryFile", FullDisk)

    with pytest.raises(UnreadFileError, match=r"dt=2026-11-01/a\.csv.*No space left on device"):
        read(zone, contract)


def test_a_fault_in_a_line_is_told_with_the_line(
    zone: LandingZone, contract: Contract, monkeypatch: pytest.MonkeyPatch
) -> None:
    def matcher(_: Contract) -> Any:
        def unmatched(values: lines.Values) -> None:
            if values[0] == "C000000002":
                raise MemoryError("no memory left")

        return unmatched

    monkeypatch.setattr(lines, "matcher", matcher)

    with pytest.raises(UnreadFileError, match=r"dt=2026-11-01/a\.csv.* line 4: no memory left"):
        read(zone, contract)
