"""Days that the generators make of each dataset: what an oracle says of them, and the jobs make.

An oracle is a plain reading of the dataset's contract (`tests/data/*_oracle.py`) that shares no
code with the generators or the jobs. What `expected` says of a table and what `build` makes of it
are rows that can be compared.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from types import ModuleType
from typing import Any

from pyspark.sql import SparkSession
from tests.data import customers_oracle, orders_oracle, sensors_oracle
from tests.data.fates import Day, Read
from tests.support.landing_zone import PROVENANCE, RAW, LandingZone, token_keys

import generate_customers
import generate_orders
import generate_sensors
from custody.aws.records.custody_gate import Gate
from custody.core.datasets.contracts import Contract, contract_of
from custody.core.datasets.tables import Table, gold_tables, tables
from custody.spark import gold
from custody.spark.silver import job

REPOSITORY = Path(__file__).parents[2]
COUNTS = ("landed_rows", "silver_rows", "duplicate_rows", "quarantined_rows")
DATASETS: dict[str, tuple[ModuleType, ModuleType]] = {
    "customers": (generate_customers, customers_oracle),
    "orders": (generate_orders, orders_oracle),
    "sensors": (generate_sensors, sensors_oracle),
}
"""The generator and the oracle of each."""

Row = dict[str, Any]


@dataclass(frozen=True)
class Sample:
    """What a generator made: its files by day, and what it says must become of their rows."""

    contract: Contract
    oracle: ModuleType
    folder: Path
    manifest: Mapping[str, Any]

    @property
    def days(self) -> list[date]:
        """The days that it has files of."""
        return [date.fromisoformat(day) for day in self.manifest["days"]]

    def read(self, day: date) -> Day:
        """The fates of a day's rows, as the oracle reads them."""
        found: Day = self.oracle.read_day(self.folder / f"dt={day}")
        return found

    def landed(self, day: date) -> dict[str, bytes]:
        """The files of a day by their keys."""
        files = sorted((self.folder / f"dt={day}").iterdir())
        return {self.prefix(day) + file.name: file.read_bytes() for file in files}

    def prefix(self, day: date) -> str:
        """Where the files of a day land."""
        return f"incoming/{self.contract.dataset}/dt={day}/"

    def values(self, row: Read) -> Row:
        """The values of a good row as a job reads them, in UTC."""
        return {name: _naive(value) for name, value in self.oracle.silver_of(row).items()}


def make(dataset: str, folder: Path, **order: int) -> Sample:
    """Have the generator of a dataset make a sample; `order` says of what kind."""
    generator, oracle = DATASETS[dataset]
    text = (REPOSITORY / "include" / "contracts" / f"{dataset}.odcs.yaml").read_text("utf-8")
    manifest = generator.generate(folder, generator.Order(**order))
    return Sample(contract_of(text, dataset), oracle, folder, manifest)


def expected(sample: Sample, day: date) -> dict[str, list[Row]]:
    """The rows of every table of a day, by the oracle."""
    contract, read, dataset = sample.contract, sample.read(day), sample.contract.dataset
    keys = token_keys(contract)

    def placed(row: Read) -> Row:
        place = (sample.prefix(day) + row.file, "v1", row.line)
        return dict(zip(("_source_key", "_source_version_id", "_source_line"), place, strict=True))

    def items(array: str) -> Iterator[Row]:
        for row in read.kept:
            key = {name: row.values[name] for name in contract.primary_key}
            for position, item in enumerate(row.values[array], start=1):
                yield {
                    **key,
                    "position": position,
                    **_hidden(item, keys.get(array, {})),
                    **placed(row),
                }

    made = {
        f"silver_{dataset}": [
            {**_hidden(sample.values(row), keys.get("", {})), **placed(row)} for row in read.kept
        ],
        f"silver_{dataset}_quarantine": [
            {
                "source_key": sample.prefix(day) + row.file,
                "source_line": row.line,
                "reasons": sorted(row.reasons),
            }
            for row in read.rejected
        ],
        f"silver_{dataset}_files": [
            {
                "source_key": sample.prefix(day) + name,
                **{count: getattr(account, count) for count in COUNTS},
                **{
                    f"{array.name}_rows": sum(
                        len(row.values[array.name]) for row in read.kept if row.file == name
                    )
                    for array in contract.arrays
                },
            }
            for name, account in read.accounts.items()
        ],
    }
    made |= {f"silver_{dataset}_{a.name}": list(items(a.name)) for a in contract.arrays}
    gold_rows = sample.oracle.gold_of(read.kept)
    return made | {
        table.name: [
            {name: value for (name, _), value in zip(table.columns, row, strict=True)}
            for row in gold_rows[table.name.removeprefix("gold_")]
        ]
        for table in gold_tables(contract)
    }


def deployed_query(name: str) -> str:
    """The query of a gold table, as it is deployed."""
    return (REPOSITORY / "include" / "sql" / "gold" / f"{name}.sql").read_text("utf-8")


def build(
    spark: SparkSession,
    contract: Contract,
    day: date,
    zone: LandingZone,
    at: Path,
    query_of: Callable[[str], str] = deployed_query,
) -> dict[str, list[Row]]:
    """Build a day of a dataset, silver and gold, into a folder; the rows of every table.

    Each table has the columns that the contract says.
    """
    s3 = zone.s3

    def place(area: str) -> str:
        return str(at / area)

    job.run(
        spark,
        job.SilverRun(contract.dataset, day, "jr_1", RAW, PROVENANCE, "processed"),
        contract,
        Gate(PROVENANCE, zone.keys),
        lambda: s3,  # type: ignore[arg-type,return-value]
        place,
        token_keys(contract),
    )
    arrays = {array.name: place(f"silver_{array.name}") for array in contract.arrays}
    for table in gold_tables(contract):
        name = table.folder.partition("/")[2]
        query = query_of(name)
        gold.run(spark, place("silver"), query, place(table.folder), table.columns, arrays)
    made = {}
    for table in tables(contract):
        frame = spark.read.parquet(place(area_of(table, contract.dataset)))
        assert tuple((f.name, f.dataType.simpleString()) for f in frame.schema) == table.columns
        made[table.name] = [row.asDict() for row in frame.collect()]
    return made


def area_of(table: Table, dataset: str) -> str:
    """Where the jobs are told to write a table."""
    area, _, name = table.folder.partition("/")
    return table.folder if area == "gold" else area + name.removeprefix(dataset)


def _hidden(values: Row, keys: Mapping[str, bytes]) -> Row:
    """The values, with a token for what is personal."""
    return {
        name: hmac.new(keys[name], value.encode(), "sha256").hexdigest()[:32]
        if name in keys and value is not None
        else value
        for name, value in values.items()
    }


def _naive(value: Any) -> Any:
    return value.replace(tzinfo=None) if isinstance(value, datetime) else value
