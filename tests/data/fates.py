"""What must become of each row of a day, once somebody has read it: for every dataset alike."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Read:
    """One row of one file: its values where it is good, its reasons where it is not."""

    file: str
    line: int
    values: Mapping[str, Any]
    reasons: frozenset[str]


@dataclass
class Account:
    """What became of a file's rows."""

    landed_rows: int = 0
    silver_rows: int = 0
    duplicate_rows: int = 0
    quarantined_rows: int = 0
    quarantined_by_reason: Counter[str] = field(default_factory=Counter)


@dataclass(frozen=True)
class Day:
    """The fate of one day: the account of each file, and its rows, kept, doubled or rejected."""

    accounts: dict[str, Account]
    kept: list[Read]
    duplicates: list[Read]
    rejected: list[Read]


def fates(
    files: Mapping[str, Iterable[Read]],
    key: Callable[[Read], Hashable],
    said_at: Callable[[Read], Any],
) -> Day:
    """The fates of the rows of files, which are in the order of their names.

    Of the good rows with one key that stays which was said last; of several, the first.
    """
    accounts: dict[str, Account] = {}
    best: dict[Hashable, Read] = {}
    rejected: list[Read] = []
    clean: list[Read] = []
    for name, rows in files.items():
        account = accounts[name] = Account()
        for row in rows:
            account.landed_rows += 1
            if row.reasons:
                account.quarantined_rows += 1
                account.quarantined_by_reason.update(row.reasons)
                rejected.append(row)
                continue
            clean.append(row)
            if key(row) not in best or said_at(row) > said_at(best[key(row)]):
                best[key(row)] = row
    kept = list(best.values())
    duplicates = [row for row in clean if best[key(row)] is not row]
    for row in kept:
        accounts[row.file].silver_rows += 1
    for row in duplicates:
        accounts[row.file].duplicate_rows += 1
    return Day(accounts, kept, duplicates, rejected)
