"""Tokens in the place of personal data."""

from __future__ import annotations

from collections.abc import Mapping

from pyspark.sql import Column as Expression
from pyspark.sql import DataFrame
from pyspark.sql import functions as F  # noqa: N812 - the name every Spark reader expects
from pyspark.sql import types as T  # noqa: N812 - likewise

from custody.core.datasets.personal import TOKEN_LENGTH, pads
from custody.spark.local_rows import local_rows


def tokens(rows: DataFrame, keys: Mapping[str, bytes]) -> DataFrame:
    """`rows` with `custody.core.datasets.personal.token` of the values of each column in `keys`.

    The keys come as a row beside and not as literals, with which plans are printed.
    """
    if not keys:
        return rows
    padded = {
        f"_{side}_{column}": pad
        for column, key in keys.items()
        for side, pad in zip(("inner", "outer"), pads(key), strict=True)
    }
    schema = T.StructType([T.StructField(name, T.BinaryType(), False) for name in padded])
    beside = local_rows(rows.sparkSession, [tuple(padded.values())], schema)
    made = rows.crossJoin(F.broadcast(beside)).withColumns({c: _token(c) for c in keys})
    return made.drop(*padded)


def _token(column: str) -> Expression:
    hashed = F.sha2(F.concat(F.col(f"_inner_{column}"), F.col(column).cast("binary")), 256)
    outer = F.sha2(F.concat(F.col(f"_outer_{column}"), F.unhex(hashed)), 256)
    return F.substring(outer, 1, TOKEN_LENGTH)
