"""What is wrong with an item rejects its row, with the item's place; the others become rows."""

from __future__ import annotations

import io
import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import DataFrame
from pyspark.sql import functions as F  # noqa: N812

from custody.core.datasets.contracts import Contract, contract_of
from custody.spark.silver.items import item_rows
from custody.spark.silver.lines import LINES
from custody.spark.silver.outcomes import account
from custody.spark.silver.rules import judge

# PySpark leaves the socket of every collect() to the garbage collector.
pytestmark = pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning")

FILE = Path(__file__).parents[5] / "include" / "contracts" / "orders.odcs.yaml"
DT = date(2026, 11, 1)
GOOD = {"product_id": "P00042", "quantity": 2, "unit_price_usd": 1.50}

WRONG: list[tuple[object, list[str]]] = [
    ([GOOD], []),
    ([GOOD, {**GOOD, "quantity": "3"}], []),
    (None, ["lines.required"]),
    ("P00042", ["lines.type"]),
    (GOOD, ["lines.type"]),
    ([], ["lines.length"]),
    ([GOOD] * 201, ["lines.length"]),
    ([GOOD, None, 7], ["lines[2].type", "lines[3].type"]),
    ([GOOD, {**GOOD, "quantity": 0}], ["lines[2].quantity.minimum"]),
    ([{**GOOD, "quantity": 1.5}], ["lines[1].quantity.type"]),
    ([{**GOOD, "quantity": [1]}], ["lines[1].quantity.type"]),
    (
        [{"quantity": 1001}, {**GOOD, "product_id": "42"}],
        [
            "lines[1].product_id.required",
            "lines[1].quantity.maximum",
            "lines[1].unit_price_usd.required",
            "lines[2].product_id.pattern",
        ],
    ),
    ([{**GOOD, "unit_price_usd": "1.005"}], ["lines[1].unit_price_usd.type"]),
    ([{**GOOD, "discount": 1}], ["row.malformed"]),
]


@pytest.fixture(scope="module")
def contract() -> Contract:
    return contract_of(FILE.read_text("utf-8"), FILE.name)


def judged(spark: Any, contract: Contract, *lines: object) -> DataFrame:
    spark.conf.set("spark.sql.session.timeZone", "UTC")
    spark.conf.set("spark.sql.ansi.enabled", "false")
    orders = [
        {
            "order_id": f"O{number:09d}",
            "customer_id": "C000000001",
            "status": "paid",
            "ordered_at": "2026-11-01T10:00:00Z",
            "updated_at": "2026-11-01T10:00:00Z",
            "amount_usd": 3,
            "lines": of,
        }
        for number, of in enumerate(lines, start=1)
    ]
    body = "".join(json.dumps(order) + "\n" for order in orders).encode()
    rows = contract.format.read_rows(io.BytesIO(body), contract.columns, contract.arrays, before=0)
    read = [
        ("k", "v", r.line, r.text, r.values or (), None, r.mistyped or None, *[None] * 4)
        for r in rows
    ]
    return judge(spark.createDataFrame(read, LINES), contract, DT)


def test_a_row_is_rejected_with_the_place_of_what_is_wrong(spark: Any, contract: Contract) -> None:
    fifteen_thousand: list[object] = [{}] * 15_000
    found = judged(spark, contract, *(lines for lines, _ in WRONG), fifteen_thousand)

    *reasons, many = [
        row["reasons"] or []
        for row in found.select("source_line", "reasons").orderBy("source_line").collect()
    ]

    assert reasons == [expected for _, expected in WRONG]
    assert many[:2] == ["lines.length", "lines[1].product_id.required"]
    assert len(many) == 101  # and no more of them, however many there are


def test_the_items_of_what_stays_are_rows(spark: Any, contract: Contract) -> None:
    lines = [[GOOD, {**GOOD, "product_id": "P00043"}], [GOOD], [{**GOOD, "quantity": 0}], [GOOD]]
    outcome = (
        F.when(F.col("reasons").isNotNull(), "quarantined")
        .when(F.col("source_line") == 4, "duplicate")
        .otherwise("silver")
    )
    decided = judged(spark, contract, *lines).withColumn("outcome", outcome)

    rows = item_rows(decided, contract, *contract.arrays)

    names = ("order_id", "position", "product_id", "_source_line")
    assert sorted(tuple(row[name] for name in names) for row in rows.collect()) == [
        ("O000000001", 1, "P00042", 1),
        ("O000000001", 2, "P00043", 1),
        ("O000000002", 1, "P00042", 2),
    ]
    (file,) = account(decided, contract.arrays)
    assert (file.silver_rows, file.item_rows) == (2, (3,))
