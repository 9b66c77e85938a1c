"""What the jobs build is what the contracts say, by the standard's own checker.

It reads the contracts by itself and asks the tables with SQL of its own: a type, a rule or a key
that we would promise and not keep shows here.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import duckdb
import pytest
import yaml

REPOSITORY = Path(__file__).parents[2]
sys.path.insert(0, str(Path(__file__).parent))

from built_tables import as_built  # noqa: E402  pytest imports each test file by itself

DATASETS = ("customers", "orders", "sensors")
DAY = "2026-11-01"
ELSEWHERE = "customers.odcs.yaml#/schema/customers/properties/customer_id"
NOT_ASKED = {f"Check that customer_id has no values missing from {ELSEWHERE}"}
"""A reference to another contract: the platform judges it before it shows a day."""


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A DuckDB file with the tables of a day of every dataset, as Athena shows them."""
    folder: Path = tmp_path_factory.mktemp("built")
    path = ("", "plugins", "include/glue_jobs", "data")
    subprocess.run(
        [REPOSITORY / ".venvs/glue/bin/python", "tests/contracts/build_days.py", folder],
        cwd=REPOSITORY,
        env={**os.environ, "PYTHONPATH": ":".join(str(REPOSITORY / each) for each in path)},
        check=True,
    )
    file = folder / "built.duckdb"
    with duckdb.connect(str(file)) as connection:
        for table in (*folder.glob("silver_*"), *folder.glob("gold_*")):
            rows = connection.read_parquet(f"{table}/*.parquet")
            rows.project(f"*, '{DAY}' AS dt").create(table.name)
    return file


def checked(dataset: str, database: Path, folder: Path) -> tuple[int, list[dict[str, Any]]]:
    """How the checker ends, and the checks that it made."""
    said = yaml.safe_load(
        (REPOSITORY / f"include/contracts/{dataset}.odcs.yaml").read_text("utf-8")
    )
    contract, told = folder / "contract.odcs.yaml", folder / "told.json"
    contract.write_text(yaml.safe_dump(as_built(said, database)), "utf-8")
    done = subprocess.run(
        [
            *(Path(sys.executable).with_name("datacontract"), "test", contract),
            *("--server", "built", "--output-format", "json", "--output", told),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert told.exists(), done.stdout + done.stderr
    return done.returncode, json.loads(told.read_text("utf-8"))["checks"]


@pytest.mark.parametrize("dataset", DATASETS)
def test_a_built_day_is_what_its_contract_says(
    database: Path, tmp_path: Path, dataset: str
) -> None:
    code, checks = checked(dataset, database, tmp_path)

    odd = {check["name"]: check["result"] for check in checks if check["result"] != "passed"}
    assert odd.keys() <= NOT_ASKED
    assert set(odd.values()) <= {"warning"}
    assert code == 0
    assert len(checks) > 30


BREAKS = (
    "INSERT INTO silver_orders SELECT * FROM silver_orders LIMIT 1",
    "UPDATE silver_orders SET status = 'lost' WHERE status = 'paid'",
    "UPDATE silver_orders SET customer_id = 'C42' WHERE status = 'placed'",
    "UPDATE silver_orders_lines SET quantity = 0 WHERE position = 2",
    "UPDATE silver_orders_lines SET product_id = NULL WHERE position = 1",
    "ALTER TABLE gold_orders_by_product DROP quantity",
    "ALTER TABLE gold_orders_by_status ALTER orders TYPE VARCHAR",
    "INSERT INTO gold_orders_by_status SELECT * FROM gold_orders_by_status LIMIT 1",
)
FOUND = {
    ("silver_orders", "Check that primary key (dt, order_id) has no duplicate values"),
    ("silver_orders", "Check that field status has invalid_count = 0"),
    ("silver_orders", "Check that field customer_id matches regex pattern ^C[0-9]{9}$"),
    ("silver_orders_lines", "Check that field quantity has a minimum of 1"),
    ("silver_orders_lines", "Check that field product_id has no missing values"),
    ("gold_orders_by_product", "Check that field 'quantity' is present"),
    ("gold_orders_by_product", "Check that field quantity has type integer"),
    ("gold_orders_by_status", "Check that field orders has type integer"),
    (
        "gold_orders_by_status",
        "Check that model gold_orders_by_status has duplicate_count = 0 for columns dt, status",
    ),
}


def test_tables_that_are_not_are_found(database: Path, tmp_path: Path) -> None:
    broken = tmp_path / "broken.duckdb"
    broken.write_bytes(database.read_bytes())
    with duckdb.connect(str(broken)) as connection:
        for statement in BREAKS:
            connection.execute(statement)

    code, checks = checked("orders", broken, tmp_path)

    assert code != 0
    failed = {(each["model"], each["name"]) for each in checks if each["result"] == "failed"}
    assert failed == FOUND
