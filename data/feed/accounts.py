"""The account of a file while it is written: what must become of each of its rows."""

import hashlib
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from typing import Any, BinaryIO

_TOTALS = ("landed_rows", "silver_rows", "duplicate_rows", "quarantined_rows")


class CountedFile:
    """A file being written, and the account of its rows."""

    def __init__(self, out: BinaryIO) -> None:
        self._out = out
        self._sha256 = hashlib.sha256()
        self._size = 0
        self._kept = 0
        self._duplicates = 0
        self._rejected = 0
        self._reasons: Counter[str] = Counter()

    @property
    def landed(self) -> int:
        """The rows so far."""
        return self._kept + self._duplicates + self._rejected

    def write(self, data: bytes) -> None:
        """Write the bytes of what is no row, or of a row that is counted apart."""
        self._sha256.update(data)
        self._size += len(data)
        self._out.write(data)

    def count(self, *, kept: bool, reasons: Collection[str]) -> None:
        """Count a row: kept, rejected for `reasons`, or else a duplicate."""
        if kept:
            self._kept += 1
        elif reasons:
            self._rejected += 1
            self._reasons.update(reasons)
        else:
            self._duplicates += 1

    def account(self) -> dict[str, Any]:
        """The manifest's entry for this file."""
        return {
            "sha256": self._sha256.hexdigest(),
            "size_bytes": self._size,
            "landed_rows": self.landed,
            "silver_rows": self._kept,
            "duplicate_rows": self._duplicates,
            "quarantined_rows": self._rejected,
            "quarantined_by_reason": dict(sorted(self._reasons.items())),
        }


def totals(accounts: Iterable[Mapping[str, Any]]) -> dict[str, int]:
    """The rows of all files of a day, by what becomes of them."""
    counted = list(accounts)
    return {total: sum(account[total] for account in counted) for total in _TOTALS}
