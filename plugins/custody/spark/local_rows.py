"""Rows between the driver and Spark, in columns: one by one, Python would (un)pack each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql.types import StructType

if TYPE_CHECKING:
    import pandas as pd

_BY_ARROW: Final = "spark.sql.execution.arrow.pyspark.enabled"


def local_rows(
    spark: SparkSession, rows: Sequence[tuple[Any, ...]], schema: StructType | str
) -> DataFrame:
    """The rows, one at least, as a table of this schema, which Spark has once and for all.

    A list of tuples it would have Python unpack, in tasks of their own, whenever it needs them.
    """
    import pandas as pd  # noqa: PLC0415 - takes long, and not every job has such rows

    spark.conf.set(_BY_ARROW, "true")
    return spark.createDataFrame(pd.DataFrame(rows, dtype=object), schema)


def fetched(frame: DataFrame) -> pd.DataFrame:
    """All rows of a table that is small enough for the driver."""
    frame.sparkSession.conf.set(_BY_ARROW, "true")
    return frame.toPandas()
