"""What an uploader lands to break who reads it costs the honest files beside it nothing.

A hostile file is broken with its reason, or some of its rows are rejected; no row of another file
changes, and no memory is taken that grows with what a file claims to be.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests.support.hostile import DATASETS, MiB, small
from tests.support.landing_zone import PROVENANCE, RAW, LandingZone
from tests.support.sample_days import Sample, make

from custody.aws.records.custody_gate import Gate
from custody.aws.s3.listing import list_current
from custody.spark.silver.lines import read_lines
from custody.spark.silver.shares import shared_out

MEMORY = 256 * MiB
"""More than the hostile files together take of the reading process."""


def read(sample: Sample, files: dict[str, bytes]) -> tuple[dict[str, Any], dict[str, str | None]]:
    """The rows of each file by their lines, and why files are broken."""
    (day,), zone = sample.days, LandingZone()
    for name, body in files.items():
        zone.land(sample.prefix(day) + name, body)
    s3: Any = zone.s3
    objects = list_current(s3, RAW, sample.prefix(day))
    names = [one.version.key.removeprefix(sample.prefix(day)) for one in objects]
    parts = [one for share in shared_out(objects, readers=2) for one in share]
    rows: dict[str, Any] = {name: {} for name in names}
    broken: dict[str, str | None] = {}
    gate = Gate(PROVENANCE, zone.keys)
    for batch in read_lines(parts, gate, sample.contract, day, lambda: s3):
        for row in batch.to_pylist():
            name, closing = names[row.pop("file")], row.pop("closing")
            if closing is None:
                rows[name][row["source_line"]] = row
            else:
                broken[name] = (closing["file_reason"] or "").partition(":")[0] or None
    return rows, broken


def peak() -> int:
    """The most memory that this process has had since it was asked to forget (Linux)."""
    (line,) = (
        line
        for line in Path("/proc/self/status").read_text("ascii").splitlines()
        if line.startswith("VmHWM")
    )
    return int(line.split()[1]) * 1024


@pytest.mark.parametrize("dataset", DATASETS)
def test_the_honest_lose_nothing(tmp_path: Path, dataset: str) -> None:
    one_file = {"hours": 24} if dataset == "orders" else {"files": 1}
    sample = make(dataset, tmp_path / "honest", rows=600, days=1, **one_file)
    (folder,) = (tmp_path / "honest").glob("dt=*")
    honest = {file.name: file.read_bytes() for file in folder.iterdir()}
    attack = DATASETS[dataset](small(tmp_path / "small"))
    alone, _ = read(sample, honest)

    Path("/proc/self/clear_refs").write_text("5", "ascii")
    before = peak()
    rows, broken = read(sample, honest | {name: body for name, (body, _) in attack.items()})
    assert peak() - before < MEMORY

    assert {name: rows[name] for name in honest} == alone
    assert {name: broken[name] for name in honest} == dict.fromkeys(honest)
    found = {
        name: broken[name]
        or [(line, *row["reasons"]) for line, row in rows[name].items() if row["reasons"]]
        for name in attack
    }
    assert found == {name: expected for name, (_, expected) in attack.items()}
    assert not any(rows[name] for name in attack if broken[name])
