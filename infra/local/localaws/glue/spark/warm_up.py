"""Loads the classes a job needs, so that `archive` can keep them; its results mean nothing.

Runs in the jobs' environment. The more of Spark and S3A it touches, the faster a run starts.
"""

import sys
from collections.abc import Iterable
from contextlib import suppress
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pyarrow as pa
from py4j.protocol import Py4JError  # type: ignore[import-untyped]
from pyspark.sql import SparkSession, Window
from pyspark.sql import functions as F  # noqa: N812 - the name every Spark reader expects

LINES = pa.schema(
    [
        ("file", pa.int32()),
        ("line", pa.int32()),
        ("reasons", pa.list_(pa.string())),
        ("amount", pa.decimal128(12, 2)),
        ("day", pa.date32()),
        ("at", pa.timestamp("us", "UTC")),
        ("good", pa.bool_()),
        ("closing", pa.struct([("rows", pa.int64())])),
    ]
)

spark = SparkSession.builder.getOrCreate()
target = sys.argv[1]


def read(batches: Iterable[Any]) -> Iterable[Any]:
    for batch in batches:
        for number in batch["id"].to_pylist():
            yield pa.RecordBatch.from_pylist(
                [
                    {
                        "file": n % 5,
                        "line": n,
                        "reasons": ["a"] if n % 3 else None,
                        "amount": Decimal("1.50"),
                        "day": date(2024, 1, 31),
                        "at": datetime(2024, 1, 31, tzinfo=UTC),
                        "good": True,
                        "closing": {"rows": 1},
                    }
                    for n in range(number, number + 100)
                ],
                LINES,
            )


lines = spark.range(0, 2, 1, 2).mapInArrow(
    read,
    "file int, line int, reasons array<string>, amount decimal(12,2), day date, at timestamp, "
    "good boolean, closing struct<rows: bigint>",
)
apart = F.when(F.col("reasons").isNull(), F.xxhash64("file", "line"))
rows = lines.withColumn("apart", apart).repartition(2, "apart")
window = Window.partitionBy("apart", "day").orderBy(F.col("amount").desc_nulls_last(), "line")
decided = rows.withColumn("first", F.row_number().over(window) == 1).drop("apart").persist()
counts = decided.groupBy("file").agg(
    F.count_if("first").alias("rows"), F.sum("closing.rows").alias("sum")
)
counts.collect()
names = F.broadcast(spark.createDataFrame([(n, str(n)) for n in range(5)], "file int, key string"))
files = decided.where("line < 5").join(names, "file").select("key", "line", "reasons")
files.unionByName(spark.createDataFrame([("a", 1, ["b"])], files.schema)).write.parquet(
    f"{target}/files"
)
decided.write.parquet(f"{target}/rows")
spark.read.parquet(f"{target}/rows").createOrReplaceTempView("silver")
spark.sql(
    "SELECT file, date_format(day, 'yyyy-MM'), count(*) FILTER (WHERE first) FROM silver "
    "GROUP BY ALL"
).collect()
# Nobody listens: this loads S3A and its committers up to the first request.
with suppress(Py4JError):
    decided.write.parquet("s3://nobody/listens/")
spark.stop()
