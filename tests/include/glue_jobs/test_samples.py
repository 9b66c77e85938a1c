"""The jobs on what the generators make: three independent statements about every row must agree.

The generator planned each row's fate (its manifest), an oracle reads the files by the contract's
text (`tests/data/*_oracle.py`), and here the job itself reads them. Where two agree, the third is
held against one of them.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from tests.support.landing_zone import PROVENANCE, RAW, BackwardsS3, LandingZone
from tests.support.sample_days import COUNTS, DATASETS, Row, Sample, build, expected, make

from custody.aws.records.custody_gate import Gate
from custody.aws.s3.listing import list_current
from custody.core.datasets.landed import parts
from custody.spark.silver import shares
from custody.spark.silver.lines import read_lines

# PySpark leaves the socket of every collect() to the garbage collector.
pytestmark = pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning")

SIZES: dict[str, dict[str, int]] = {
    "customers": {"rows": 240, "files": 3},
    "orders": {"rows": 240, "hours": 12},
    "sensors": {"rows": 900, "files": 2},
}


def landed(sample: Sample) -> LandingZone:
    """A bronze with all files of a sample."""
    zone = LandingZone()
    for day in sample.days:
        for key, body in sample.landed(day).items():
            zone.land(key, body)
    return zone


def compared(rows: Iterable[Row], columns: Iterable[str]) -> list[str]:
    """Some columns of rows, which can be compared in whatever order rows and reasons come."""
    names = list(columns)
    return sorted(repr([_plain(row[name]) for name in names]) for row in rows)


def _plain(value: Any) -> Any:
    if isinstance(value, Decimal):
        return value.normalize()
    return sorted(value) if isinstance(value, list) else value


@pytest.mark.parametrize("seed", range(1, 4))
@pytest.mark.parametrize("dataset", DATASETS)
def test_every_row_is_judged_as_it_was_planned(tmp_path: Path, dataset: str, seed: int) -> None:
    sample = make(dataset, tmp_path, **{**SIZES[dataset], "rows": 3000}, days=1, seed=seed)
    (day,) = sample.days
    read, zone = sample.read(day), landed(sample)
    told = sample.manifest["days"][str(day)]["files"]
    assert {name: vars(account) for name, account in read.accounts.items()} == {
        name: {fact: told[name][fact] for fact in (*COUNTS, "quarantined_by_reason")}
        for name in told
    }

    s3: Any = zone.s3
    objects = list_current(s3, RAW, sample.prefix(day))
    all_parts = [one for share in shares.shared_out(objects, readers=2) for one in share]
    gate = Gate(PROVENANCE, zone.keys)
    batches = read_lines(all_parts, gate, sample.contract, day, lambda: s3)
    lines = [line for batch in batches for line in batch.to_pylist()]
    names = [landed.version.key.removeprefix(sample.prefix(day)) for landed in objects]
    assert {
        (names[line["file"]], line["source_line"]): sorted(line["reasons"])
        for line in lines
        if line["reasons"]
    } == {(row.file, row.line): sorted(row.reasons) for row in read.rejected}
    columns, arrays = sample.contract.header, [array.name for array in sample.contract.arrays]
    assert {
        (names[line["file"]], line["source_line"]): [line[name] for name in (*columns, *arrays)]
        for line in lines
        if line["reasons"] is None and line["closing"] is None
    } == {
        (row.file, row.line): [
            *(sample.oracle.silver_of(row)[name] for name in columns),
            *(row.values[name] for name in arrays),
        ]
        for row in (*read.kept, *read.duplicates)
    }


@dataclass(frozen=True)
class Built:
    """A sample whose days were built in their order: the rows of every table, by day."""

    sample: Sample
    days: dict[date, dict[str, list[Row]]]


@pytest.fixture(scope="module", params=DATASETS)
def built(request: pytest.FixtureRequest, spark: Any, tmp_path_factory: Any) -> Built:
    folder: Path = tmp_path_factory.mktemp(request.param)
    sample = make(request.param, folder / "sample", **SIZES[request.param], days=2)
    zone = landed(sample)
    return Built(
        sample,
        {day: build(spark, sample.contract, day, zone, folder / str(day)) for day in sample.days},
    )


def test_every_row_meets_the_fate_it_was_made_for(built: Built) -> None:
    for day, made in built.days.items():
        wanted = expected(built.sample, day)
        assert made.keys() == wanted.keys()
        for table, rows in wanted.items():
            assert rows, table
            assert compared(made[table], rows[0]) == compared(rows, rows[0]), table


def test_neither_order_nor_files_nor_readers_change_the_content(
    built: Built, spark: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first day is built once more, after the second, from an S3 that lists backwards; each of
    its files lands as two, and several readers read each of those.
    """
    monkeypatch.setattr(parts, "MIN_PART_BYTES", 5000)
    monkeypatch.setattr(shares, "_SHARE_BYTES", 5000)
    monkeypatch.setattr(shares, "_FILE_BYTES", 0)
    sample, zone = built.sample, LandingZone()
    zone.s3 = BackwardsS3()
    day = sample.days[0]
    whole = {}
    for key, body in sample.landed(day).items():
        stem, dot, suffix = key.rpartition(".")
        for number, (before, half) in enumerate(halves(suffix, body), start=1):
            zone.land(f"{stem}-{number}{dot}{suffix}", half)
            whole[f"{stem}-{number}{dot}{suffix}"] = (key, before)

    again = build(spark, sample.contract, day, zone, tmp_path)
    accounts = again.pop(f"silver_{sample.contract.dataset}_files")
    assert {count: sum(row[count] for row in accounts) for count in COUNTS} == {
        count: sample.manifest["days"][str(day)][count] for count in COUNTS
    }
    for table, rows in again.items():
        for row in rows:
            _name_as_whole(row, whole)
        assert compared(rows, rows[0]) == compared(built.days[day][table], rows[0]), table


def _name_as_whole(row: Row, whole: Mapping[str, tuple[str, int]]) -> None:
    for key, line in (("source_key", "source_line"), ("_source_key", "_source_line")):
        if key in row:
            row[key], before = whole[row[key]]
            row[line] += before


def halves(suffix: str, body: bytes) -> list[tuple[int, bytes]]:
    """The rows of a file as two files, each with how many lines further down its own stood."""
    if suffix == "parquet":
        table = pq.read_table(io.BytesIO(body))
        files = [io.BytesIO(), io.BytesIO()]
        middle = len(table) // 2
        for file, part in zip(files, (table[:middle], table[middle:]), strict=True):
            pq.write_table(part, file)
        return [(0, files[0].getvalue()), (middle, files[1].getvalue())]
    lines = [line + b"\n" for line in body.split(b"\n")[:-1]]
    header = lines[:1] if suffix == "csv" else []
    middle = len(lines) // 2
    second = b"".join((*header, *lines[middle:]))
    return [(0, b"".join(lines[:middle])), (middle - len(header), second)]
