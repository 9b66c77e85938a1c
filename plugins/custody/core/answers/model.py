"""An answer to a finding: who gave it, why, until when; and where it lies."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

ANSWER_PREFIX: Final = "provenance/answers/"

LONGEST: Final = timedelta(days=30)
"""For how long somebody may take a finding on: then people are reminded of it again."""

PUT_WITHIN: Final = timedelta(minutes=10)
"""How far the time that an answer names may be from when it was stored: none is made in advance."""

MAX_REASON: Final = 1000
MAX_USER: Final = 250


class Kind(StrEnum):
    """What an answer says of a finding."""

    ACKNOWLEDGED = "acknowledged"
    """Somebody works on it, until the time that is named."""

    CLOSED = "closed"
    """It is explained. If a run finds it again, it stands as if nobody had answered."""


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer, at `at` (aware, whole milliseconds), to the finding of that fingerprint.

    `by` is the ARN of the AWS identity that signed it; `user` whom Airflow says it acted for, empty
    if it was no Airflow's. `until` is when what is acknowledged ends; None for what is closed.
    Raises `ValueError` for one that nobody may give.
    """

    finding: str
    kind: Kind
    by: str
    reason: str
    at: datetime
    until: datetime | None = None
    user: str = ""

    def __post_init__(self) -> None:
        if not self.reason.strip():
            raise ValueError("an answer needs a reason")
        if len(self.reason) > MAX_REASON:
            raise ValueError(f"a reason has {MAX_REASON} characters at most")
        if self.kind is Kind.CLOSED:
            if self.until is not None:
                raise ValueError("what is closed has no end")
        elif self.until is None or not self.at < self.until <= self.at + LONGEST:
            raise ValueError(f"a finding is taken on for {LONGEST.days} days at most")

    @property
    def key(self) -> str:
        """Where it lies in the provenance bucket."""
        milliseconds = self.at.microsecond // 1000
        return (
            f"{ANSWER_PREFIX}dt={self.at:%Y-%m-%d}/{self.finding}/"
            f"{self.at:%H%M%S}{milliseconds:03d}.json"
        )

    @property
    def who(self) -> str:
        """Whose answer it is, in words."""
        return f"{self.user} (by Airflow's word, as {self.by})" if self.user else self.by
