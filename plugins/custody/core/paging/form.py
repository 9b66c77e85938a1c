"""What every page has in common: one SNS message, for a telephone and for a machine.

A message is a text that begins with what a person must know and ends, after a line of its own
(`MARKER`), with one JSON document. It goes to mails and queues as it is, so a person can forward
it to a machine; to HTTPS, by which AWS's chat subscribes, goes the same as chat shows it
(`custody.core.paging.chat`). SNS tells them apart (`MessageStructure`).

Object keys, user agents and the like are whatever somebody typed: in the text they are quoted, and
every character that is not plain is escaped, so they can neither begin a line nor turn one around;
in the JSON everything but ASCII is escaped.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from custody.core.formats.plain_text import is_plain
from custody.core.formats.untrusted import load_json
from custody.core.paging import chat
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

_ROOMS: Final[tuple[Room, ...]] = ((10, 2048), (3, 512), (1, 128), (0, 128))
"""The first in which a page fits is used; in the last, which has no examples, each does."""


@dataclass(frozen=True, slots=True)
class Head:
    """What stands above all else: which verdict, how urgent, and what became of it. All pages about
    one `incident`, a word, belong together."""

    verdict: str
    severity: str
    status: Status
    incident: str

    @property
    def labels(self) -> dict[str, str]:
        """What subscriptions can be filtered by."""
        named = {"verdict": self.verdict, "severity": self.severity}
        return {**named, "status": self.status.value}

    def __str__(self) -> str:
        is_open = self.status is Status.OPEN
        called = self.verdict if is_open else f"{self.status.upper()} {self.verdict}"
        return f"{called} ({self.severity})"

    def line(self, sentence: str) -> str:
        """The first line of a page: what it is about, how urgent, and what happened."""
        return f"{self}: {sentence}"


@dataclass(frozen=True)
class Page:
    """One message to the people on call.

    `subject` is printable ASCII of at most `MAX_SUBJECT` characters; `message` and `chat` are as
    described above; `states` what people know once the message is out.
    """

    subject: str
    message: str
    chat: str
    message_attributes: Mapping[str, str]
    states: tuple[PageState, ...]

    @property
    def by_protocol(self) -> str:
        """What SNS is given, at most `MAX_MESSAGE_BYTES` long: a JSON object of the texts by the
        protocols of subscriptions."""
        return json.dumps({"default": self.message, "https": self.chat}, ensure_ascii=False)


def document_of(message: str) -> object:
    """The JSON document of a page's `message`.

    Raises `ValueError` (`custody.core.formats.untrusted.MalformedInput`) if it has none.
    """
    document = message.partition(f"\n{MARKER}\n")[2]
    return load_json(document, what="page", max_bytes=MAX_MESSAGE_BYTES)


def shown(text: str) -> str:
    """`text` between quotes, on one line, without a character that could disguise another.

    Backslashes and quotes are escaped, and so is all that is not plain: line breaks, control
    characters, marks that turn the direction of writing, what shows nothing, and spaces that are
    not the space.
    """
    return '"' + "".join(_shown(c) for c in text) + '"'


def _shown(character: str) -> str:
    if character in '\\"':
        return "\\" + character
    if is_plain(character):
        return character
    return f"\\u{ord(character):04x}" if ord(character) < 0x10000 else f"\\U{ord(character):08x}"


def known(value: str | None, otherwise: str = "not known") -> str:
    """A text as it is `shown`, or what to say without one."""
    return otherwise if value is None else shown(value)


def compose(
    head: Head,
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

    `written` gives the lines of the text (the first of them a line of the `head`) and the body of
    the document, given how many examples to show and how many characters of a text that may be cut;
    it is asked again with less until the page fits. `runbook` is its path in the repository.
    """
    subject = _subject(str(head), about)
    for room in _ROOMS:
        lines, body = written(room)
        document = {
            "status": head.status.value,
            "severity": head.severity,
            "summary": lines[0],
            **body,
            "links": dict(links or {}),
            "runbook": runbook,
            "incident": head.incident,
        }
        leads = [f"  {name:9} {link}" for name, link in (links or {}).items()]
        text = [*lines, *(["links"] if leads else []), *leads, f"runbook  {runbook}"]
        text += [f"incident {head.incident}", "", MARKER, json.dumps(document, indent=2)]
        shown_in_chat = chat.notification(
            title=str(head),
            lines=[subject, *lines],
            links=links or {},
            runbook=runbook,
            incident=head.incident,
            labels=head.labels,
        )
        page = Page(subject, "\n".join(text), shown_in_chat, head.labels, states)
        if len(page.by_protocol.encode("utf-8")) <= MAX_MESSAGE_BYTES:
            break
    return page


def _subject(called: str, about: str | Sequence[str]) -> str:
    ways = [about] if isinstance(about, str) else about
    subjects = ["".join(c if " " <= c <= "~" else "?" for c in f"{called} {way}") for way in ways]
    return next((subject for subject in subjects if len(subject) <= MAX_SUBJECT), called)
