"""The daemon of Spark's Python workers."""

from __future__ import annotations

from localaws.glue.spark.workers.quick_daemon import without_sparks_archives


def test_what_a_job_brings_stays_on_the_path() -> None:
    kept = ["", "/run/lib/custody.zip", "/usr/lib/python311.zip", "/venv/site-packages"]
    sparks = [
        "/venv/pyspark/python/lib/pyspark.zip",
        "/venv/pyspark/python/lib/py4j-0.10.9.7-src.zip",
        "/venv/pyspark/jars/spark-core_2.12-3.5.6.jar",
    ]
    assert without_sparks_archives([*kept[:2], *sparks, *kept[2:]]) == kept
