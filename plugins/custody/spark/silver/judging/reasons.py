"""The reasons for which rows are rejected, put together: a list of names for each row."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa

Reasons = tuple[Any, Any]
"""Rows, by their places in a batch, and a name for each: what is broken there."""


def places(mask: Any) -> Any:
    """Where something is so."""
    return np.flatnonzero(mask.fill_null(fill_value=False).to_numpy(zero_copy_only=False))


def places_of(name: str, mask: Any) -> Reasons:
    """One reason, wherever something is so."""
    found = places(mask) if mask.true_count else np.empty(0, np.int64)
    return found, pa.repeat(pa.scalar(name), len(found))


def listed(found: Sequence[Reasons], rows: int) -> Any:
    """The names of each of the rows, in the order in which they are found; null where there are
    none.
    """
    where = np.concatenate([places for places, _ in found]).astype(np.int64)
    if not len(where):
        return pa.nulls(rows, pa.list_(pa.string()))
    names = pa.concat_arrays([names for _, names in found])
    counts = np.bincount(where, minlength=rows)
    offsets = np.concatenate(([0], np.cumsum(counts))).astype(np.int32)
    by_row = names.take(pa.array(np.argsort(where, kind="stable")))
    return pa.ListArray.from_arrays(pa.array(offsets), by_row, mask=pa.array(counts == 0))
