"""A dataset goes through the jobs by its contract and its queries alone.

Each folder `tests/datasets/<dataset>/` is a case: files that land, and in `expect.yaml` what must
become of their rows; what is `packed` there lands packed with gzip. The contract and the queries
are the deployed ones, or stand in the folder: `returns` is a dataset that no code and no template
knows.
"""

from __future__ import annotations

from collections import Counter
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from tests.support.dataset_cases import FOLDER, expectation, landing
from tests.support.landing_zone import PROVENANCE, RAW, LandingZone, token_keys

from custody.aws.records.custody_gate import Gate
from custody.core.datasets.contracts import contract_of
from custody.core.datasets.tables import gold_tables, tables
from custody.spark import gold
from custody.spark.silver import job

# PySpark leaves the socket of every collect() to the garbage collector.
pytestmark = pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning")

REPOSITORY = Path(__file__).parents[3]
RETURNS = contract_of(
    (FOLDER / "returns/returns.odcs.yaml").read_text("utf-8"), "returns.odcs.yaml"
)


@pytest.mark.parametrize("dataset", sorted(path.name for path in FOLDER.iterdir()))
def test_what_landed_becomes_what_is_expected(spark: Any, tmp_path: Path, dataset: str) -> None:
    case = FOLDER / dataset
    expected = expectation(dataset)
    contract = contract_of(text_of(case, "contracts", f"{dataset}.odcs.yaml"), dataset)
    day = date.fromisoformat(expected["day"])
    prefix = f"incoming/{dataset}/dt={day}/"
    zone = LandingZone()
    for name, body in landing(dataset):
        zone.land(prefix + name, body)
    s3 = zone.s3

    def place(area: str) -> str:
        return str(tmp_path / area)

    def rows(area: str) -> list[dict[str, Any]]:
        return [row.asDict() for row in spark.read.parquet(place(area)).collect()]

    job.run(
        spark,
        job.SilverRun(dataset, day, "jr_1", RAW, PROVENANCE, "processed"),
        contract,
        Gate(PROVENANCE, zone.keys),
        lambda: s3,  # type: ignore[arg-type,return-value]
        place,
        token_keys(contract),
    )
    for table in gold_tables(contract):
        name = table.folder.partition("/")[2]
        query = text_of(case, "sql/gold", f"{name}.sql")
        gold.run(spark, place("silver"), query, place(table.folder), table.columns)
        if name in expected.get("gold", {}):
            made = [[str(value) for value in row.values()] for row in rows(table.folder)]
            assert sorted(made) == [[str(v) for v in row] for row in expected["gold"][name]]

    for table in tables(contract):
        area = table.folder if table.folder.startswith("gold/") else table.folder.split("/")[0]
        written = spark.read.parquet(place(area)).schema
        assert tuple((f.name, f.dataType.simpleString()) for f in written) == table.columns

    counts = ("landed", "silver", "duplicate", "quarantined")
    assert {
        row["source_key"].removeprefix(prefix): {name: row[f"{name}_rows"] for name in counts}
        for row in rows("files")
    } == expected["files"]
    reasons = Counter(reason for row in rows("quarantine") for reason in row["reasons"])
    assert reasons == expected.get("reasons", {})


def text_of(case: Path, folder: str, name: str) -> str:
    """A file of the case, or else the deployed one."""
    own = case / name
    return (own if own.exists() else REPOSITORY / "include" / folder / name).read_text("utf-8")


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
