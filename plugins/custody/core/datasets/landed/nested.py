"""The items of an array, as one text beside the other values of their row.

What reads a line hands it on as texts, which are typed and judged elsewhere; so are its items.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

FIELDS: Final = "fields"
UNMATCHED: Final = "unmatched"
MISTYPED: Final = "mistyped"


@dataclass(frozen=True, slots=True)
class Item:
    """An item: the texts of its values, or None if it is no object; which columns, from 0, miss
    their pattern, and which have a value of a kind that is not theirs.
    """

    values: Sequence[str | None] | None
    unmatched: Sequence[int] = ()
    mistyped: Sequence[int] = ()


def written(items: Iterable[Item]) -> str:
    """The items as JSON: an object of FIELDS, UNMATCHED and MISTYPED each."""
    return json.dumps(
        [
            {FIELDS: item.values, UNMATCHED: item.unmatched, MISTYPED: item.mistyped}
            for item in items
        ],
        ensure_ascii=False,
    )
