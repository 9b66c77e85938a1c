"""The items of arrays: typed, judged with the row that they stand in, and as rows of their own.

An item that breaks a rule rejects its whole row: one line is one row, and what is left of an order
whose items are not all good is another order.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Final

from pyspark.sql import Column as Expression
from pyspark.sql import DataFrame
from pyspark.sql import functions as F  # noqa: N812 - the name every Spark reader expects

from custody.core.datasets.arrays import POSITION, Array
from custody.core.datasets.contracts import Contract
from custody.core.datasets.landed.formats import LandedFormat
from custody.core.datasets.landed.nested import FIELDS, MISTYPED, UNMATCHED
from custody.spark.silver.column_rules import Field, rules, typed

_WRITTEN: Final = (
    f"array<struct<{FIELDS}: array<string>, {UNMATCHED}: array<int>, {MISTYPED}: array<int>>>"
)
_MOST_REASONS: Final = 100
"""As many reasons of items a row has: a line of 64 KiB may hold twenty thousand bad ones."""


def read_items(array: Array, raw: Expression) -> Expression:
    """The items in a text of `custody.core.datasets.landed.nested`, each with its texts and what
    the reader said of them (`is_object`, `raw_<column>`, `unmatched`, `mistyped`) and its values.
    """

    def item(read: Expression) -> Expression:
        texts = [(c, read[FIELDS][n]) for n, c in enumerate(array.columns)]
        return F.struct(
            read[FIELDS].isNotNull().alias("is_object"),
            read[UNMATCHED].alias(UNMATCHED),
            read[MISTYPED].alias(MISTYPED),
            *(text.alias(f"raw_{column.name}") for column, text in texts),
            *(typed(column, text).alias(column.name) for column, text in texts),
        )

    return F.transform(F.from_json(raw, _WRITTEN), item)


def broken_items(
    array: Array, field: Field, dt: date, landed: LandedFormat
) -> Iterator[Expression]:
    """The reasons for which an array rejects its row: texts, or arrays of texts; null if none.

    `field` is where it stands, its value as `read_items` gives it.
    """
    of_no_kind = F.coalesce(field.of_no_kind, F.lit(False))
    if array.required:
        yield F.when(field.raw.isNull() & ~of_no_kind, f"{array.name}.required")
    yield F.when(of_no_kind, f"{array.name}.type")
    count = F.size(field.value)
    few_or_many = ~count.between(array.min_items, array.max_items)
    yield F.when(field.value.isNotNull() & few_or_many, f"{array.name}.length")

    def of_item(item: Expression, index: Expression) -> Expression:
        def reason(rule: str, broken: Expression) -> Expression:
            place = F.concat(F.lit(f"{array.name}["), index + 1, F.lit(f"].{rule}"))
            return F.when(broken, place)

        return F.array(
            reason("type", ~item["is_object"]),
            *(
                reason(f"{column.name}.{rule}", item["is_object"] & broken)
                for n, column in enumerate(array.columns)
                for rule, broken in rules(
                    column,
                    dt,
                    landed,
                    Field(
                        item[f"raw_{column.name}"],
                        item[column.name],
                        F.array_contains(item[UNMATCHED], n),
                        F.array_contains(item[MISTYPED], n),
                        lambda name: item[name],
                    ),
                )
            ),
        )

    found = F.array_compact(F.flatten(F.transform(field.value, of_item)))
    yield F.slice(found, 1, _MOST_REASONS)


def kept_items(array: Array) -> Expression:
    """The values of the items alone."""

    def values(item: Expression) -> Expression:
        return F.struct(*(item[column.name].alias(column.name) for column in array.columns))

    return F.transform(F.col(array.name), values)


def item_rows(decided: DataFrame, contract: Contract, array: Array) -> DataFrame:
    """The items of the rows that stay, a row each."""
    return (
        decided.where(F.col("outcome") == "silver")
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
