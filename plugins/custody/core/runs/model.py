"""A run of a job that judges: what it is, what it judged by, and where its own words lie."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Final

from custody.core.runs.whole_hours import HOUR, floor_hour

RUN_PREFIX: Final = "provenance/runs/"

PARTS: Final = ("report", "files")
"""What a run states, apart from the statement itself: what it found, and which files it wrote."""

RUNS: Final = "runs"
"""What an audit states besides: the summaries of the runs of the day before."""

RUN_ID: Final = re.compile(r"[A-Za-z0-9_-]{1,255}", re.ASCII)

_BEHIND: Final = 3 * HOUR
"""How far a run that watches may be behind: the hour that is not over, and some grace."""


def statement_key(day: date, run_id: str) -> str:
    """Where the statement of a run lies, by its day of judging."""
    return f"{place_of(day, run_id)}.json"


def place_of(day: date, run_id: str) -> str:
    """What the keys of all that a run states begin with."""
    return f"{RUN_PREFIX}dt={day}/{run_id}"


def run_of_key(key: str) -> str | None:
    """The id of the run whose statement has that key; None for a key of another form."""
    name = key.rpartition("/")[2]
    run_id = name.removesuffix(".json")
    return run_id if key.startswith(RUN_PREFIX) and RUN_ID.fullmatch(run_id) else None


def run_that_sums_up(key: str) -> str | None:
    """The id of the run whose `RUNS` has that key; None for a key of another form."""
    end = f".{RUNS}.json"
    return run_of_key(f"{key.removesuffix(end)}.json") if key.endswith(end) else None


@dataclass(frozen=True, slots=True)
class JudgingRun:
    """A run: the name of its job, its id, the time of judging (whole milliseconds), and the span of
    time that it judged.

    Raises `ValueError` for an id that is none.
    """

    job: str
    id: str
    as_of: datetime
    start: datetime
    end: datetime

    def __post_init__(self) -> None:
        if not RUN_ID.fullmatch(self.id):
            raise ValueError(f"{self.id[:80]!r} is no job run id")

    @property
    def statement_key(self) -> str:
        """Where its signed statement lies in the provenance bucket."""
        return statement_key(self.day, self.id)

    def key_of(self, part: str) -> str:
        """Where one of the `PARTS` lies, or `RUNS`: the statement has the hash of each."""
        return f"{self._place}.{part}.json"

    @property
    def day(self) -> date:
        """The day of judging, in UTC."""
        return self.as_of.astimezone(UTC).date()

    @property
    def is_of_now(self) -> bool:
        """Whether it reaches to the last hours that were over when it was judged: whoever judges
        only older ones does not watch."""
        return self.end >= floor_hour(self.as_of) - _BEHIND

    @property
    def _place(self) -> str:
        return place_of(self.day, self.id)


@dataclass(frozen=True, slots=True)
class Basis:
    """What a run judged by, each as a SHA-256: the `policy` (`custody.settings.Settings.sha256`),
    the public keys it trusted (`trust`), and its code, the `script` and the `package`."""

    policy: str
    trust: str
    script: str
    package: str
