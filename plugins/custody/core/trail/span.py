"""Which part of a trail tells of a time: the digests and log files to read, and no others.

A digest says of each log file when its events were ("CloudTrail digest file structure" in the AWS
CloudTrail User Guide), so that what tells of a time is found wherever it was delivered, and nothing
else needs to be read.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from custody.core.trail.digests.document import LogFile

LATEST_DELIVERY: Final = timedelta(hours=48)
"""How long after an event its log file is looked for. AWS names an average of five minutes and no
maximum."""


@dataclass(frozen=True, slots=True)
class Span:
    """The events from `start` until `end`."""

    start: datetime
    end: datetime

    @property
    def delivered_until(self) -> datetime:
        """When the last log file that tells of them has been delivered."""
        return self.end + LATEST_DELIVERY

    def may_hold(self, log: LogFile) -> bool:
        """Whether a log file may have events of this time, by what its digest says."""
        begins_early = log.oldest is None or log.oldest < self.end
        ends_late = log.newest is None or log.newest >= self.start
        return begins_early and ends_late
