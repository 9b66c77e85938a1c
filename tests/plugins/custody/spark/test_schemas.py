"""Columns as Spark's types."""

from __future__ import annotations

from pyspark.sql import types as T  # noqa: N812

from custody.core.formats.columns import Column
from custody.spark.schemas import schema_of


def test_each_column_has_its_type_and_may_be_null_if_it_may() -> None:
    columns = [
        Column("at", "TIMESTAMP", nullable=False),
        Column("name", "STRING", nullable=True),
        Column("size", "BIGINT", nullable=True),
        Column("good", "BOOLEAN", nullable=False),
    ]
    assert schema_of(columns) == T.StructType(
        [
            T.StructField("at", T.TimestampType(), nullable=False),
            T.StructField("name", T.StringType()),
            T.StructField("size", T.LongType()),
            T.StructField("good", T.BooleanType(), nullable=False),
        ]
    )
