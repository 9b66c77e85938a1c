"""What a run found that people may have to be told, as it stands in the run's report."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from typing import Final

from custody.core.formats.untrusted import Fields, MalformedInput
from custody.core.ledger.rows import LedgerRow
from custody.core.ledger.tables import COLUMNS
from custody.core.paging.findings import Cause, cause_of, read_row

MAX_ROWS: Final = 10_000
MAX_BYTES: Final = 16 * 1024**2
"""Of the rows that a run tells, as JSON: its report (`MAX_REPORT_BYTES`) has room for all else, so
that nobody makes one that cannot be read, of whatever many names he acts under."""

MAX_CAUSES: Final = 1_000
"""Causes of which it is told how many findings are left out; those of all others count as nobody's,
by their verdict."""

_MAX_ITEMS: Final = 1_000_000
_MAX_REASON: Final = 4000
"""A reason may name thousands of records; its beginning says enough."""


@dataclass(frozen=True, slots=True)
class Found:
    """The rows that may be paged and those that settle an open page, how many findings of each
    cause are left out, and the fingerprints of the open pages that were looked at (`watched`)."""

    rows: tuple[LedgerRow, ...] = ()
    unread: Mapping[Cause, int] | None = None
    watched: tuple[str, ...] = ()

    @property
    def left_out(self) -> Mapping[Cause, int]:
        """How many findings of each cause only their number is known of."""
        return self.unread or {}

    def to_document(self) -> dict[str, object]:
        """JSON values that `from_document` reads back."""
        return {
            "rows": [_texts_of(row) for row in self.rows],
            "unread": [[*cause, left] for cause, left in self.left_out.items() if left],
            "watched": list(self.watched),
        }

    @classmethod
    def from_document(cls, value: object) -> Found:
        """Raises `ValueError` if `value` is no such document."""
        found = Fields.of(value, "found")
        rows = [Fields.of(row, "found.rows") for row in found.items("rows", max_items=_MAX_ITEMS)]
        unread = found.items("unread", max_items=_MAX_ITEMS)
        watched = found.items("watched", max_items=_MAX_ITEMS)
        return cls(
            tuple(read_row(row.values) for row in rows),
            dict(map(_left_out, unread)),
            tuple(str(fingerprint) for fingerprint in watched),
        )


def fitting(rows: Iterable[LedgerRow]) -> list[LedgerRow]:
    """As many of the rows, from the first on, as a run tells."""
    kept, room = list[LedgerRow](), MAX_BYTES
    for row in islice(rows, MAX_ROWS):
        room -= len(json.dumps(_texts_of(row), ensure_ascii=False).encode("utf-8"))
        if room < 0:
            break
        kept.append(row)
    return kept


def found_of(
    rows: Sequence[LedgerRow], findings: Mapping[Cause, int], watched: Iterable[str]
) -> Found:
    """What was found: the rows that are told, of so many `findings` of each cause."""
    left = Counter(findings)
    left.subtract(cause for row in rows if (cause := cause_of(row)) in findings)
    most = dict(left.most_common(MAX_CAUSES))
    for (verdict, principal), number in left.items():
        if (verdict, principal) not in most:
            most[verdict, None] = most.get((verdict, None), 0) + number
    return Found(tuple(rows), most, tuple(watched))


def _texts_of(row: LedgerRow) -> dict[str, str]:
    """The columns of a row that are not NULL, as the texts that `read_row` reads."""
    values = {column.name: getattr(row, column.name) for column in COLUMNS["ledger"]}
    return {name: _text(value)[:_MAX_REASON] for name, value in values.items() if value is not None}


def _text(value: str | int | datetime) -> str:
    if isinstance(value, datetime):
        return f"{value.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
    return str(value)


def _left_out(item: object) -> tuple[Cause, int]:
    match item:
        case [str() as verdict, str() | None as principal, int() as left]:
            return (verdict, principal), left
    raise MalformedInput("found.unread", "must be verdicts and principals with a number")
