"""The evidence of the deployment that is open: keys that were fetched once, and what the seal holds
asked again when it is old."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING

from custody.console.lineages import Lineages
from custody.console.reading import FRESH_FOR, Console
from custody.reading.deployment import Deployment
from custody.reading.sources import EvidenceSource
from custody.settings import Settings

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


class Evidence(Deployment):
    """A deployment whose evidence is read with `s3`, which may not read its data."""

    def __init__(self, settings: Settings, s3: S3Client) -> None:
        super().__init__("the variable custody", copy=None, keys=None)
        self.settings = settings
        self.s3 = s3
        self.source = EvidenceSource(s3)


class CurrentEvidence:
    """That of the deployment which `opened` gives. Whoever holds `lock` is the only one that
    reads; `lineages` are of what `now` gave him."""

    def __init__(self, opened: Callable[[], Console], clock: Callable[[], datetime]) -> None:
        self._opened = opened
        self.clock = clock
        self.lock = threading.Lock()
        self.lineages = Lineages()
        self._kept: tuple[Console, datetime, Evidence] | None = None

    def now(self) -> Evidence:
        """The evidence as it is; another object once what it has read is old."""
        now, console = self.clock(), self._opened()
        if self._kept is None or self._kept[0] is not console:
            self.lineages = Lineages()  # what other keys signed is believed no more
            self._kept = console, now, Evidence(console.settings, console.s3)
        elif now - self._kept[1] > FRESH_FOR:
            new = Evidence(console.settings, console.s3)
            new.keys = self._kept[2].keys
            self._kept = console, now, new
        return self._kept[2]
