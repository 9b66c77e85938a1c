"""What an honest history leaves: the writes, log files, and records as they are stored."""

from __future__ import annotations

import json
import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from tests.support.honest.places import START

from custody.core.records.checking import ReadEnvelope, TrustedKey, read_envelope
from custody.core.trail.log_files import LogContent, read_log
from custody.objects import ObjectVersion


@dataclass(frozen=True)
class Write:
    """What truly happened: one object version and who wrote which bytes."""

    bucket: str
    key: str
    version_id: str
    principal_arn: str
    sha256: str
    size_bytes: int


@dataclass(frozen=True)
class LogFile:
    """A log file as delivered, and when the digest that vouches for it came."""

    name: str
    delivered: datetime
    vouched: datetime
    records: tuple[Mapping[str, Any], ...]
    _read: dict[bool, LogContent] = field(init=False, repr=False, default_factory=dict)

    def read(self, *, proven: bool, order: random.Random | None = None) -> LogContent:
        """What it holds, its records perhaps in another `order`."""
        if order is not None:
            return self._content(order.sample(self.records, len(self.records)), proven)
        if proven not in self._read:
            self._read[proven] = self._content(self.records, proven)
        return self._read[proven]

    def _content(self, records: Any, proven: bool) -> LogContent:
        content = json.dumps({"Records": list(records)}).encode()
        return read_log(content, log=self.name, proven=proven)


@dataclass(frozen=True)
class KeptRecord:
    """A record as it is stored."""

    stored: ObjectVersion
    stored_at: datetime
    raw: bytes
    _read: dict[Any, ReadEnvelope] = field(init=False, repr=False, default_factory=dict)

    def read(self, keys: Mapping[str, TrustedKey]) -> ReadEnvelope:
        """What who trusts these keys makes of it."""
        trust = tuple(keys.values())
        if trust not in self._read:
            self._read[trust] = read_envelope(
                self.raw, keys, stored=self.stored, stored_at=self.stored_at
            )
        return self._read[trust]


@dataclass(frozen=True)
class History:
    """Everything that was done, and everything that tells of it."""

    writes: frozenset[Write]
    logs: tuple[LogFile, ...]
    records: tuple[KeptRecord, ...]
    notes: Mapping[str, datetime] = field(default_factory=dict)
    """The keys of the notes that records are late, and when each was stored."""

    @property
    def settled(self) -> datetime:
        """When the last piece of evidence is in."""
        return max(
            [START, *(log.vouched for log in self.logs), *(r.stored_at for r in self.records)]
        )
