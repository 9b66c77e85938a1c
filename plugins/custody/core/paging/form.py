"""What every page has in common: one SNS message, for a telephone and for a machine.

A message is a text that begins with what a person must know and ends, after a line of its own
(`MARKER`), with one JSON document. It goes to every subscriber as it is, so a person can forward
it to a machine. Object keys, user agents and the like are whatever somebody typed: in the text
they are quoted, and every character that is not plainly printable is escaped, so they can neither
begin a line nor turn one around; in the JSON everything but ASCII is escaped.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from custody.core.formats.untrusted import load_json
from custody.core.paging.changes import Status
from custody.core.paging.findings import PageState

Room = tuple[int, int]
"""How many examples a page may show, and how many characters of a text that may be cut."""

Written = tuple[list[str], dict[str, object]]
"""A page's lines of text, and the body of its JSON document."""

MARKER: Final = "--- the same as JSON ---"

MAX_MESSAGE_BYTES: Final = 262_144 - 1024
"""SNS: "messages can contain up to 256 KB of text data"; attributes count, and have 1 KiB here."""

MAX_SUBJECT: Final = 99
"""SNS: "less than 100 characters long"."""

_ROOMS: Final[tuple[Room, ...]] = ((10, 2048), (3, 512), (1, 128))
"""The first in which a page fits is used."""


@dataclass(frozen=True)
class Page:
    """One message to the people on call.

    `subject` is printable ASCII of at most `MAX_SUBJECT` characters; `message` as described
    above, at most `MAX_MESSAGE_BYTES` long as SNS counts; `states` what people know once the
    message is out.
    """

    subject: str
    message: str
    message_attributes: Mapping[str, str]
    states: tuple[PageState, ...]


def document_of(message: str) -> object:
    """The JSON document of a page's `message`.

    Raises `ValueError` (`custody.core.formats.untrusted.MalformedInput`) if it has none.
    """
    document = message.partition(f"\n{MARKER}\n")[2]
    return load_json(document, what="page", max_bytes=MAX_MESSAGE_BYTES)


def shown(text: str) -> str:
    """`text` between quotes, on one line, without a character that could disguise another.

    Backslashes and quotes are escaped, and so is all that is not printable: line breaks, control
    characters, marks that turn the direction of writing, spaces that are not the space.
    """
    return '"' + "".join(_shown(c) for c in text) + '"'


def _shown(character: str) -> str:
    if character in '\\"':
        return "\\" + character
    if character.isprintable():
        return character
    return f"\\u{ord(character):04x}" if ord(character) < 0x10000 else f"\\U{ord(character):08x}"


def known(value: str | None, otherwise: str = "not known") -> str:
    """A text as it is `shown`, or what to say without one."""
    return otherwise if value is None else shown(value)


def compose(
    verdict: str,
    severity: str,
    status: Status,
    *,
    about: str | Sequence[str],
    runbook: str,
    written: Callable[[Room], Written],
    states: tuple[PageState, ...] = (),
    links: Mapping[str, str] | None = None,
) -> Page:
    """A page in the form that all share.

    `about` are the ways to say in the subject what it is about, the best first: the first that fits
    is said whole, so that no name is cut. `links` lead from it to somewhere, each by what is there.

    `written` gives the lines of the text (the first of them a `headline`) and the body of the
    document, given how many examples to show and how many characters of a text that may be cut;
    it is asked again with less until the page fits. `runbook` is its path in the repository.
    """
    for room in _ROOMS:
        lines, body = written(room)
        document = {
            "status": status.value,
            "severity": severity,
            "summary": lines[0],
            **body,
            "links": dict(links or {}),
            "runbook": runbook,
        }
        leads = [f"  {name:9} {link}" for name, link in (links or {}).items()]
        text = [*lines, *(["links"] if leads else []), *leads, f"runbook  {runbook}"]
        text += ["", MARKER, json.dumps(document, indent=2)]
        message = "\n".join(text)
        if _sent_bytes(message) <= MAX_MESSAGE_BYTES:
            break
    return Page(
        subject=_subject(f"{_called(status, verdict)} ({severity})", about),
        message=message,
        message_attributes={"verdict": verdict, "severity": severity, "status": status.value},
        states=states,
    )


def headline(verdict: str, severity: str, status: Status, sentence: str) -> str:
    """The first line of a page: what it is about, how urgent, and what happened."""
    return f"{_called(status, verdict)} ({severity}): {sentence}"


def _called(status: Status, verdict: str) -> str:
    return verdict if status is Status.OPEN else f"{status.upper()} {verdict}"


def _sent_bytes(message: str) -> int:
    """Bytes of a message as SNS counts them."""
    return len(message.encode("utf-8"))


def _subject(called: str, about: str | Sequence[str]) -> str:
    ways = [about] if isinstance(about, str) else about
    subjects = ["".join(c if " " <= c <= "~" else "?" for c in f"{called} {way}") for way in ways]
    return next((subject for subject in subjects if len(subject) <= MAX_SUBJECT), called)
