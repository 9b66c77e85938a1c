"""The items of an array, as they stand in a line, beside the other values of their row."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Item:
    """An item: the texts of its values, or None if it is no object; and which columns, from 0, have
    a value of a kind that is not theirs (and None).
    """

    values: Sequence[str | None] | None
    mistyped: Sequence[int] = ()
