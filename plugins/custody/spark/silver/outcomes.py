"""What becomes of every row: silver, duplicate or quarantined, and the account of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import fields
from operator import attrgetter

from pyspark.sql import DataFrame, SparkSession, Window
from pyspark.sql import functions as F  # noqa: N812 - the name every Spark reader expects

from custody.core.datasets.arrays import POSITION, Array
from custody.core.datasets.contracts import Contract
from custody.core.datasets.tables import files_columns
from custody.objects import ObjectVersion
from custody.spark.local_rows import fetched, local_rows
from custody.spark.silver.accounts import FileAccount

SOURCE = ("source_key", "source_version_id")
OUTCOMES = ("silver", "duplicate", "quarantined")

_VALUES = attrgetter(*(field.name for field in fields(FileAccount)))
"""Of an account, in the order of its fields; there may be tens of thousands of them."""


def decide(judged: DataFrame, contract: Contract, tasks: int) -> DataFrame:
    """`judged` in so many `tasks`, with the `outcome` of every row: silver, duplicate or
    quarantined; of a file: null.

    Of the accepted rows with one primary key, the first in the contract's order becomes silver;
    file (these are numbered in the order of their keys) and line settle a tie, so that the same
    files always leave the same rows.
    """
    order = [
        F.col(key.column).desc_nulls_last()
        if key.descending
        else F.col(key.column).asc_nulls_last()
        for key in contract.deduplication_order
    ]
    rejected = F.col("reasons").isNotNull()
    # One pass for all. What is compared is first told apart by a hash, which sorts faster than
    # keys do; what is not is spread, so that a key that many bad rows have (or lack) gives no task
    # more than its share.
    apart = F.when(rejected, F.xxhash64("file", "source_line")).otherwise(
        F.xxhash64(*contract.primary_key)
    )
    # Spark would take 200 tasks, whose beginning costs more than a small day's rows, and write as
    # many files.
    together = judged.withColumn("_apart", apart).repartition(tasks, "_apart")
    window = Window.partitionBy("_apart", *contract.primary_key).orderBy(
        *order, "file", "source_line"
    )
    first = F.row_number().over(window) == 1
    outcome = (
        F.when(F.col("source_line").isNull(), None)
        .when(rejected, "quarantined")
        .when(first, "silver")
        .otherwise("duplicate")
    )
    return together.withColumn("outcome", outcome).drop("_apart")


def named(spark: SparkSession, objects: Sequence[ObjectVersion]) -> DataFrame:
    """The key and the version of each file, by its number."""
    rows = [(number, one.key, one.version_id) for number, one in enumerate(objects)]
    return F.broadcast(
        local_rows(spark, rows, "file int, source_key string, source_version_id string")
    )


def silver(decided: DataFrame, contract: Contract, names: DataFrame) -> DataFrame:
    """The rows that stay: the contract's columns, and where each row came from."""
    rows = decided.where(F.col("outcome") == "silver").join(names, "file")
    return rows.select(
        *contract.header,
        F.col("source_key").alias("_source_key"),
        F.col("source_version_id").alias("_source_version_id"),
        F.col("source_line").alias("_source_line"),
    )


def item_rows(decided: DataFrame, contract: Contract, array: Array, names: DataFrame) -> DataFrame:
    """The items of the rows that stay, a row each."""
    return (
        decided.where(F.col("outcome") == "silver")
        .join(names, "file")
        .select(
            *contract.primary_key,
            F.posexplode(array.name).alias("_at", "_item"),
            F.col("source_key").alias("_source_key"),
            F.col("source_version_id").alias("_source_version_id"),
            F.col("source_line").alias("_source_line"),
        )
        .select(
            *contract.primary_key,
            (F.col("_at") + 1).alias(POSITION),
            *(F.col("_item")[column.name].alias(column.name) for column in array.columns),
            "_source_key",
            "_source_version_id",
            "_source_line",
        )
    )


def quarantine(
    decided: DataFrame, accounts: Iterable[FileAccount], names: DataFrame, *, keeps_lines: bool
) -> DataFrame:
    """The rejected rows, with their lines or without, and one row without a line for each broken
    file of the accounts."""
    rejected = decided.where(F.col("reasons").isNotNull()).join(names, "file")
    line = F.when(F.lit(keeps_lines), F.col("raw_line"))
    rows = rejected.select(*SOURCE, "source_line", "reasons", line.alias("raw_line"))
    broken = [
        (file.source_key, file.source_version_id, None, [file.file_reason.partition(":")[0]], None)
        for file in accounts
        if file.file_reason is not None
    ]
    if not broken:
        return rows
    return rows.unionByName(local_rows(decided.sparkSession, broken, rows.schema))


def account(
    decided: DataFrame, arrays: Sequence[Array], objects: Sequence[ObjectVersion]
) -> list[FileAccount]:
    """What became of the rows of each object version, and of the items of their arrays."""
    stays = F.col("outcome") == "silver"
    items = [F.sum(F.when(stays & F.col(a.name).isNotNull(), F.size(a.name))) for a in arrays]
    counts = {
        "landed": F.sum("closing.landed_rows"),
        **{outcome: F.count_if(F.col("outcome") == outcome) for outcome in OUTCOMES},
        **{f"items_{at}": count for at, count in enumerate(items)},
    }
    # The texts of closing entries are among the keys: were they aggregated, Spark would sort all
    # rows, as no text has a place in its hash tables. So a file has a row for its own rows, and one
    # for each entry that is not like another.
    rows = decided.groupBy("file", "closing.sha256", "closing.file_reason").agg(
        F.coalesce(F.max("closing.size_bytes"), F.lit(0)).alias("size_bytes"),
        *(F.coalesce(count, F.lit(0)).alias(name) for name, count in counts.items()),
    )
    of_files = fetched(rows).sort_values("file_reason", ascending=False).groupby("file")
    found = of_files.agg(
        {
            "sha256": "first",
            "file_reason": "first",
            "size_bytes": "max",
            **dict.fromkeys(counts, "sum"),
        }
    )
    return [
        FileAccount(
            source_key=objects[number].key,
            source_version_id=objects[number].version_id,
            sha256=sha256,
            size_bytes=size if sha256 is not None else None,
            landed_rows=landed,
            silver_rows=silver,
            duplicate_rows=duplicate,
            quarantined_rows=quarantined,
            file_reason=reason,
            item_rows=tuple(of_items),
        )
        for number, sha256, reason, size, landed, silver, duplicate, quarantined, *of_items in (
            found.itertuples(name=None)
        )
    ]


def files(
    spark: SparkSession, accounts: Iterable[FileAccount], arrays: Sequence[Array] = ()
) -> DataFrame:
    """The accounts as a table."""
    columns = ", ".join(map(" ".join, files_columns(arrays)))
    rows = [(*values, *items) for *values, items in map(_VALUES, accounts)]
    return local_rows(spark, rows, columns).coalesce(1)
