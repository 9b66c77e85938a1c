"""The items of arrays: typed, and judged with the row that they stand in.

An item that breaks a rule rejects its whole row: one line is one row, and what is left of an order
whose items are not all good is another order.
"""

from __future__ import annotations

from datetime import date
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from custody.core.datasets.arrays import Array
from custody.core.datasets.landed.formats import LandedFormat
from custody.spark.silver.judging.column_rules import ColumnRules
from custody.spark.silver.judging.reasons import Reasons, listed, places_of
from custody.spark.silver.judging.values import arrow_type
from custody.spark.silver.rows import Items

_MOST_REASONS: Final = 100
"""As many reasons of items a row has: a line of 64 KiB may hold twenty thousand bad ones."""


def array_type(array: Array) -> Any:
    """The type of Arrow that Spark takes for an array's items."""
    return pa.list_(pa.struct([(column.name, arrow_type(column)) for column in array.columns]))


class ItemRules:
    """The rules of an array and of its items, as of the day `dt`."""

    def __init__(self, array: Array, landed: LandedFormat, dt: date) -> None:
        self._array, self._rules = array, ColumnRules(array.columns, landed, dt)

    def judge(self, items: Items, of_no_kind: Any, malformed: Any) -> tuple[Any, list[Reasons]]:
        """The value of the array in each row, and the reasons for which it rejects rows.

        `of_no_kind` says where there is something that is no array, `malformed` where no row is.
        """
        array, count = self._array, items.counts
        values, broken = self._rules.judge(items.rows)
        offsets = np.concatenate(([0], np.cumsum(count.fill_null(0).to_numpy()))).astype(np.int32)
        value = pa.ListArray.from_arrays(
            pa.array(offsets),
            pa.StructArray.from_arrays(values, [column.name for column in array.columns]),
            mask=pc.is_null(count),
        )
        missing = pc.and_not(pc.and_not(pc.is_null(count), of_no_kind), malformed)
        other = pc.or_(pc.less(count, array.min_items), pc.greater(count, array.max_items))
        found = [
            *([places_of(f"{array.name}.required", missing)] if array.required else []),
            places_of(f"{array.name}.type", of_no_kind),
            places_of(f"{array.name}.length", other),
        ]
        of_items = [("type", items.rows.malformed), *broken]
        reasons = listed([places_of(*one) for one in of_items], len(items.rows))
        return value, [*found, self._of_items(reasons, items, offsets)]

    def _of_items(self, reasons: Any, items: Items, offsets: Any) -> Reasons:
        """The reasons of items as those of their rows, each with the place of its item."""
        rows, names = [], []
        given: dict[int, int] = {}
        for item in np.flatnonzero(reasons.is_valid().to_numpy(zero_copy_only=False)):
            row = int(np.searchsorted(offsets, item, side="right")) - 1
            position = items.rows.lines[item].as_py()
            for reason in reasons[item].as_py()[: _MOST_REASONS - given.get(row, 0)]:
                rows.append(row)
                names.append(f"{self._array.name}[{position}].{reason}")
                given[row] = given.get(row, 0) + 1
        return np.array(rows, np.int64), pa.array(names, pa.string())
