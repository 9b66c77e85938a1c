"""What became of the rows of a day, as the run that read them says it: one of its outputs, so that
its lineage holds the hash of it.

It lies in the run's prefix of the table `silver_<dataset>_files`, under a name that no reader of
the table takes for rows.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Final

from custody.core.formats.untrusted import Fields, load_json
from custody.core.lineage.model import HashedObject, Lineage

ACCOUNT_NAME: Final = "_account.json"
"""Athena and Spark take what begins with an underscore for no data."""

MAX_ACCOUNT_BYTES: Final = 1024 * 1024


@dataclass(frozen=True, slots=True)
class DayAccount:
    """Files that landed and how many of them nobody could read; rows that landed and what they
    became; and how many of the quarantined (rows, and files as a whole) each of the `reasons` was
    given for, of which a row may have several."""

    files: int
    broken_files: int
    landed_rows: int
    silver_rows: int
    duplicate_rows: int
    quarantined_rows: int
    reasons: Mapping[str, int]

    @property
    def is_balanced(self) -> bool:
        """Whether no row was lost or invented."""
        became = self.silver_rows + self.duplicate_rows + self.quarantined_rows
        return self.landed_rows == became

    def to_bytes(self) -> bytes:
        """The object."""
        return json.dumps(asdict(self), sort_keys=True).encode() + b"\n"

    @classmethod
    def parse(cls, body: bytes) -> DayAccount:
        """Read the object; raises `MalformedInput`."""
        document = load_json(body, what=ACCOUNT_NAME, max_bytes=MAX_ACCOUNT_BYTES)
        fields = Fields.of(document, ACCOUNT_NAME)
        reasons = fields.child("reasons")
        return cls(
            files=fields.count("files"),
            broken_files=fields.count("broken_files"),
            landed_rows=fields.count("landed_rows"),
            silver_rows=fields.count("silver_rows"),
            duplicate_rows=fields.count("duplicate_rows"),
            quarantined_rows=fields.count("quarantined_rows"),
            reasons={name: reasons.count(name) for name in sorted(reasons.values)},
        )


def account_of(lineage: Lineage) -> HashedObject | None:
    """Where a run says what became of the rows; None if it has not."""
    return next(
        (item for item in lineage.outputs if item.version.key.endswith(f"/{ACCOUNT_NAME}")), None
    )
