"""The jobs on what the generators make: each file comes out as its manifest plans it.

That of customers is in `test_customers_sample`, with an oracle of its own.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from tests.support.landing_zone import PROVENANCE, RAW, LandingZone, token_keys

import generate_sensors
from custody.aws.records.custody_gate import Gate
from custody.core.datasets.contracts import contract_of
from custody.core.datasets.tables import Table, gold_tables, tables
from custody.spark import gold
from custody.spark.silver import job

# PySpark leaves the socket of every collect() to the garbage collector.
pytestmark = pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning")

REPOSITORY = Path(__file__).parents[3]
COUNTS = ("landed_rows", "silver_rows", "duplicate_rows", "quarantined_rows")


def orders(_: Path) -> Path:
    """The committed sample."""
    return REPOSITORY / "data" / "orders"


def area_of(table: Table, dataset: str) -> str:
    """Where the jobs are told to write a table."""
    area, _, name = table.folder.partition("/")
    return table.folder if area == "gold" else area + name.removeprefix(dataset)


def sensors(folder: Path) -> Path:
    """One that is made for the test."""
    generate_sensors.generate(folder, generate_sensors.Order(rows=6000, files=2))
    return folder


@pytest.mark.parametrize("make", [orders, sensors])
def test_every_row_meets_the_fate_it_was_made_for(
    spark: Any, tmp_path: Path, make: Callable[[Path], Path]
) -> None:
    sample, dataset = make(tmp_path / "sample"), make.__name__
    planned = json.loads((sample / "manifest.json").read_text())
    (day,) = planned["days"]
    text = (REPOSITORY / "include" / "contracts" / f"{dataset}.odcs.yaml").read_text("utf-8")
    contract = contract_of(text, dataset)
    prefix = f"incoming/{dataset}/dt={day}/"
    zone = LandingZone()
    for file in sorted((sample / f"dt={day}").iterdir()):
        zone.land(prefix + file.name, file.read_bytes())
    s3 = zone.s3

    def place(area: str) -> str:
        return str(tmp_path / area)

    def rows(area: str) -> list[dict[str, Any]]:
        return [row.asDict() for row in spark.read.parquet(place(area)).collect()]

    job.run(
        spark,
        job.SilverRun(dataset, date.fromisoformat(day), "jr_1", RAW, PROVENANCE, "processed"),
        contract,
        Gate(PROVENANCE, zone.keys),
        lambda: s3,  # type: ignore[arg-type,return-value]
        place,
        token_keys(contract),
    )
    told = planned["days"][day]
    counts = (*COUNTS, *(f"{array.name}_rows" for array in contract.arrays))
    assert {
        row["source_key"].removeprefix(prefix): {name: row[name] for name in counts}
        for row in rows("files")
    } == {name: {count: file[count] for count in counts} for name, file in told["files"].items()}

    reasons: dict[str, Counter[str]] = {name: Counter() for name in told["files"]}
    for row in rows("quarantine"):
        reasons[row["source_key"].removeprefix(prefix)].update(row["reasons"])
    assert reasons == {
        name: Counter(file["quarantined_by_reason"]) for name, file in told["files"].items()
    }

    for table in gold_tables(contract):
        name = table.folder.partition("/")[2]
        query = (REPOSITORY / "include" / "sql" / "gold" / f"{name}.sql").read_text("utf-8")
        arrays = {array.name: place(f"silver_{array.name}") for array in contract.arrays}
        made = gold.run(spark, place("silver"), query, place(table.folder), table.columns, arrays)
        assert made == told["gold_rows"][name]
    for table in tables(contract):
        written = spark.read.parquet(place(area_of(table, dataset))).schema
        assert tuple((f.name, f.dataType.simpleString()) for f in written) == table.columns
