"""Reading digests and the log files they name, many at once."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from typing import Final

from cryptography.hazmat.primitives.asymmetric import rsa

from custody.aws.trail.digests import LoadedDigest, load_digest
from custody.aws.trail.listing import FoundDigest, LogListing
from custody.aws.trail.logs import CheckedLog, NamedLog, check_log
from custody.aws.trail.store import TrailStore
from custody.core.trail.defects import TrailDefect
from custody.core.trail.digests.signatures import SignedDigest
from custody.core.trail.layout import DigestName
from custody.core.trail.report import Head, ProvenLog

_LOGS_AT_ONCE: Final = 2000
"""Log files handed to the workers before their results are gathered."""


@dataclass(frozen=True)
class Part:
    """The part of a trail to prove: what came after `head`, and what was delivered after
    `since`, proven before or not; without `head` everything after `since`, or everything. Nothing
    that was delivered after `until`. `anew`: everything, and it must lead to `head`.

    Where there is a `leave`, no log file is read: it is given each that is to be checked
    (`custody.aws.trail.logs.check_log`), which may find it broken.
    """

    head: Head | None = None
    since: datetime | None = None
    until: datetime | None = None
    leave: Callable[[NamedLog], None] | None = None
    anew: bool = False


WHOLE: Final = Part()


@dataclass(frozen=True)
class Scope:
    """A part of a trail, and how far before its head digests are read again (`lookback`)."""

    part: Part
    lookback: timedelta

    @property
    def start(self) -> datetime | None:
        """The end of the oldest digest to read; `None` for the trail's first."""
        head, since = self.part.head, self.part.since
        if self.part.anew:
            return None
        starts = [] if head is None else [head.end - self.lookback]
        starts += [] if since is None else [since]
        return min(starts, default=None)

    def needs_logs_of(self, signed: SignedDigest) -> bool:
        """Whether the log files a digest names are to be read: not if they were proven before."""
        head, since, end = self.part.head, self.part.since, signed.digest.end
        proven = head is not None and end <= head.end and not self.part.anew
        return not proven or (since is not None and end > since)


@dataclass(frozen=True)
class CheckedDigest:
    """A digest as it was read, and the log files it names that were to be read."""

    name: DigestName
    loaded: LoadedDigest
    logs: Sequence[CheckedLog]

    @property
    def defects(self) -> list[TrailDefect]:
        """What is wrong with the digest object and the log files."""
        found = [self.loaded.defect, *(checked.defect for checked in self.logs)]
        return [defect for defect in found if defect is not None]

    @property
    def proven_logs(self) -> list[ProvenLog]:
        return [checked.proven for checked in self.logs if checked.proven is not None]


class Checker:
    """Reads and verifies the digests of one validation and their log files.

    `keys` are CloudTrail's public keys by fingerprint; `logs` notes which log files are named,
    also those that are not read.
    """

    def __init__(
        self,
        store: TrailStore,
        pool: ThreadPoolExecutor,
        keys: Mapping[str, rsa.RSAPublicKey],
        logs: LogListing,
        scope: Scope,
    ) -> None:
        self._store = store
        self._pool = pool
        self._keys = keys
        self._logs = logs
        self._scope = scope

    def check(self, batch: Sequence[FoundDigest]) -> list[CheckedDigest]:
        """Check some digests, which must come in order over all batches.

        Raises what the store raises when it is not an object's fault.
        """
        load = functools.partial(load_digest, self._store, self._keys)
        loaded = list(self._pool.map(load, batch))
        logs: list[list[CheckedLog]] = [[] for _ in batch]
        check = functools.partial(check_log, self._store)
        to_read = self._to_read(loaded)
        while chunk := list(islice(to_read, _LOGS_AT_ONCE)):
            checked = self._pool.map(check, [named for _, named in chunk])
            for (number, _), result in zip(chunk, checked, strict=True):
                logs[number].append(result)
        return [
            CheckedDigest(found.name, digest, checked)
            for found, digest, checked in zip(batch, loaded, logs, strict=True)
        ]

    def _to_read(self, loaded: Sequence[LoadedDigest]) -> Iterator[tuple[int, NamedLog]]:
        """The log files to read, each with the number of its digest in the batch."""
        for number, digest in enumerate(loaded):
            if (signed := digest.signed) is None:
                continue
            needed = self._scope.needs_logs_of(signed)
            for log in signed.digest.log_files:
                named = NamedLog(log, signed.digest.key, self._logs.named(log))
                if needed and self._scope.part.leave is not None:
                    self._scope.part.leave(named)
                elif needed:
                    yield number, named
