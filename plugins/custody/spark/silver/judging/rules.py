"""Judging rows by a contract: every rule that each of them breaks, many rows at a time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from custody.core.datasets.contracts import Contract
from custody.spark.silver.judging.column_rules import ColumnRules
from custody.spark.silver.judging.items import ItemRules
from custody.spark.silver.judging.reasons import listed, places_of
from custody.spark.silver.rows import Rows, no

MALFORMED = "row.malformed"


@dataclass(frozen=True, slots=True)
class Judged:
    """Rows, typed: the values of each column (null where the text is not of the type) and then of
    each array, and the reasons for which each row is rejected; null of an accepted one.
    """

    values: tuple[Any, ...]
    reasons: Any


class Judge:
    """Judges the rows of one day by a contract."""

    def __init__(self, contract: Contract, dt: date) -> None:
        self._rules = ColumnRules(contract.columns, contract.format, dt)
        self._arrays = [ItemRules(array, contract.format, dt) for array in contract.arrays]
        self._width = len(contract.columns)

    def judge(self, rows: Rows) -> Judged:
        """The values of the rows, and every rule that each of them breaks."""
        values, broken = self._rules.judge(rows)
        found = [places_of(name, mask) for name, mask in broken]
        for index, (rules, items) in enumerate(zip(self._arrays, rows.items, strict=True)):
            of_no_kind = rows.mistyped.get(self._width + index, no(len(rows)))
            value, reasons = rules.judge(items, of_no_kind, rows.malformed)
            values, found = (*values, value), [*found, *reasons]
        found.append(places_of(MALFORMED, rows.malformed))
        return Judged(values, listed(found, len(rows)))
