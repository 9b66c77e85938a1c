"""A dataset that no Python knows goes through the jobs by its contract and its query alone."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from tests.support.landing_zone import PROVENANCE, RAW, LandingZone

from custody.aws.records.custody_gate import Gate
from custody.core.datasets.contracts import contract_of
from custody.core.datasets.tables import gold_tables, tables
from custody.spark import gold
from custody.spark.silver import job

# PySpark leaves the socket of every collect() to the garbage collector.
pytestmark = pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning")

FOLDER = Path(__file__).parents[2] / "support" / "orders"
CONTRACT = contract_of((FOLDER / "orders.odcs.yaml").read_text("utf-8"), "orders.odcs.yaml")
DAY = date(2026, 11, 2)
PREFIX = f"incoming/orders/dt={DAY}/"
LANDED = b"""\
order_id,customer_id,status,ordered_on,amount_usd,is_gift
O000001,C000000001,placed,2026-11-01,10.50,yes
O000002,C000000001,shipped,2026-11-01,20.00,no
O000002,C000000001,placed,2026-10-31,20.00,no
O000003,C000000002,lost,2026-11-03,-1,maybe
O000004,C000000003,placed,2026-11-02,0.25,
"""


def test_orders_become_silver_quarantine_and_gold(spark: Any, tmp_path: Path) -> None:
    zone = LandingZone()
    zone.land(f"{PREFIX}web-shop.csv", LANDED)
    zone.land(f"{PREFIX}wrong.csv", b"order_id,customer\nO000001,C1\n")
    s3 = zone.s3

    def place(area: str) -> str:
        return str(tmp_path / area)

    job.run(
        spark,
        job.SilverRun("orders", DAY, "jr_1", RAW, PROVENANCE, "processed"),
        CONTRACT,
        Gate(PROVENANCE, zone.keys),
        lambda: s3,  # type: ignore[arg-type,return-value]
        place,
    )
    sql = (FOLDER / "orders_by_status.sql").read_text("utf-8")
    (table,) = gold_tables(CONTRACT)
    gold.run(spark, place("silver"), sql, place("gold"), table.columns)

    for made in tables(CONTRACT):
        written = spark.read.parquet(place(made.folder.partition("/")[0])).schema
        assert tuple((f.name, f.dataType.simpleString()) for f in written) == made.columns

    def rows(area: str, *columns: str) -> list[tuple[Any, ...]]:
        return sorted(
            (tuple(row) for row in spark.read.parquet(place(area)).select(*columns).collect()),
            key=str,
        )

    assert rows("silver", "order_id", "status", "is_gift", "_source_line") == [
        ("O000001", "placed", True, 2),
        ("O000002", "shipped", False, 3),
        ("O000004", "placed", None, 6),
    ]
    broken = ["status.allowed", "ordered_on.not_after_day", "amount_usd.minimum", "is_gift.type"]
    assert rows("quarantine", "source_line", "reasons") == [(5, broken), (None, ["file.header"])]
    counts = ("landed_rows", "silver_rows", "duplicate_rows", "quarantined_rows")
    assert rows("files", "source_key", *counts) == [
        (f"{PREFIX}web-shop.csv", 5, 3, 1, 1),
        (f"{PREFIX}wrong.csv", 0, 0, 0, 0),
    ]
    assert rows("gold", "status", "orders", "amount_usd") == [
        ("placed", 2, Decimal("10.75")),
        ("shipped", 1, Decimal("20.00")),
    ]


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT status, COUNT(*) AS orders FROM silver GROUP BY status",
        "SELECT status, COUNT(*) AS orders, SUM(amount_usd) AS amount_usd FROM silver GROUP BY 1",
        "SELECT COUNT(*) AS orders, 'x' AS status, 1BD AS amount_usd FROM silver",
    ],
    ids=["a column less", "another type", "another order"],
)
def test_a_query_that_makes_other_columns_is_refused_before_it_writes(
    spark: Any, tmp_path: Path, sql: str
) -> None:
    silver = str(tmp_path / "silver")
    one = "SELECT 'placed' AS status, CAST(1 AS DECIMAL(10, 2)) AS amount_usd"
    spark.sql(one).write.parquet(silver)
    (table,) = gold_tables(CONTRACT)
    with pytest.raises(gold.OtherColumns, match="the contract says status string, orders bigint"):
        gold.run(spark, silver, sql, str(tmp_path / "gold"), table.columns)
    assert not (tmp_path / "gold").exists()
