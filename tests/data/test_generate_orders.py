"""The sample of orders is what the documented command makes, and holds the dirt of real life.

That the manifest tells the truth about its files is seen by the jobs (`test_samples`).
"""

import json
import os
import subprocess
import sys
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.support.samples import files_under

from generate_orders import Order, generate, main

ROOT = Path(__file__).parents[2]
SAMPLE = ROOT / "data" / "orders"
MANIFEST: dict[str, Any] = json.loads((SAMPLE / "manifest.json").read_bytes())
SMALL = Order(rows=300)


def test_sample_is_what_the_documented_command_makes(tmp_path: Path) -> None:
    command = [sys.executable, str(ROOT / "data" / "generate_orders.py"), "--out", str(tmp_path)]
    environment = os.environ | {"PYTHONHASHSEED": "1", "LC_ALL": "C", "PYTHONUTF8": "0"}
    subprocess.run(command, check=True, capture_output=True, env=environment)
    assert files_under(tmp_path) == files_under(SAMPLE)


def test_a_day_comes_every_few_hours_and_late_and_from_partners() -> None:
    ((_, day),) = MANIFEST["days"].items()
    assert list(day["files"]) == [
        "partner-feed.jsonl",
        *(f"web-shop-{hour}.jsonl" for hour in ("00", "06", "12", "18", "late")),
    ]
    assert all(account["silver_rows"] for account in day["files"].values())
    assert day["quarantined_rows"] / day["landed_rows"] < 0.1
    assert day["duplicate_rows"] > 50
    assert day["gold_rows"]["orders_by_status"] == 4


def test_other_worlds_hold_every_kind_of_dirt(tmp_path: Path) -> None:
    manifest = generate(tmp_path, replace(SMALL, seed=7, rows=8000, hours=1))
    ((_, day),) = manifest["days"].items()
    assert (day["landed_rows"], len(day["files"])) == (8000, 26)
    reasons: Counter[str] = Counter()
    for account in day["files"].values():
        reasons.update(account["quarantined_by_reason"])
        rows = account["silver_rows"] + account["duplicate_rows"] + account["quarantined_rows"]
        assert account["landed_rows"] == rows
    of_lines = {reason for reason in reasons if reason.startswith("lines[")}
    assert {reason.partition("]")[2] for reason in of_lines} == {
        ".type",
        *(".product_id.required", ".product_id.pattern", ".product_id.type"),
        *(".quantity.required", ".quantity.minimum", ".quantity.maximum", ".quantity.type"),
        *(".unit_price_usd.required", ".unit_price_usd.minimum", ".unit_price_usd.type"),
    }
    assert set(reasons) - of_lines == {
        "row.malformed",
        *("order_id.required", "order_id.pattern", "order_id.type"),
        *("customer_id.required", "customer_id.pattern", "customer_id.type"),
        *("status.required", "status.allowed"),
        *("ordered_at.required", "ordered_at.type", "ordered_at.not_after_day"),
        *("updated_at.type", "updated_at.not_before_order"),
        *("amount_usd.required", "amount_usd.type", "amount_usd.minimum"),
        *("lines.required", "lines.length", "lines.type"),
        *("is_gift.type", "note.length", "note.formula", "note.type"),
    }


def test_a_rerun_replaces_its_files_and_refuses_others(tmp_path: Path) -> None:
    generate(tmp_path, replace(SMALL, hours=3))
    generate(tmp_path, replace(SMALL, hours=3))
    with pytest.raises(ValueError, match=r"web-shop-03\.jsonl: remove them first"):
        generate(tmp_path, SMALL)


def test_command_says_what_it_made(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--out", str(tmp_path), "--rows", "50", "--days", "2"]) == 0
    first, second = capsys.readouterr().out.splitlines()
    assert first.startswith("2026-11-01: 50 rows in 6 files: ")
    assert second.startswith("2026-11-02: 50 rows in 6 files: ")
