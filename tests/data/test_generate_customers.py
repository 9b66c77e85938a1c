"""The generator repeats itself to the byte, and its manifest tells the truth about its files."""

import json
import os
import subprocess
import sys
import tracemalloc
from collections import Counter
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.data.customers_oracle import COUNTRIES, FALSE, TRUE, gold_of, read_day
from tests.data.fates import Day
from tests.support.samples import files_under

from generate_customers import Order, generate, main

ROOT = Path(__file__).parents[2]
SAMPLE = ROOT / "data" / "customers"
MANIFEST: dict[str, Any] = json.loads((SAMPLE / "manifest.json").read_bytes())
DAYS = ["2026-11-01", "2026-11-02", "2026-11-03"]


SMALL = Order(days=1, rows=300)


@pytest.fixture(scope="module", params=DAYS)
def sample_day(request: pytest.FixtureRequest) -> tuple[dict[str, Any], Day]:
    return MANIFEST["days"][request.param], read_day(SAMPLE / f"dt={request.param}")


def test_sample_is_what_the_documented_command_makes(tmp_path: Path) -> None:
    command = [sys.executable, str(ROOT / "data" / "generate_customers.py"), "--out", str(tmp_path)]
    environment = os.environ | {"PYTHONHASHSEED": "1", "LC_ALL": "C", "PYTHONUTF8": "0"}
    subprocess.run(command, check=True, capture_output=True, env=environment)
    assert files_under(tmp_path) == files_under(SAMPLE)


def test_sample_has_three_uploaders_files_each_day() -> None:
    assert sorted(files_under(SAMPLE)) == sorted(
        [
            f"dt={day}/{uploader}.csv"
            for day in DAYS
            for uploader in ("crm-export", "web-shop", "partner-feed")
        ]
        + ["manifest.json"]
    )


def test_manifest_agrees_with_an_independent_reading(
    sample_day: tuple[dict[str, Any], Day],
) -> None:
    told, read = sample_day
    counted = {
        name: asdict(account)
        | {"quarantined_by_reason": dict(sorted(account.quarantined_by_reason.items()))}
        for name, account in read.accounts.items()
    }
    assert counted == {
        name: {key: account[key] for key in account.keys() - {"sha256", "size_bytes"}}
        for name, account in told["files"].items()
    }
    assert told["silver_rows"] == len(read.kept)
    assert told["gold_rows"] == len(gold_of(read.kept)["customers_by_country_month"])


def test_accounts_close(sample_day: tuple[dict[str, Any], Day]) -> None:
    told, _ = sample_day
    for account in (told, *told["files"].values()):
        assert account["landed_rows"] == (
            account["silver_rows"] + account["duplicate_rows"] + account["quarantined_rows"]
        )


def test_rejected_share_is_within_the_contract(sample_day: tuple[dict[str, Any], Day]) -> None:
    told, _ = sample_day
    contract = yaml.safe_load((ROOT / "include/contracts/customers.odcs.yaml").read_text("utf-8"))
    custom = {c["property"]: c["value"] for c in contract["schema"][0]["customProperties"]}
    assert told["quarantined_rows"] / told["landed_rows"] < custom["maxRejectedShare"]


def test_larger_and_other_worlds_are_accounted_for_too(tmp_path: Path) -> None:
    manifest = generate(tmp_path, replace(SMALL, seed=7, rows=5000, files=5))
    ((day, told),) = manifest["days"].items()
    read = read_day(tmp_path / f"dt={day}")
    assert {n: a.silver_rows for n, a in read.accounts.items()} == {
        n: a["silver_rows"] for n, a in told["files"].items()
    }
    assert told["landed_rows"] == 5000
    assert told["gold_rows"] == len(gold_of(read.kept)["customers_by_country_month"])


