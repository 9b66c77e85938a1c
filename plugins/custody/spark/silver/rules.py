"""Judging lines by the rules of a contract."""

from __future__ import annotations

import re
from datetime import date
from typing import Final

from pyspark.sql import DataFrame
from pyspark.sql import functions as F  # noqa: N812 - the name every Spark reader expects

from custody.core.datasets.arrays import Array
from custody.core.datasets.columns import Column
from custody.core.datasets.contracts import Contract
from custody.spark.silver.column_rules import Field, rules, typed
from custody.spark.silver.items import broken_items, kept_items, read_items
from custody.spark.silver.lines import OF_FILES, SOURCE

MALFORMED = "row.malformed"

_APART: Final = "\x1f"
"""Stands between reasons: a character with which nobody writes a name."""


def judge(lines: DataFrame, contract: Contract, dt: date) -> DataFrame:
    """Every line of `lines`, typed, with the rules it broke; and every file.

    Columns: source_key, source_version_id, source_line, reasons (array, null for an accepted row
    and a file), raw_line where there are reasons, what `LINES` has of files, and the
    contract's columns (null where the text is not of the type).
    """
    names = [*contract.header, *(array.name for array in contract.arrays)]
    fields = [(name, F.col("fields")[n]) for n, name in enumerate(names)]
    raw = {name: F.when(field != "", field) for name, field in fields}
    sign = re.escape(contract.format.delimiter)
    split = lines.withColumn("fields", F.coalesce("fields", F.split("raw_line", sign)))
    rows = split.select(
        *SOURCE,
        "source_line",
        "raw_line",
        "unmatched",
        "mistyped",
        *OF_FILES,
        (F.size("fields") == 0).alias("_malformed"),
        *(raw[name].alias(f"_raw_{name}") for name in names),
        *(typed(c, raw[c.name]).alias(c.name) for c in contract.columns),
        *(read_items(a, raw[a.name]).alias(a.name) for a in contract.arrays),
    )
    # Joined, and parted again where there are some: Spark compiles that, and no array of them.
    broken = F.concat_ws(
        _APART,
        *(
            F.when(condition, F.lit(f"{column.name}.{rule}"))
            for index, column in enumerate(contract.columns)
            for rule, condition in rules(column, dt, contract.format, _of_row(index, column))
        ),
        *(
            reason
            for index, array in enumerate(contract.arrays, start=len(contract.columns))
            for reason in broken_items(array, _of_row(index, array), dt, contract.format)
        ),
    )
    reasons = F.when(F.col("_malformed"), F.array(F.lit(MALFORMED))).otherwise(
        F.when(broken != "", F.split(broken, _APART))
    )
    is_row = F.col("source_line").isNotNull()
    judged = rows.withColumn("reasons", F.when(is_row, reasons))
    # Only what goes to quarantine needs its line: the others are a good deal lighter without.
    line = F.when(F.col("reasons").isNotNull(), F.col("raw_line"))
    return judged.select(
        *SOURCE,
        "source_line",
        "reasons",
        line.alias("raw_line"),
        *OF_FILES,
        *contract.header,
        *(kept_items(array).alias(array.name) for array in contract.arrays),
    )


def _of_row(index: int, column: Column | Array) -> Field:
    """Where the value of the column or array `index` of a row stands."""
    return Field(
        F.col(f"_raw_{column.name}"),
        F.col(column.name),
        F.array_contains("unmatched", index),
        F.array_contains("mistyped", index),
        F.col,
    )
