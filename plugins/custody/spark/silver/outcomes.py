"""What becomes of every row: silver, duplicate or quarantined, and the account of them."""

from __future__ import annotations

from dataclasses import dataclass

from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as F  # noqa: N812 - the name every Spark reader expects

from custody.core.datasets.contracts import Contract
from custody.spark.silver.lines import SOURCE

OUTCOMES = ("silver", "duplicate", "quarantined")


def decide(judged: DataFrame, contract: Contract) -> DataFrame:
    """`judged` with every row's `outcome`: silver, duplicate or quarantined.

    Of the accepted rows with one primary key, the first in the contract's order becomes silver;
    source key, version and line settle a tie, so that the same files always leave the same rows.
    """
    order = [
        F.col(key.column).desc_nulls_last()
        if key.descending
        else F.col(key.column).asc_nulls_last()
        for key in contract.deduplication_order
    ]
    window = Window.partitionBy(*contract.primary_key).orderBy(*order, *SOURCE, "source_line")
    first = F.row_number().over(window) == 1
    accepted, rejected = (judged.where(c) for c in (F.size("reasons") == 0, F.size("reasons") > 0))
    return accepted.withColumn(
        "outcome", F.when(first, F.lit("silver")).otherwise(F.lit("duplicate"))
    ).unionByName(rejected.withColumn("outcome", F.lit("quarantined")))


def silver(decided: DataFrame, contract: Contract) -> DataFrame:
    """The rows that stay: the contract's columns, and where each row came from."""
    return decided.where(F.col("outcome") == "silver").select(
        *contract.header,
        F.col("source_key").alias("_source_key"),
        F.col("source_version_id").alias("_source_version_id"),
        F.col("source_line").alias("_source_line"),
    )


def quarantine(lines: DataFrame, decided: DataFrame) -> DataFrame:
    """The rejected rows; a broken file is one row without a line."""
    columns = (*SOURCE, "source_line", "reasons", "raw_line")
    rows = decided.where(F.col("outcome") == "quarantined").select(*columns)
    files = lines.where(F.col("file_code").isNotNull())
    return rows.unionByName(files.withColumn("reasons", F.array("file_code")).select(*columns))


def account(lines: DataFrame, decided: DataFrame) -> DataFrame:
    """One row per object version: what became of its rows.

    `landed_rows` is what the reader counted, the others what Spark counted: their sum must be the
    same. A broken file has landed no rows; `file_reason` says why.
    """
    files = lines.where(F.col("source_line").isNull())
    counts = decided.groupBy(*SOURCE).agg(
        *(
            F.count(F.when(F.col("outcome") == outcome, 1)).alias(f"{outcome}_rows")
            for outcome in OUTCOMES
        )
    )
    return files.join(counts, list(SOURCE), "left").select(
        *SOURCE,
        "sha256",
        "size_bytes",
        "landed_rows",
        *(F.coalesce(f"{outcome}_rows", F.lit(0)).alias(f"{outcome}_rows") for outcome in OUTCOMES),
        "file_reason",
    )


@dataclass(frozen=True, slots=True)
class Totals:
    """The day's accounting, summed."""

    files: int
    broken_files: int
    landed_rows: int
    silver_rows: int
    duplicate_rows: int
    quarantined_rows: int
    unbalanced_files: int

    @classmethod
    def of(cls, files: DataFrame) -> Totals:
        balance = F.col("silver_rows") + F.col("duplicate_rows") + F.col("quarantined_rows")
        (row,) = files.agg(
            F.count(F.lit(1)).alias("files"),
            F.count("file_reason").alias("broken_files"),
            *(
                F.sum(name).alias(name)
                for name in ("landed_rows", "silver_rows", "duplicate_rows", "quarantined_rows")
            ),
            F.count(F.when(F.col("landed_rows") != balance, 1)).alias("unbalanced_files"),
        ).collect()
        return cls(**row.asDict())
