"""How Spark reads and writes times, in every job."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

_TIMES: Final = {
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.parquet.datetimeRebaseModeInWrite": "CORRECTED",
    "spark.sql.parquet.int96RebaseModeInWrite": "CORRECTED",
}


def keep_times(spark: SparkSession) -> None:
    """Have times be UTC, and written as they are, however long ago: by itself Spark fails at those
    before 1900, as its releases before 3.0 would read them by another calendar."""
    for name, value in _TIMES.items():
        spark.conf.set(name, value)
