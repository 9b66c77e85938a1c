"""Building gold, with the dataset's gold SQL, on local Spark."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest.mock import MagicMock

import pytest
from pyspark.errors import AnalysisException
from tests.support.landing_zone import MemoryS3

from custody.spark import gold as job
from custody.spark.glue_runs import GlueRun

# PySpark leaves the socket of every collect() to the garbage collector.
pytestmark = pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning")

REPOSITORY = Path(__file__).parents[4]
SQL = (REPOSITORY / "include" / "sql" / "gold" / "customers_by_country_month.sql").read_text()
SILVER = (
    "country string, signup_date date, total_orders bigint, total_spent_usd decimal(12,2), "
    "is_premium boolean"
)
COLUMNS = (
    ("country", "string"),
    ("signup_month", "string"),
    ("customers", "bigint"),
    ("premium_customers", "bigint"),
    ("total_orders", "bigint"),
    ("total_spent_usd", "decimal(18,2)"),
)
ROWS = [
    ("NL", date(2024, 5, 1), 2, Decimal("10.10"), True),
    ("NL", date(2024, 5, 31), 3, Decimal("0.05"), False),
    ("NL", date(2024, 6, 1), 0, Decimal("0.00"), False),
    ("BE", date(2024, 5, 31), 1, Decimal("9999999999.99"), True),
]


def silver_run(spark: Any, directory: Path, rows: list[Any]) -> str:
    path = str(directory / "silver")
    spark.createDataFrame(rows, SILVER).write.parquet(path)
    return path


def test_a_day_of_long_ago_is_written_as_it_is(spark: Any, tmp_path: Path) -> None:
    silver, output = silver_run(spark, tmp_path, ROWS), str(tmp_path / "gold")
    sql = "SELECT DISTINCT DATE'0001-01-02' AS since FROM silver"
    spark.conf.unset("spark.sql.parquet.datetimeRebaseModeInWrite")
    assert job.run(spark, silver, sql, output, (("since", "date"),)) == 1
    assert spark.read.parquet(output).first()["since"] == date(1, 1, 2)


def test_a_query_sees_no_personal_data(spark: Any, tmp_path: Path) -> None:
    silver, output = silver_run(spark, tmp_path, ROWS), str(tmp_path / "gold")
    with pytest.raises(AnalysisException, match="country"):
        job.run(spark, silver, SQL, output, COLUMNS, personal={"": ["country"]})
    assert not Path(output).exists()


def test_counts_customers_and_spend_by_country_and_signup_month(spark: Any, tmp_path: Path) -> None:
    output = str(tmp_path / "gold")

    assert job.run(spark, silver_run(spark, tmp_path, ROWS), SQL, output, COLUMNS) == 3

    gold = spark.read.parquet(output)
    assert tuple((field.name, field.dataType.simpleString()) for field in gold.schema) == COLUMNS
    assert sorted(tuple(row) for row in gold.collect()) == [
        ("BE", "2024-05", 1, 1, 1, Decimal("9999999999.99")),
        ("NL", "2024-05", 2, 1, 5, Decimal("10.15")),
        ("NL", "2024-06", 1, 0, 0, Decimal("0.00")),
    ]


def test_a_day_without_rows_has_a_gold_without_rows(spark: Any, tmp_path: Path) -> None:
    output = str(tmp_path / "gold")

    assert job.run(spark, silver_run(spark, tmp_path, []), SQL, output, COLUMNS) == 0
    assert "country" in spark.read.parquet(output).columns


def test_a_gold_that_loses_every_row_fails(spark: Any, tmp_path: Path) -> None:
    silver = silver_run(spark, tmp_path, ROWS)
    sql = SQL.replace("FROM silver", "FROM silver WHERE country = 'FR'")
    assert sql != SQL

    with pytest.raises(job.NoRowsError, match=r"gold has no rows, of 4 rows in .*silver"):
        job.run(spark, silver, sql, str(tmp_path / "gold"), COLUMNS)


def test_an_amount_that_does_not_fit_fails_instead_of_becoming_null(
    spark: Any, tmp_path: Path
) -> None:
    sql = SQL.replace("DECIMAL(18, 2)", "DECIMAL(5, 2)")
    assert sql != SQL
    columns = (*COLUMNS[:-1], ("total_spent_usd", "decimal(5,2)"))

    with pytest.raises(Exception, match="NUMERIC_VALUE_OUT_OF_RANGE"):
        job.run(spark, silver_run(spark, tmp_path, ROWS), sql, str(tmp_path / "gold"), columns)


def test_a_run_never_writes_over_another_ones_output(spark: Any, tmp_path: Path) -> None:
    silver, output = silver_run(spark, tmp_path, ROWS), str(tmp_path / "gold")
    job.run(spark, silver, SQL, output, COLUMNS)

    with pytest.raises(Exception, match="already exists"):
        job.run(spark, silver, SQL, output, COLUMNS)


def acted(monkeypatch: Any, dataset: str, gold: str) -> tuple[dict[str, Any], dict[str, str]]:
    """What a run says, once it has run with these parameters, and what it verified and read."""
    s3 = MemoryS3()
    for name, version in ((f"contracts/{dataset}.odcs.yaml", "c1"), (f"sql/gold/{gold}.sql", "q1")):
        s3.put("code", f"b/{name}", (REPOSITORY / "include" / name).read_bytes(), version)
    said: dict[str, Any] = {"verified": [], "unchanged": []}

    def verified(_: Any, place: str, **__: Any) -> list[str]:
        said["verified"].append(place)
        return [f"bytes of {place}"]

    for name, does in {
        "s3_client": lambda: s3,
        "kms_client": lambda _: None,
        "check_deployed": lambda *_: None,
        "lineage_trust": lambda *_: None,
        "verified_outputs": verified,
        "check_unchanged": lambda _, place, read: said["unchanged"].append((place, read)),
        "run": lambda *given: said.update(run=given[1:]),
        "Judge": lambda *_: SimpleNamespace(judge=lambda of: said.update(of=of) or ["s3://found/"]),
        "record_lineage": lambda _, this, inputs, locations, **__: said.update(
            materials=this.materials, inputs=inputs, locations=locations
        ),
        "SparkSession": MagicMock(),
    }.items():
        monkeypatch.setattr(job, name, does)
    parameters = {
        "dataset": dataset,
        "dt": "2026-11-01",
        "silver_run": f"s3://processed/silver/{dataset}/dt=2026-11-01/run=jr_1/",
        "gold_table": gold,
        "code_location": "s3://code/b",
        "silver_job": "silver",
        "analytics_bucket": "analytics",
        "provenance_bucket": "provenance",
        "lineage_key_arn": "arn:aws:kms:us-east-1:111122223333:key/k",
        "former_lineage_keys": "{}",
    }
    return said, parameters


def test_a_run_holds_its_query_to_the_contract_and_names_both(monkeypatch: Any) -> None:
    said, parameters = acted(monkeypatch, "customers", "customers_by_country_month")

    job.build_gold(GlueRun("gold", "jr_2", parameters, datetime(2026, 11, 2, tzinfo=UTC), ()))

    output = "s3://analytics/gold/customers_by_country_month/dt=2026-11-01/run=jr_2/"
    personal = {"": {name: name for name in ("first_name", "last_name", "email")}}
    assert said["run"] == (parameters["silver_run"], SQL, output, COLUMNS, {}, personal)
    ((table, judged),) = said["of"].items()
    assert (table.name, judged) == ("gold_customers_by_country_month", output)
    assert said["locations"] == [output, "s3://found/"]
    assert [(one.name, one.version_id) for one in said["materials"]] == [
        ("contract", "c1"),
        ("gold_sql", "q1"),
    ]
    with pytest.raises(job.OtherColumns, match="the contract of customers has no gold table x"):
        job.build_gold(
            GlueRun("gold", "jr_2", parameters | {"gold_table": "x"}, datetime.now(UTC), ())
        )


def test_what_is_read_of_arrays_is_verified_and_stated_too(monkeypatch: Any) -> None:
    said, parameters = acted(monkeypatch, "orders", "orders_by_product")

    job.build_gold(GlueRun("gold", "jr_2", parameters, datetime(2026, 11, 2, tzinfo=UTC), ()))

    items = "s3://processed/silver/orders_lines/dt=2026-11-01/run=jr_1/"
    assert said["run"][-2:] == ({"lines": items}, {"": {"note": "note"}})
    assert said["verified"] == [parameters["silver_run"], items]
    assert said["inputs"] == [f"bytes of {place}" for place in said["verified"]]
    assert said["unchanged"] == [(place, [f"bytes of {place}"]) for place in said["verified"]]
