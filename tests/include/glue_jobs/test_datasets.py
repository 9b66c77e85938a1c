"""A dataset goes through the jobs by its contract and its queries alone.

Each folder `tests/datasets/<dataset>/` is a case: files that land, and in `expect.yaml` what must
become of their rows; what is `packed` there lands packed with gzip. The contract and the queries
are the deployed ones, or stand in the folder: `returns` is a dataset that no code and no template
knows.
"""

from __future__ import annotations

import subprocess
from collections import Counter
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from tests.support.dataset_cases import FOLDER, expectation, landing
from tests.support.landing_zone import LandingZone
from tests.support.sample_days import build

from custody.core.datasets.contracts import contract_of
from custody.core.datasets.tables import gold_tables
from custody.spark import gold

# PySpark leaves the socket of every collect() to the garbage collector.
pytestmark = pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning")

REPOSITORY = Path(__file__).parents[3]
RETURNS = contract_of(
    (FOLDER / "returns/returns.odcs.yaml").read_text("utf-8"), "returns.odcs.yaml"
)


def check(spark: Any, folder: Path, at: Path) -> None:
    """Build what lands in the case of a folder, and hold it against what the case expects."""
    expected, dataset = expectation(folder), folder.name
    contract = contract_of(text_of(folder, "contracts", f"{dataset}.odcs.yaml"), dataset)
    day = date.fromisoformat(expected["day"])
    prefix = f"incoming/{dataset}/dt={day}/"
    zone = LandingZone()
    for name, body in landing(folder):
        zone.land(prefix + name, body)

    made = build(
        spark, contract, day, zone, at, lambda name: text_of(folder, "sql/gold", f"{name}.sql")
    )

    for name, rows in expected.get("gold", {}).items():
        found = [[str(value) for value in row.values()] for row in made[f"gold_{name}"]]
        assert sorted(found) == [[str(v) for v in row] for row in rows]
    counts = ("landed", "silver", "duplicate", "quarantined")
    assert {
        row["source_key"].removeprefix(prefix): {name: row[f"{name}_rows"] for name in counts}
        for row in made[f"silver_{dataset}_files"]
    } == expected["files"]
    rejected = made[f"silver_{dataset}_quarantine"]
    reasons = Counter(reason for row in rejected for reason in row["reasons"])
    assert reasons == expected.get("reasons", {})


@pytest.mark.parametrize("dataset", sorted(path.name for path in FOLDER.iterdir()))
def test_what_landed_becomes_what_is_expected(spark: Any, tmp_path: Path, dataset: str) -> None:
    check(spark, FOLDER / dataset, tmp_path)


def text_of(case: Path, folder: str, name: str) -> str:
    """A file of the case, or else the deployed one."""
    own = case / name
    return (own if own.exists() else REPOSITORY / "include" / folder / name).read_text("utf-8")


def parcels_jsonl(path: Path) -> None:
    """Parcels, each with what is in it."""
    rows = (
        '{"parcel": "P1", "weight": 1.50, "sent_on": "2026-11-01", "things": [{"what": "a\\tb"}]}',
        '{"parcel": "P2", "weight": 22.5, "things": [{"what": "c", "pieces": 20}, {"pieces": 3}]}',
        '{"parcel": "P2", "weight": 22.5, "late": false}',
    )
    path.write_text("\n".join((*rows, "")), "utf-8")


def parcels_csv(path: Path) -> None:
    """Parcels, as a spreadsheet of half of Europe writes them."""
    rows = ("parcel;weight;note", 'P1;1.50;"a; b"', "P2;22.5;", "P2;22.5;c")
    path.write_text("\n".join((*rows, "")), "utf-8")


def parcels_parquet(path: Path) -> None:
    """Parcels, in every type that a contract has."""
    columns = {
        "parcel": pa.array(["P1", "P2", "P2"]),
        "weight": pa.array([Decimal("1.50"), None, Decimal("-22.25")], pa.decimal128(6, 2)),
        "sent_on": pa.array([date(2026, 11, 1), None, date(1999, 12, 31)]),
        "sent_at": pa.array([datetime(2026, 11, 1, 5, tzinfo=UTC)] * 3, pa.timestamp("ms", "UTC")),
        "pieces": pa.array([1, 2, 2], pa.uint16()),
        "number": pa.array([2**40, 2, 2]),
        "late": pa.array([True, False, None]),
    }
    pq.write_table(pa.table(columns), path)


@pytest.mark.parametrize("sample", [parcels_csv, parcels_jsonl, parcels_parquet])
def test_a_dataset_that_was_begun_from_a_sample_builds_it(
    spark: Any, tmp_path: Path, sample: Callable[[Path], None]
) -> None:
    file = tmp_path / sample.__name__.replace("_", ".")
    sample(file)
    begin = (
        "import sys; from pathlib import Path; from infra.datasets.new import files_of, write\n"
        "write(Path(sys.argv[2]), files_of('parcels', Path(sys.argv[1])))"
    )
    subprocess.run(
        [REPOSITORY / ".venvs" / "local" / "bin" / "python", "-c", begin, file, tmp_path],
        cwd=REPOSITORY,
        env={"PYTHONPATH": "plugins"},
        check=True,
    )
    folder = tmp_path / "tests" / "datasets" / "parcels"
    for made in (tmp_path / "include").rglob("parcels*.*"):
        made.rename(folder / made.name)
    check(spark, folder, tmp_path)


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT status, COUNT(*) AS returns FROM silver GROUP BY status",
        "SELECT status, COUNT(*) AS returns, SUM(amount_usd) AS amount_usd FROM silver GROUP BY 1",
        "SELECT COUNT(*) AS returns, 'x' AS status, 1BD AS amount_usd FROM silver",
    ],
    ids=["a column less", "another type", "another order"],
)
def test_a_query_that_makes_other_columns_is_refused_before_it_writes(
    spark: Any, tmp_path: Path, sql: str
) -> None:
    silver = str(tmp_path / "silver")
    one = "SELECT 'placed' AS status, CAST(1 AS DECIMAL(10, 2)) AS amount_usd"
    spark.sql(one).write.parquet(silver)
    (table,) = gold_tables(RETURNS)
    with pytest.raises(gold.OtherColumns, match="the contract says status string, returns bigint"):
        gold.run(spark, silver, sql, str(tmp_path / "gold"), table.columns)
    assert not (tmp_path / "gold").exists()
