"""What is wrong with an item rejects its row, with the item's place; the others become rows."""

from __future__ import annotations

import io
import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from custody.core.datasets.contracts import Contract, contract_of
from custody.objects import ObjectVersion
from custody.spark.silver.judging.rules import Judge, Judged
from custody.spark.silver.lines import in_columns, read_rows
from custody.spark.silver.outcomes import account, item_rows, named
from custody.spark.silver.rows import Rows, together

# PySpark leaves the socket of every collect() to the garbage collector.
pytestmark = pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning")

FILE = Path(__file__).parents[6] / "include" / "contracts" / "orders.odcs.yaml"
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


def judged(contract: Contract, *lines: object) -> tuple[Rows, Judged]:
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
    landed = read_rows(io.BytesIO(body), contract, before=0, size=len(body))
    rows = together(list(in_columns(landed, contract)))
    return rows, Judge(contract, DT).judge(rows)


def test_a_row_is_rejected_with_the_place_of_what_is_wrong(contract: Contract) -> None:
    fifteen_thousand: list[object] = [{}] * 15_000
    _, found = judged(contract, *(lines for lines, _ in WRONG), fifteen_thousand)

    *reasons, many = [reasons or [] for reasons in found.reasons.to_pylist()]

    assert reasons == [expected for _, expected in WRONG]
    assert many[:2] == ["lines.length", "lines[1].product_id.required"]
    assert len(many) == 101  # and no more of them, however many there are


def test_the_items_of_what_stays_are_rows(spark: Any, contract: Contract) -> None:
    lines = [[GOOD, {**GOOD, "product_id": "P00043"}], [GOOD], [{**GOOD, "quantity": 0}], [GOOD]]
    rows, found = judged(contract, *lines)
    outcomes = ["silver", "silver", "quarantined", "duplicate"]
    values = dict(zip((*contract.header, "lines"), found.values, strict=True))
    kept = [
        (0, line, outcome, key, items)
        for line, outcome, key, items in zip(
            rows.lines.to_pylist(),
            outcomes,
            values["order_id"].to_pylist(),
            values["lines"].to_pylist(),
            strict=True,
        )
    ]
    of_line = "struct<product_id: string, quantity: int, unit_price_usd: decimal(10,2)>"
    closing = "closing struct<sha256: string, size_bytes: bigint, landed_rows: bigint, "
    decided = spark.createDataFrame(
        [(*row, None) for row in kept],
        f"file int, source_line int, outcome string, order_id string, lines array<{of_line}>, "
        f"{closing}file_reason: string>",
    )
    version = ObjectVersion("raw", "k", "v")

    (array,) = contract.arrays
    items = item_rows(decided, contract, array, named(spark, [version]))

    names = ("order_id", "position", "product_id", "_source_key", "_source_line")
    assert sorted(tuple(row[name] for name in names) for row in items.collect()) == [
        ("O000000001", 1, "P00042", "k", 1),
        ("O000000001", 2, "P00043", "k", 1),
        ("O000000002", 1, "P00042", "k", 2),
    ]
    (file,) = account(decided, contract.arrays, [version])
    assert (file.silver_rows, file.item_rows) == (2, (3,))


def test_a_part_of_the_rows_is_judged_as_it_is_among_the_others(contract: Contract) -> None:
    rows, whole = judged(contract, *(lines for lines, _ in WRONG))
    judge = Judge(contract, DT).judge
    for begin, end in ((0, 3), (2, 3), (3, 9), (9, len(rows)), (4, 4)):
        part = judge(rows.part(begin, end))
        assert part.reasons.to_pylist() == whole.reasons[begin:end].to_pylist()
        for value, of in zip(part.values, whole.values, strict=True):
            assert value.to_pylist() == of[begin:end].to_pylist()
