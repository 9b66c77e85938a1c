"""The job on the committed sample: three independent statements about every row must agree.

The generator planned each row's fate (manifest.json), an oracle reads the files by the contract's
text (tests/data/customers_oracle.py), and here the job itself reads them.
"""

from __future__ import annotations

import json
from collections import Counter
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from tests.data.customers_oracle import read_day
from tests.support.landing_zone import PROVENANCE, RAW, LandingZone, token_keys

from custody.aws.records.custody_gate import Gate
from custody.core.datasets.contracts import Contract
from custody.core.datasets.tables import gold_tables, tables
from custody.spark import gold
from custody.spark.silver import job

# PySpark leaves the socket of every collect() to the garbage collector.
pytestmark = pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning")

REPOSITORY = Path(__file__).parents[3]
SAMPLE = REPOSITORY / "data" / "customers"
GOLD_SQL = REPOSITORY / "include" / "sql" / "gold" / "customers_by_country_month.sql"
DT = date(2026, 11, 2)
PREFIX = f"incoming/customers/dt={DT}/"
COUNTS = ("landed_rows", "silver_rows", "duplicate_rows", "quarantined_rows")


def test_every_row_meets_the_fate_it_was_made_for(
    spark: Any, contract: Contract, tmp_path: Path
) -> None:
    zone = LandingZone()
    for file in sorted((SAMPLE / f"dt={DT}").glob("*.csv")):
        zone.land(PREFIX + file.name, file.read_bytes())
    s3 = zone.s3
    job.run(
        spark,
        job.SilverRun("customers", DT, "jr_1", RAW, PROVENANCE, "processed"),
        contract,
        Gate(PROVENANCE, zone.keys),
        lambda: s3,  # type: ignore[arg-type,return-value]
        lambda area: str(tmp_path / area),
        token_keys(contract),
    )
    (table,) = gold_tables(contract)
    sql = GOLD_SQL.read_text()
    gold.run(spark, str(tmp_path / "silver"), sql, str(tmp_path / "gold"), table.columns)

    def rows(area: str) -> list[dict[str, Any]]:
        return [row.asDict() for row in spark.read.parquet(str(tmp_path / area)).collect()]

    planned = json.loads((SAMPLE / "manifest.json").read_text())["days"][str(DT)]
    read = read_day(SAMPLE / f"dt={DT}")

    accounts = {
        row["source_key"].removeprefix(PREFIX): {name: row[name] for name in COUNTS}
        for row in rows("files")
    }
    assert accounts == {
        name: {count: file[count] for count in COUNTS} for name, file in planned["files"].items()
    }

    reasons: dict[str, Counter[str]] = {name: Counter() for name in accounts}
    for row in rows("quarantine"):
        reasons[row["source_key"].removeprefix(PREFIX)].update(row["reasons"])
    assert reasons == {
        name: Counter(file["quarantined_by_reason"]) for name, file in planned["files"].items()
    }

    assert {
        (row["customer_id"], row["_source_key"].removeprefix(PREFIX), row["_source_line"])
        for row in rows("silver")
    } == {(row.values["customer_id"], row.file, row.line) for row in read.kept}

    assert {
        (row["country"], row["signup_month"]): (
            row["customers"],
            row["premium_customers"],
            row["total_orders"],
            row["total_spent_usd"],
        )
        for row in rows("gold")
    } == read.gold
    assert sum(row["total_spent_usd"] for row in rows("gold")) > Decimal(1000)

    for table in tables(contract):
        written = spark.read.parquet(str(tmp_path / table.folder.partition("/")[0])).schema
        columns = tuple((field.name, field.dataType.simpleString()) for field in written)
        assert columns == table.columns, table.name
