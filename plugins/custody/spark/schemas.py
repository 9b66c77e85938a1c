"""The columns of a table as Spark writes them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from pyspark.sql import types as T  # noqa: N812

from custody.core.formats.columns import Column

_SPARK: Final = {
    "STRING": T.StringType(),
    "BIGINT": T.LongType(),
    "BOOLEAN": T.BooleanType(),
    "TIMESTAMP": T.TimestampType(),
}


def schema_of(columns: Iterable[Column]) -> T.StructType:
    """The schema of rows with these columns, in order."""
    return T.StructType(
        [T.StructField(column.name, _SPARK[column.type], column.nullable) for column in columns]
    )
