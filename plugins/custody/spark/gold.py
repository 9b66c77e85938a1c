"""Build one day of a gold table: verify a silver run, aggregate it, state the lineage."""

from __future__ import annotations

import logging
from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import date
from types import MappingProxyType

from pyspark.sql import DataFrame, SparkSession

from custody.aws.lineage.keeping import reader
from custody.core.datasets.contracts import Contract
from custody.core.datasets.personal import personal_by_table
from custody.core.datasets.tables import Table, gold_tables
from custody.core.formats.hive_ddl import Columns
from custody.spark.contracts import read_contract
from custody.spark.counts import count_rows
from custody.spark.glue_runs import (
    GlueRun,
    check_deployed,
    check_unchanged,
    fetch_material,
    lineage_trust,
    record_lineage,
    verified_outputs,
)
from custody.spark.quality.judging import Judge
from custody.spark.startup import kms_client, s3_client
from custody.spark.times import keep_times

log = logging.getLogger(__name__)


class NoRowsError(Exception):
    """A day of gold without a row, of a day of silver that has some: it would hide the loss."""


class OtherColumns(Exception):
    """A query makes other columns than the contract says of its table."""


def aggregate(silver: DataFrame, sql: str, items: Mapping[str, DataFrame]) -> DataFrame:
    """The result of `sql`, one SELECT over the view `silver`, and over a view `silver_<array>` of
    the `items` of each array.
    """
    silver.createOrReplaceTempView("silver")
    for array, frame in items.items():
        frame.createOrReplaceTempView(f"silver_{array}")
    return silver.sparkSession.sql(sql)


def run(
    spark: SparkSession,
    silver_run: str,
    sql: str,
    output: str,
    columns: Columns,
    arrays: Mapping[str, str] = MappingProxyType({}),
    personal: Mapping[str, Collection[str]] = MappingProxyType({}),
) -> int:
    """Write the gold rows to the URI `output`; return how many. `arrays` are the URIs at which the
    silver run has written the items of each. The query does not see the columns that are
    `personal`, by array, and by "" those of silver itself: it fails if it names one.

    Raises OtherColumns, before anything is written, if they would not have these `columns`.
    """
    keep_times(spark)
    spark.conf.set("spark.sql.ansi.enabled", "true")
    silver = spark.read.parquet(silver_run)
    items = {
        array: spark.read.parquet(uri).drop(*personal.get(array, ()))
        for array, uri in arrays.items()
    }
    gold = aggregate(silver.drop(*personal.get("", ())), sql, items)
    check_columns(tuple((f.name, f.dataType.simpleString()) for f in gold.schema), columns)
    gold.write.mode("errorifexists").parquet(output)
    written = spark.read.schema(gold.schema).parquet(output)
    read, rows = count_rows({"silver": silver, "gold": written}).values()
    log.info("%d silver rows in %s; wrote %d rows to %s", read, silver_run, rows, output)
    if read and not rows:
        raise NoRowsError(f"{output} has no rows, of {read} rows in {silver_run}")
    return rows


def check_columns(made: Columns, wanted: Columns) -> None:
    """Raise OtherColumns where they differ, in order, name or type: readers would see nulls."""
    if made != wanted:
        said, found = (", ".join(map(" ".join, columns)) for columns in (wanted, made))
        raise OtherColumns(f"the contract says {said}; the query makes {found}")


def table_of(contract: Contract, gold_table: str) -> Table:
    """One of a contract's gold tables; raises OtherColumns if it has no such."""
    for table in gold_tables(contract):
        if table.name == f"gold_{gold_table}":
            return table
    raise OtherColumns(f"the contract of {contract.dataset} has no gold table {gold_table}")


def places_of_items(contract: Contract, silver_run: str) -> dict[str, str]:
    """Where the run of silver at an S3 URI has written the items of each array."""
    head, _, rest = silver_run.partition(f"/silver/{contract.dataset}/")
    return {
        array.name: f"{head}/silver/{contract.dataset}_{array.name}/{rest}"
        for array in contract.arrays
    }


def build_gold(this: GlueRun) -> None:
    """Build the day that a run of the job was given, and state its lineage."""
    given = this.parameters
    key_arn, dt = given["lineage_key_arn"], date.fromisoformat(given["dt"])
    output = f"s3://{given['analytics_bucket']}/gold/{given['gold_table']}/dt={dt}/run={this.id}/"
    log.info("%s of %s, run %s", given["gold_table"], given["dataset"], this.id)
    s3, kms = s3_client(), kms_client(key_arn)
    check_deployed(s3, this, given["code_location"])
    contract, contract_file = read_contract(s3, given["code_location"], given["dataset"])
    table = table_of(contract, given["gold_table"])
    sql_uri = f"{given['code_location']}/sql/gold/{given['gold_table']}.sql"
    sql, sql_file = fetch_material(s3, "gold_sql", sql_uri)
    spark = SparkSession.builder.appName("silver_to_gold").getOrCreate()
    read = reader(s3, given["provenance_bucket"])
    trust = lineage_trust(this, kms, given["silver_job"])
    arrays = places_of_items(contract, given["silver_run"])
    inputs = {
        place: verified_outputs(spark, place, read=read, trust=trust, s3_client=s3_client)
        for place in (given["silver_run"], *arrays.values())
    }
    personal = personal_by_table(contract)
    run(spark, given["silver_run"], sql.decode(), output, table.columns, arrays, personal)
    for place, found in inputs.items():
        check_unchanged(s3, place, found)
    judged = Judge(spark, this, contract, s3_client, kms).judge({table: output})
    record_lineage(
        spark,
        replace(this, materials=(*this.materials, contract_file, sql_file)),
        inputs=[item for found in inputs.values() for item in found],
        locations=[output, *judged],
        s3_client=s3_client,
        kms=kms,
    )
