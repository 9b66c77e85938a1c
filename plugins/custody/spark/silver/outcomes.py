"""What becomes of every row: silver, duplicate or quarantined, and the account of them."""

from __future__ import annotations

from dataclasses import dataclass

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F  # noqa: N812 - the name every Spark reader expects

from custody.core.datasets.contracts import Contract
from custody.spark.silver.lines import SOURCE

REFUSED = "custody."
"""How the reasons begin for which the custody gate refuses a file."""

OUTCOMES = ("silver", "duplicate", "quarantined")


def decide(judged: DataFrame, contract: Contract) -> DataFrame:
    """`judged` with the `outcome` of every row: silver, duplicate or quarantined; of a file: null.

    Of the accepted rows with one primary key, the first in the contract's order becomes silver;
    source key, version and line settle a tie, so that the same files always leave the same rows.
    """
    order = [
        F.col(key.column).desc_nulls_last()
        if key.descending
        else F.col(key.column).asc_nulls_last()
        for key in contract.deduplication_order
    ]
    rejected = F.col("reasons").isNotNull()
    # What is not compared stays where it is: one pass, and a key that many bad rows have (or lack)
    # gives no task more than its share.
    apart = F.when(rejected, F.xxhash64(*SOURCE, "source_line"))
    window = Window.partitionBy(apart, *contract.primary_key).orderBy(
        *order, *SOURCE, "source_line"
    )
    first = F.row_number().over(window) == 1
    return judged.withColumn(
        "outcome",
        F.when(F.col("source_line").isNull(), None)
        .when(rejected, "quarantined")
        .when(first, "silver")
        .otherwise("duplicate"),
    )


def silver(decided: DataFrame, contract: Contract) -> DataFrame:
    """The rows that stay: the contract's columns, and where each row came from."""
    return decided.where(F.col("outcome") == "silver").select(
        *contract.header,
        F.col("source_key").alias("_source_key"),
        F.col("source_version_id").alias("_source_version_id"),
        F.col("source_line").alias("_source_line"),
    )


def quarantine(decided: DataFrame, files: DataFrame) -> DataFrame:
    """The rejected rows, and one row without a line for each broken file of the account."""
    columns = (*SOURCE, "source_line", "reasons", "raw_line")
    code = F.substring_index("file_reason", ":", 1)
    broken = files.where(F.col("file_reason").isNotNull()).select(
        *SOURCE,
        F.lit(None).cast("int").alias("source_line"),
        F.array(code).alias("reasons"),
        F.lit(None).cast("string").alias("raw_line"),
    )
    return decided.where(F.col("reasons").isNotNull()).select(*columns).unionByName(broken)


def account(decided: DataFrame) -> DataFrame:
    """One row per object version: what became of its rows.

    `landed_rows` is what the readers counted, the others what Spark counted: their sum must be the
    same. A broken file has landed no rows; `file_reason` says why.
    """
    return decided.groupBy(*SOURCE).agg(
        *(F.max(name).alias(name) for name in ("sha256", "size_bytes")),
        F.sum("landed_rows").alias("landed_rows"),
        *(F.count_if(F.col("outcome") == outcome).alias(f"{outcome}_rows") for outcome in OUTCOMES),
        F.max("file_reason").alias("file_reason"),
    )


@dataclass(frozen=True, slots=True)
class Totals:
    """The day's accounting, summed. Bytes are of the files in custody, broken and not."""

    files: int
    broken_files: int
    bytes: int
    broken_bytes: int
    landed_rows: int
    silver_rows: int
    duplicate_rows: int
    quarantined_rows: int
    unbalanced_files: int

    @classmethod
    def of(cls, files: DataFrame) -> Totals:
        refused = F.coalesce(F.col("file_reason").startswith(REFUSED), F.lit(False))
        in_custody = F.when(~refused, F.col("size_bytes"))

        def total(numbers: Column) -> Column:
            return F.coalesce(F.sum(numbers), F.lit(0))

        balance = F.col("silver_rows") + F.col("duplicate_rows") + F.col("quarantined_rows")
        # A file that went away between the readers of its parts is not half there.
        half = F.col("file_reason").isNotNull() & (F.col("landed_rows") > 0)
        (row,) = files.agg(
            F.count(F.lit(1)).alias("files"),
            F.count("file_reason").alias("broken_files"),
            total(in_custody).alias("bytes"),
            total(F.when(F.col("file_reason").isNotNull(), in_custody)).alias("broken_bytes"),
            *(
                F.sum(name).alias(name)
                for name in ("landed_rows", "silver_rows", "duplicate_rows", "quarantined_rows")
            ),
            F.count_if((F.col("landed_rows") != balance) | half).alias("unbalanced_files"),
        ).collect()
        return cls(**row.asDict())
