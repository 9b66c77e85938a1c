"""Build one day of a gold table from one run of silver.

Reads   the Parquet files of one silver run, as the temporary view ``silver``, and the table's SQL.
Writes  ``gold/<gold_table>/dt=<dt>/run=<job run id>/`` of the analytics bucket, as Parquet. Nothing
        else is touched, so a rerun cannot harm what is published.

Fails   when the silver run has no rows, when the SQL yields none, and on an amount that does not
        fit its type (ANSI mode: no silent null).

Arguments: dataset, dt (YYYY-MM-DD), silver_run (S3 URI of the silver run's prefix),
analytics_bucket, gold_sql (S3 URI of one SELECT), gold_table.
"""

from __future__ import annotations

import logging
import sys
from datetime import date

import boto3
from pyspark.sql import DataFrame, SparkSession

log = logging.getLogger("silver_to_gold")


class NoRowsError(Exception):
    """A day of silver or gold without a row: publishing it would hide the loss."""


def aggregate(silver: DataFrame, sql: str) -> DataFrame:
    """The result of `sql`, one SELECT over the view ``silver``."""
    silver.createOrReplaceTempView("silver")
    return silver.sparkSession.sql(sql)


def run(spark: SparkSession, silver_run: str, sql: str, output: str) -> int:
    """Write the gold rows to the URI `output`; return how many."""
    spark.conf.set("spark.sql.session.timeZone", "UTC")
    spark.conf.set("spark.sql.ansi.enabled", "true")
    silver = spark.read.parquet(silver_run).persist()
    log.info("%d silver rows in %s", _rows(silver, silver_run), silver_run)
    aggregate(silver, sql).write.mode("errorifexists").parquet(output)
    rows = _rows(spark.read.parquet(output), output)
    log.info("wrote %d rows to %s", rows, output)
    return rows


def _rows(frame: DataFrame, uri: str) -> int:
    rows: int = frame.count()
    if rows == 0:
        raise NoRowsError(f"{uri} has no rows")
    return rows


def read_text(uri: str) -> str:
    """The UTF-8 text at an S3 URI."""
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    body: bytes = boto3.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read()
    return body.decode()


def main(argv: list[str]) -> None:
    """Run on Glue."""
    from awsglue.utils import getResolvedOptions  # noqa: PLC0415 - exists only on Glue

    names = ("dataset", "dt", "silver_run", "analytics_bucket", "gold_sql", "gold_table")
    args = getResolvedOptions(argv, list(names))
    dt, run_id = date.fromisoformat(args["dt"]), args["JOB_RUN_ID"]
    prefix = f"gold/{args['gold_table']}/dt={dt}/run={run_id}/"
    log.info("%s of %s, run %s", args["gold_table"], args["dataset"], run_id)
    sql = read_text(args["gold_sql"])
    spark = SparkSession.builder.appName("silver_to_gold").getOrCreate()
    run(spark, args["silver_run"], sql, f"s3://{args['analytics_bucket']}/{prefix}")


if __name__ == "__main__":
    logging.basicConfig(stream=sys.stdout, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    log.setLevel(logging.INFO)
    main(sys.argv)
