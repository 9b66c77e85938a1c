"""The page that reminds people: once a day one summary of what stands and nobody has taken on, and
of what somebody answered, so that no answer ends a finding unseen."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from custody.core.answers.model import Answer
from custody.core.formats.timestamps import format_utc
from custody.core.ledger.causes import beside
from custody.core.ledger.rows import LedgerRow
from custody.core.ledger.verdicts import Verdict
from custody.core.paging.changes import Status
from custody.core.paging.findings import SEVERITIES, moment
from custody.core.paging.form import Head, Page, Room, Written, compose, known, shown
from custody.core.paging.links import NOWHERE, Places

STANDING: Final = "STANDING"
"""Stands where other pages have their verdict."""

REMIND_AFTER: Final = timedelta(hours=12)
"""What was found later than this before the reminder, people have just been told."""

TELL_ANSWERS: Final = timedelta(days=2)
"""Answers of so long are told, so that none is missed when a night is."""

_ANSWERS: Final = 20
"""So many answers are told where one example of a finding is: who gives ten hides none of them."""

_RUNBOOK: Final = "docs/runbooks/README.md"


@dataclass(frozen=True, slots=True)
class Standing:
    """A finding that stands `since` a run found it."""

    finding: LedgerRow
    since: datetime


@dataclass(frozen=True, slots=True)
class Answered:
    """An answer, and the finding that it is about; None if no run of the period found such one."""

    answer: Answer
    finding: LedgerRow | None


def reminder(
    standing: Sequence[Standing],
    answered: Sequence[Answered],
    *,
    now: datetime,
    places: Places = NOWHERE,
) -> Page | None:
    """The page to send at `now`, None if there is nothing to tell; it leads to `places`.

    `standing` is what nobody has taken on, the most urgent first; `answered` what people answered.
    Of these, changes of controls that belong to others are told with them, and only counted.
    """
    old = [each for each in standing if each.since <= now - REMIND_AFTER]
    belonging = _belonging([each.finding for each in old])
    overdue = [each for each in old if each.finding.fingerprint not in belonging]
    given = [each for each in answered if each.answer.at > now - TELL_ANSWERS]
    if not overdue and not given:
        return None
    found = [each.finding for each in (overdue or given)]
    severity = _worst([row.verdict for row in found if row is not None])
    head = Head(STANDING, severity, Status.OPEN, STANDING)
    count = f"{len(overdue)} {'finding stands' if len(overdue) == 1 else 'findings stand'}"

    def written(room: Room) -> Written:
        told, replies = overdue[: room[0]], given[: room[0] * _ANSWERS]
        untold = len(given) - len(replies)
        lines = [
            head.line(f"{count} that nobody has taken on or closed."),
            "",
            f"what     {_counted(overdue)}",
            *([f"  with {len(belonging)} changes of controls, their causes"] if belonging else []),
            *(f"  {_line(each.finding, room)}, since {format_utc(each.since)}" for each in told),
            f"answers  {len(given)} in the last {TELL_ANSWERS.days} days",
            *(f"  {_reply(each, room)}" for each in replies),
            *([f"  and {untold} more, which the console names"] if untold else []),
        ]
        return lines, {
            "verdict": STANDING,
            "findings": len(overdue),
            "causes": len(belonging),
            "examples": [_json(each) for each in told],
            "answers": len(given),
            "answered": [_answer_json(each, room) for each in replies],
        }

    about = f"{count} and nobody has taken on, {len(given)} answered"
    return compose(
        head,
        about=about,
        runbook=_RUNBOOK,
        written=written,
        links=places.of_findings(state="open"),
    )


def _belonging(rows: Sequence[LedgerRow]) -> frozenset[str]:
    """The fingerprints of those that belong to others."""
    changed = [row for row in rows if row.verdict == Verdict.CONTROL_CHANGED]
    causes = itertools.chain.from_iterable(beside(rows, changed).values())
    return frozenset(cause.fingerprint for cause in causes)


def _worst(verdicts: Sequence[str]) -> str:
    return next((SEVERITIES[verdict] for verdict in SEVERITIES if verdict in verdicts), "high")


def _counted(overdue: Sequence[Standing]) -> str:
    counts = Counter(each.finding.verdict for each in overdue)
    return ", ".join(f"{number} {verdict}" for verdict, number in counts.items()) or "nothing"


def _line(finding: LedgerRow, room: Room) -> str:
    return (
        f"{moment(finding)}  {finding.verdict} "
        f"{shown(f's3://{finding.bucket}/{finding.object_key}')}"
        f" version {shown(finding.version_id)} by {known(_cut(finding.principal_arn, room))}"
    )


def _cut(text: str | None, room: Room) -> str | None:
    return text if text is None or len(text) <= room[1] else text[: room[1] - 1] + "…"


def _reply(each: Answered, room: Room) -> str:
    answer, finding = each.answer, each.finding
    until = f" until {format_utc(answer.until)}" if answer.until else ""
    about = f"finding {answer.finding}" if finding is None else _line(finding, room)
    return (
        f"{format_utc(answer.at)}  {answer.kind.value}{until} by {shown(answer.who)}: "
        f"{known(_cut(answer.reason, room))}; {about}"
    )


def _json(each: Standing) -> dict[str, object]:
    row = each.finding
    return {
        "verdict": row.verdict,
        "bucket": row.bucket,
        "key": row.object_key,
        "version_id": row.version_id,
        "principal_arn": row.principal_arn,
        "fingerprint": row.fingerprint,
        "since": format_utc(each.since),
    }


def _answer_json(each: Answered, room: Room) -> dict[str, object]:
    answer = each.answer
    return {
        "answer": answer.kind.value,
        "fingerprint": answer.finding,
        "by": answer.by,
        "user": answer.user or None,
        "reason": _cut(answer.reason, room),
        "at": format_utc(answer.at),
        "until": format_utc(answer.until) if answer.until else None,
    }
