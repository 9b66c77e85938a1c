"""The account of every landed file, and of the day: rows that became silver, and rows that did not.

The driver has them all, as their versions go into the lineage anyway.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from custody.core.lineage.account import DayAccount
from custody.core.lineage.model import HashedObject
from custody.objects import ObjectVersion

REFUSED = "custody."
"""How the reasons begin for which the custody gate refuses a file."""


@dataclass(frozen=True, slots=True)
class FileAccount:
    """What became of the rows of one object version.

    `landed_rows` is what the readers counted, the others what Spark counted: their sum must be the
    same. A broken file has landed no rows; `file_reason` says why. `item_rows` are the items of the
    silver rows, for each array of the contract.
    """

    source_key: str
    source_version_id: str
    sha256: str | None
    size_bytes: int | None
    landed_rows: int
    silver_rows: int
    duplicate_rows: int
    quarantined_rows: int
    file_reason: str | None
    item_rows: tuple[int, ...] = ()

    @property
    def is_broken(self) -> bool:
        return self.file_reason is not None

    @property
    def was_read(self) -> bool:
        """Whether its bytes came through the custody gate, broken or not."""
        return self.file_reason is None or not self.file_reason.startswith(REFUSED)

    @property
    def is_balanced(self) -> bool:
        became = self.silver_rows + self.duplicate_rows + self.quarantined_rows
        # A file that went away between the readers of its parts is not half there.
        return self.landed_rows == became and not (self.is_broken and self.landed_rows)


def read_inputs(accounts: Iterable[FileAccount], bucket: str) -> list[HashedObject]:
    """The object versions that came through the custody gate.

    Broken files are among them: their bytes decided what stands in quarantine. A file that the gate
    refused is not: no byte of it was used.
    """
    return [
        HashedObject(ObjectVersion(bucket, file.source_key, file.source_version_id), file.sha256)
        for file in accounts
        if file.was_read and file.sha256 is not None
    ]


@dataclass(frozen=True, slots=True)
class Totals:
    """The day's accounting, summed. Bytes are of the files in custody, broken and not."""

    files: int
    broken_files: int
    bytes: int
    broken_bytes: int
    landed_rows: int
    silver_rows: int
    duplicate_rows: int
    quarantined_rows: int
    unbalanced_files: int
    item_rows: tuple[int, ...]

    @property
    def is_anything_rejected(self) -> bool:
        """Whether there is a row in quarantine."""
        return self.quarantined_rows + self.broken_files > 0

    @classmethod
    def of(cls, accounts: Sequence[FileAccount]) -> Totals:
        def in_custody(files: Iterable[FileAccount]) -> int:
            return sum(file.size_bytes or 0 for file in files if file.was_read)

        broken = [file for file in accounts if file.is_broken]
        return cls(
            files=len(accounts),
            broken_files=len(broken),
            bytes=in_custody(accounts),
            broken_bytes=in_custody(broken),
            landed_rows=sum(file.landed_rows for file in accounts),
            silver_rows=sum(file.silver_rows for file in accounts),
            duplicate_rows=sum(file.duplicate_rows for file in accounts),
            quarantined_rows=sum(file.quarantined_rows for file in accounts),
            unbalanced_files=sum(not file.is_balanced for file in accounts),
            item_rows=tuple(map(sum, zip(*(file.item_rows for file in accounts), strict=True))),
        )

    def with_reasons(self, reasons: Mapping[str, int]) -> DayAccount:
        """What the run states of the day; `reasons` count what is in quarantine."""
        return DayAccount(
            files=self.files,
            broken_files=self.broken_files,
            landed_rows=self.landed_rows,
            silver_rows=self.silver_rows,
            duplicate_rows=self.duplicate_rows,
            quarantined_rows=self.quarantined_rows,
            reasons=dict(sorted(reasons.items())),
        )
