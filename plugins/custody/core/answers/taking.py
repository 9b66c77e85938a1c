"""Whether somebody has taken on a finding that stands: the rule, used wherever that is asked."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from custody.core.answers.model import Answer, Kind


class Taken(StrEnum):
    """What has become of a finding that stands."""

    NOBODY = "open"
    ACKNOWLEDGED = "acknowledged"
    EXPIRED = "expired"
    """Somebody answered, and his answer has ended."""

    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class TakenOn:
    """What has become of a finding, and the last answer to it, if somebody gave one."""

    state: Taken
    answer: Answer | None = None

    @property
    def holds(self) -> bool:
        """Whether somebody has taken it on, or closed it, and that has not ended."""
        return self.state in (Taken.ACKNOWLEDGED, Taken.CLOSED)


def taken_on(
    answers: Iterable[Answer], *, since: datetime, found_at: datetime, now: datetime
) -> TakenOn:
    """What has become at `now` of a finding that stands `since` a run found it, and that one found
    last as of `found_at`; by the `answers` to it.

    The last answer counts. None counts that is older than the finding, or of a time to come: nobody
    answers in advance. What was acknowledged ends; what was closed ends when a run finds it again.
    """
    given = [answer for answer in answers if since <= answer.at <= now]
    last = max(given, key=lambda answer: answer.at, default=None)
    if last is None:
        return TakenOn(Taken.NOBODY)
    if last.kind is Kind.CLOSED and found_at <= last.at:
        return TakenOn(Taken.CLOSED, last)
    if last.until is not None and now < last.until:
        return TakenOn(Taken.ACKNOWLEDGED, last)
    return TakenOn(Taken.EXPIRED, last)
