"""The recorder's dead letters: which are overdue, and the pages that tell of them.

A dead letter announces object versions that the recorder could not record. All that are overdue
are one page: their cause is one, and the queue is emptied as a whole. People are told when there
are any, and once more when the queue is empty again.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from custody.core.formats.timestamps import format_utc
from custody.core.paging.changes import Status
from custody.core.paging.form import Head, Page, Room, Written, compose, shown
from custody.core.paging.links import NOWHERE, Places
from custody.core.records.notifications import ObjectCreated

DEAD_LETTERS: Final = "DEAD_LETTERS"
"""What stands in the place of a verdict in these pages."""

_SEVERITY: Final = "high"
_RUNBOOK: Final = "docs/runbooks/recorder-dead-letters.md"


@dataclass(frozen=True)
class DeadLetter:
    """One message of the queue.

    `sent` is when it first was sent (aware). `announced` is what could be read in it;
    `problems` says what could not, field by field.
    """

    message_id: str
    sent: datetime
    announced: tuple[ObjectCreated, ...]
    problems: tuple[str, ...]


@dataclass(frozen=True)
class Look:
    """What a look into the queue of this name found; `complete` unless there may be more."""

    queue: str
    letters: tuple[DeadLetter, ...]
    complete: bool


def overdue(
    letters: Sequence[DeadLetter], *, now: datetime, grace: timedelta
) -> tuple[DeadLetter, ...]:
    """Those first sent more than `grace` before `now` (aware), the oldest first."""
    late = (letter for letter in letters if letter.sent < now - grace)
    return tuple(sorted(late, key=lambda letter: (letter.sent, letter.message_id)))


def page_about(
    look: Look, *, is_open: bool, now: datetime, grace: timedelta, places: Places = NOWHERE
) -> Page | None:
    """The page to send about the queue, None if there is nothing new; `is_open` if people were
    told of it. It leads to `places`.

    A queue counts as empty only if the look was complete: messages that another consumer holds are
    not seen. More messages in a queue that people were told of send no second page.
    """
    late = overdue(look.letters, now=now, grace=grace)
    if late and not is_open:
        return _page(Status.OPEN, look, late, grace, places)
    if is_open and look.complete and not look.letters:
        return _page(Status.RESOLVED, look, (), grace, places)
    return None


def _page(
    status: Status, look: Look, late: Sequence[DeadLetter], grace: timedelta, places: Places
) -> Page:
    head = Head(DEAD_LETTERS, _SEVERITY, status, f"{DEAD_LETTERS}/{look.queue}")

    def written(room: Room) -> Written:
        return _opened(head, look, late, grace, room) if late else _resolved(head, look)

    about = f"{len(late)} messages in {look.queue}" if late else f"{look.queue} is empty"
    return compose(
        head,
        about=about,
        runbook=_RUNBOOK,
        written=written,
        links=places.of_dead_letters(look.queue),
    )


def _opened(
    head: Head, look: Look, late: Sequence[DeadLetter], grace: timedelta, room: Room
) -> Written:
    examples, limit = room
    named = [item for _, item in zip(range(examples), _contents(late), strict=False)]
    minutes = int(grace.total_seconds() // 60)
    count = f"{'' if look.complete else 'at least '}{len(late)} messages"
    lines = [
        head.line(
            "the recorder gave up on messages; the object versions they announce have no record.",
        ),
        "",
        f"what     {count} older than {minutes} minutes, for example",
        *(
            f"  {format_utc(letter.sent)}  {_told(item, limit)}, message {shown(letter.message_id)}"
            for letter, item in named
        ),
        f"where    queue {shown(look.queue)}",
        f"when     the oldest was first sent at {format_utc(late[0].sent)}",
    ]
    return lines, {
        "verdict": DEAD_LETTERS,
        "queue": look.queue,
        "messages": len(late),
        "complete": look.complete,
        "grace_minutes": minutes,
        "oldest": format_utc(late[0].sent),
        "examples": [
            {"message_id": letter.message_id, "sent": format_utc(letter.sent), **_json(item, limit)}
            for letter, item in named
        ],
    }


def _resolved(head: Head, look: Look) -> Written:
    lines = [
        head.line("the dead-letter queue is empty again."),
        "",
        f"where    queue {shown(look.queue)}",
    ]
    return lines, {"verdict": DEAD_LETTERS, "queue": look.queue}


def _contents(letters: Sequence[DeadLetter]) -> Iterator[tuple[DeadLetter, ObjectCreated | str]]:
    """Each object version that the letters announce, and each problem with reading them."""
    for letter in letters:
        for announced in letter.announced:
            yield letter, announced
        for problem in letter.problems:
            yield letter, problem


def _told(item: ObjectCreated | str, limit: int) -> str:
    if isinstance(item, str):
        return f"cannot be read: {shown(item[:limit])}"
    return f"{shown(item.version.uri)} version {shown(item.version.version_id)}"


def _json(item: ObjectCreated | str, limit: int) -> dict[str, str]:
    if isinstance(item, str):
        return {"problem": item[:limit]}
    return {
        "bucket": item.version.bucket,
        "key": item.version.key,
        "version_id": item.version.version_id,
        "request_id": item.event.request_id,
    }
