"""Loads the classes a job needs, so that `archive` can keep them; its results mean nothing.

Runs in the jobs' environment. The more of Spark and S3A it touches, the faster a run starts.
"""

import sys
from contextlib import suppress

from py4j.protocol import Py4JError  # type: ignore[import-untyped]
from pyspark.sql import SparkSession, Window
from pyspark.sql import functions as F  # noqa: N812 - the name every Spark reader expects

spark = SparkSession.builder.getOrCreate()
target = sys.argv[1]
lines = spark.createDataFrame(
    spark.sparkContext.parallelize(range(200), 2).mapPartitions(
        lambda numbers: ((str(n % 5), n, [str(n), "2024-01-31", None]) for n in numbers)
    ),
    "source string, line int, fields array<string>",
).persist()
lines.count()
field = F.col("fields")
rows = lines.select(
    "source",
    "line",
    field[0].cast("decimal(12,2)").alias("amount"),
    F.try_to_timestamp(field[1], F.lit("yyyy-MM-dd")).cast("date").alias("day"),
    F.array_compact(
        F.array(
            F.when(field[2].isNull(), "a"),
            F.when(~field[0].rlike("^[0-9]+$"), "b"),
            F.when(F.lower(field[0]).isin("1", "2") | (F.length(field[1]) > 3), "c"),
        )
    ).alias("reasons"),
)
first = F.row_number().over(Window.partitionBy("source").orderBy(F.col("amount").desc())) == 1
decided = rows.where(F.size("reasons") > 0).withColumn("first", first).persist()
counts = decided.groupBy("source").agg(F.count("*").alias("rows"), F.sum("amount").alias("sum"))
files = lines.where("line < 5").join(counts, ["source"], "left")
files.union(files).repartition("source").write.parquet(f"{target}/files")
decided.write.parquet(f"{target}/rows")
spark.read.parquet(f"{target}/rows").createOrReplaceTempView("silver")
spark.sql(
    "SELECT source, date_format(day, 'yyyy-MM'), count(*) FILTER (WHERE first) FROM silver "
    "GROUP BY ALL"
).collect()
# Nobody listens: this loads S3A and its committers up to the first request.
with suppress(Py4JError):
    decided.write.parquet("s3://nobody/listens/")
spark.stop()
