"""At which row judging fails: looked for once it has failed at many."""

from __future__ import annotations

from collections.abc import Callable

from custody.spark.silver.rows import Lines, Read, Rows


def row_at_fault(judge: Callable[[Read], object], rows: Read) -> int | None:
    """The index of a row at which `judge` fails, whatever stands beside it; None if it fails at
    none of them alone.

    Whoever fails at many fails at one half of them, or at neither alone.
    """
    begin, end = 0, len(rows)
    if not _fails(judge, rows):
        return None
    while end - begin > 1:
        middle = (begin + end) // 2
        if _fails(judge, _part(rows, begin, middle)):
            end = middle
        elif _fails(judge, _part(rows, middle, end)):
            begin = middle
        else:
            return None
    return begin


def _part(rows: Read, begin: int, end: int) -> Read:
    return rows.part(begin, end) if isinstance(rows, (Rows, Lines)) else rows[begin:end]


def _fails(judge: Callable[[Read], object], rows: Read) -> bool:
    try:
        judge(rows)
    except Exception:  # noqa: BLE001 - whatever it is, it was raised before, and is told
        return True
    return False