def test_sample_holds_the_dirt_of_real_life() -> None:
    reasons: Counter[str] = Counter()
    data = b""
    for day in DAYS:
        for account in read_day(SAMPLE / f"dt={day}").accounts.values():
            reasons.update(account.quarantined_by_reason)
    for name, content in files_under(SAMPLE).items():
        if name.endswith(".csv"):
            data += content
    assert set(reasons) == {
        "row.malformed",
        *("customer_id.required", "customer_id.pattern"),
        *("first_name.required", "first_name.length"),
        *("email.required", "email.pattern"),
        *("country.required", "country.pattern", "country.allowed"),
        *("signup_date.required", "signup_date.type", "signup_date.minimum"),
        "signup_date.not_after_day",
        *("last_login.type", "last_login.not_after_day", "last_login.not_before_signup"),
        *("total_orders.required", "total_orders.type", "total_orders.minimum"),
        *("total_spent_usd.required", "total_spent_usd.type", "total_spent_usd.minimum"),
        *("is_premium.required", "is_premium.type"),
    }
    text = data.decode()
    assert "山田" in text
    assert "أحمد" in text
    assert '"Edson ""Pelé"""' in text
    assert '"King, Jr."' in text
    assert b"\r\n" in data
    assert b"\t" in data


def test_customers_come_twice_in_one_file_and_in_two_files() -> None:
    for day in DAYS:
        seen: Counter[str] = Counter()
        within = 0
        for path in (SAMPLE / f"dt={day}").glob("*.csv"):
            keys = Counter(
                line.decode().split(",")[0].strip() for line in path.read_bytes().splitlines()[1:]
            )
            within += sum(1 for key, count in keys.items() if count > 1 and key)
            seen.update(set(keys))
        assert within > 10
        assert sum(1 for count in seen.values() if count > 1) > 100


def test_every_form_of_a_truth_value_occurs() -> None:
    forms = {
        row.values["is_premium"].lower()
        for day in DAYS
        for row in read_day(SAMPLE / f"dt={day}").kept
    }
    assert forms == TRUE | FALSE


def test_the_oracle_knows_every_country_of_the_sample() -> None:
    kept = read_day(SAMPLE / "dt=2026-11-01").kept
    assert {row.values["country"] for row in kept} == COUNTRIES


def test_another_seed_is_another_world(tmp_path: Path) -> None:
    generate(tmp_path / "one", replace(SMALL, seed=1))
    generate(tmp_path / "two", replace(SMALL, seed=2))
    one, two = files_under(tmp_path / "one"), files_under(tmp_path / "two")
    assert one.keys() == two.keys()
    assert all(one[name] != two[name] for name in one)


def test_memory_does_not_grow_with_rows(tmp_path: Path) -> None:
    def peak(rows: int) -> int:
        tracemalloc.start()
        try:
            generate(tmp_path, replace(SMALL, rows=rows))
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    peak(100)  # what the first run alone keeps
    small, large = peak(1000), peak(10_000)
    # The countries and months of gold fill up; nothing else may stay.
    assert large < small + 100_000


def test_files_beyond_the_uploaders_are_numbered() -> None:
    assert Order(files=5).names == (
        "crm-export.csv",
        "web-shop.csv",
        "partner-feed.csv",
        "crm-export-2.csv",
        "web-shop-2.csv",
    )


def test_a_rerun_replaces_its_files_and_refuses_others(tmp_path: Path) -> None:
    generate(tmp_path, replace(SMALL, files=4))
    generate(tmp_path, replace(SMALL, files=4))
    with pytest.raises(ValueError, match=r"crm-export-2\.csv: remove them first"):
        generate(tmp_path, SMALL)


@pytest.mark.parametrize("option", ["--days", "--rows", "--files"])
def test_command_refuses_what_is_not_positive(
    option: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(["--out", str(tmp_path), option, "0"])
    assert "0 is not a positive number" in capsys.readouterr().err


def test_command_says_what_it_made(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["--out", str(tmp_path), "--rows", "50", "--days", "1"]
    assert main(arguments) == 0
    assert capsys.readouterr().out.startswith("2026-11-01: 50 rows in 3 files: ")
