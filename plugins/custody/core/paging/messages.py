"""The pages people get about findings: one SNS message each, for a telephone and for a machine.

A message is a text that begins with what a person must know and ends, after a line of its own
(``MARKER``), with one JSON document. It goes to every subscriber as it is, so a person can forward
it to a machine. Object keys, user agents and the like are whatever somebody typed: in the text
they are quoted, and every character that is not plainly printable is escaped, so they can neither
begin a line nor turn one around; in the JSON everything but ASCII is escaped.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Final

from custody.core.formats.untrusted import load_json
from custody.core.ledger.verdicts import Verdict
from custody.core.ledger.windows import HOUR
from custody.core.paging.findings import SEVERITIES, Change, Finding, PageState, Status, by_cause

GROUP_ABOVE: Final = 100
"""More news than this of one cause become one page: a thousand pages are none."""

MAX_PAGES: Final = 500
"""More pages than this in a run, and all that share a cause are put together. Airflow expands a
task to at most 1,024 (``core.max_map_length``)."""

MARKER: Final = "--- the same as JSON ---"

MAX_MESSAGE_BYTES: Final = 262_144 - 1024
"""SNS: "messages can contain up to 256 KB of text data"; attributes count, and have 1 KiB here."""

MAX_SUBJECT: Final = 99
"""SNS: "less than 100 characters long"."""

_ROOM: Final = ((10, 2048), (3, 512), (1, 128))
"""Examples in a group, and characters of a text that may be cut: the first that fits is used."""

_WHOLE: Final = frozenset({"verdict", "bucket", "key", "version_id", "fingerprint", "event_time"})
"""What identifies a finding is never cut."""

_EVIDENCE: Final = ("event_id", "request_id", "record_key", "log_key", "digest_key", "sha256")

_MEANING: Final[Mapping[str, str]] = {
    Verdict.TRAIL_BROKEN: "CloudTrail's proof of its own log files does not hold",
    Verdict.ALTERED: "stored bytes are not those that were recorded",
    Verdict.BAD_SIGNATURE: "a record is not one that the recorder signed",
    Verdict.CONFLICT: "the witnesses contradict each other about an object version",
    Verdict.UNWITNESSED: "a record tells of a write that CloudTrail did not see",
    Verdict.REMOVED: "an object, or a version of one, was removed",
    Verdict.UNEXPECTED_PRINCIPAL: "somebody wrote who is not a declared writer",
    Verdict.UNRECORDED: "an object version was written and nobody recorded its bytes",
}
"""Each verdict that pages, in words."""


@dataclass(frozen=True)
class Page:
    """One message to the people on call.

    ``subject`` is printable ASCII of at most ``MAX_SUBJECT`` characters; ``message`` as described
    above, at most ``MAX_MESSAGE_BYTES`` long as SNS counts; ``states`` what people know once the
    message is out.
    """

    subject: str
    message: str
    message_attributes: Mapping[str, str]
    states: tuple[PageState, ...]


def pages(
    news: Sequence[Change],
    *,
    unread: Mapping[tuple[str, str | None], int],
    window_start: str,
    window_end: str,
    table: str,
) -> list[Page]:
    """The pages that tell ``news``: the most urgent first, what is resolved last.

    ``unread`` counts, per cause, the findings of the window that were not read. Window times are
    ``YYYY-MM-DD HH:MM:SS.mmm`` in UTC, the end not included. ``table`` holds the findings, by
    ``dt`` and ``hour``.
    """
    window = {"start": window_start, "end": window_end}
    for bound in (GROUP_ABOVE, 1):
        groups = [
            group
            for status in Status
            for verdict in SEVERITIES
            for group in by_cause(
                [n for n in news if (n.status, n.finding.verdict) == (status, verdict)], bound
            )
        ]
        if len(groups) <= MAX_PAGES:
            break
    return [
        _single(group[0], window) if len(group) == 1 else _grouped(group, unread, window, table)
        for group in groups
    ]


def document_of(message: str) -> object:
    """The JSON document of a page's ``message``.

    Raises ``ValueError`` (``custody.core.formats.untrusted.MalformedInput``) if it has none.
    """
    document = message.partition(f"\n{MARKER}\n")[2]
    return load_json(document, what="page", max_bytes=MAX_MESSAGE_BYTES)


def shown(text: str) -> str:
    """``text`` between quotes, on one line, without a character that could disguise another.

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


def _of_findings(
    group: Sequence[Change],
    about: str,
    written: Callable[[tuple[int, int]], tuple[list[str], dict[str, object]]],
) -> Page:
    verdict = group[0].finding.verdict
    return compose(
        verdict,
        SEVERITIES[verdict],
        group[0].status,
        about=about,
        runbook=f"docs/runbooks/{verdict.lower()}.md",
        written=written,
        states=tuple(change.state for change in group),
    )


# --- One finding ----------------------------------------------------------------------------------


def _single(change: Change, window: Mapping[str, str]) -> Page:
    finding = change.finding

    def written(room: tuple[int, int]) -> tuple[list[str], dict[str, object]]:
        cut = _cut(finding, room[1])
        now = _cut(change.now, room[1]) if change.now else None
        lines = [
            headline(finding.verdict, SEVERITIES[finding.verdict], change.status, _outcome(change)),
            "",
            f"why      {shown(cut.reason)}",
            *([f"now      {shown(now.reason)}"] if now else []),
            f"who      {_known(cut.principal_arn)}, type {_known(cut.principal_type)}",
            f"from     {_known(cut.source_ip)}, user agent {_known(cut.user_agent)}",
            f"what     {shown(f's3://{finding.bucket}/{finding.key}')}",
            f"version  {shown(finding.version_id)}",
            f"when     {finding.event_time}, call {_known(cut.event_name)}",
            f"where    bucket {shown(finding.bucket)}, layer {_known(cut.pipeline_layer)}",
            "evidence",
            f"  CloudTrail event  {_known(cut.event_id)}",
            f"  request           {_known(cut.request_id)}",
            f"  record            {_known(cut.record_key)}",
            f"  log file          {_known(cut.log_key)}",
            f"  digest            {_known(cut.digest_key)}",
            f"window   {_hours(window)}",
        ]
        body = {**_body(cut), "window": window}
        if change.status is Status.RESOLVED:
            body["verdict_now"] = now.verdict if now else None
            body["reason_now"] = now.reason if now else None
        return lines, body

    about = f"s3://{finding.bucket}/{finding.key}"
    return _of_findings([change], about, written)


def _outcome(change: Change) -> str:
    if change.status is not Status.RESOLVED:
        return _MEANING[change.finding.verdict] + "."
    if change.now is None:
        return "this defect is no longer found."
    return f"this object version is {change.now.verdict} now."


def _body(finding: Finding) -> dict[str, object]:
    values = asdict(finding)
    evidence = {name: values.pop(name) for name in _EVIDENCE}
    return {**values, "evidence": evidence}


# --- Many of one cause ----------------------------------------------------------------------------


def _grouped(
    group: Sequence[Change],
    unread: Mapping[tuple[str, str | None], int],
    window: Mapping[str, str],
    table: str,
) -> Page:
    first = group[0]
    verdict, status = first.finding.verdict, first.status
    causes = {change.finding.cause for change in group}
    total = len(group)
    if status is Status.OPEN:
        total += sum(unread.get(cause, 0) for cause in causes)
    principal = first.finding.principal_arn if len(causes) == 1 else None
    by_whom = f"{len(causes)} principals" if len(causes) > 1 else _known(principal, "nobody known")
    now = Counter(change.now.verdict if change.now else "no longer found" for change in group)
    query = _query(first.finding.verdict, principal, window, table)

    def written(room: tuple[int, int]) -> tuple[list[str], dict[str, object]]:
        examples = [_cut(change.finding, room[1]) for change in group[: room[0]]]
        lines = [
            headline(verdict, SEVERITIES[verdict], status, f"{_MEANING[verdict]}, {total} times."),
            "",
            f"who      {by_whom}",
            f"what     {total} findings, for example",
            *(
                f"  {e.event_time}  {shown(f's3://{e.bucket}/{e.key}')}"
                f" version {shown(e.version_id)} by {_known(e.principal_arn)}"
                for e in examples
            ),
            f"window   {_hours(window)}",
        ]
        body: dict[str, object] = {
            "verdict": verdict,
            "findings": total,
            "principals": len(causes),
            "principal_arn": principal,
            "examples": [_body(example) for example in examples],
            "query": query,
            "window": window,
        }
        if status is Status.RESOLVED:
            lines.append(f"now      {', '.join(f'{n} {what}' for what, n in now.items())}")
            lines.append("all that is still found, in Athena:")
            body["verdicts_now"] = dict(now)
        else:
            lines.append("all of them, in Athena:")
        return [*lines, *(f"  {line}" for line in query.splitlines())], body

    about = f"{total} object versions, {_hours(window)}"
    return _of_findings(group, about, written)


def _query(verdict: str, principal: str | None, window: Mapping[str, str], table: str) -> str:
    """A SELECT of the findings of a verdict in the window, reading only the window's partitions."""
    first, last = window["start"], _last_hour(window)
    lines = [
        f"SELECT * FROM {table}",  # noqa: S608 - the name of a table of ours
        f"WHERE dt BETWEEN '{first[:10]}' AND '{last[:10]}'",
        f"    AND dt || ' ' || hour BETWEEN '{first[:13]}' AND '{last[:13]}'",
        f"    AND verdict = '{verdict}'",
    ]
    # A principal may be whatever a forged record claims: in a statement only if it is harmless.
    if principal is not None and principal.isascii() and principal.isprintable():
        quoted = principal.replace("'", "''")
        lines.append(f"    AND principal_arn = '{quoted}'")
    return "\n".join([*lines, "ORDER BY event_time"])


# --- What all pages share -------------------------------------------------------------------------


def compose(
    verdict: str,
    severity: str,
    status: Status,
    *,
    about: str,
    runbook: str,
    written: Callable[[tuple[int, int]], tuple[list[str], dict[str, object]]],
    states: tuple[PageState, ...] = (),
) -> Page:
    """A page in the form that all share.

    ``written`` gives the lines of the text (the first of them a `headline`) and the body of the
    document, given how many examples to show and how many characters of a text that may be cut;
    it is asked again with less until the page fits. ``runbook`` is its path in the repository.
    """
    for room in _ROOM:
        lines, body = written(room)
        document = {
            "status": status.value,
            "severity": severity,
            "summary": lines[0],
            **body,
            "runbook": runbook,
        }
        text = [*lines, f"runbook  {runbook}", "", MARKER, json.dumps(document, indent=2)]
        message = "\n".join(text)
        if _sent_bytes(message) <= MAX_MESSAGE_BYTES:
            break
    return Page(
        subject=_subject(f"{_called(status, verdict)} ({severity}) {about}"),
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
    """Bytes of a message as the provider's operator sends it: as one text inside a JSON object."""
    return len(json.dumps({"default": message}))


def _cut(finding: Finding, limit: int) -> Finding:
    """``finding`` with texts of at most ``limit`` characters; what is cut ends in an ellipsis."""
    return replace(
        finding,
        **{
            name: value[: limit - 1] + "…"
            for name, value in asdict(finding).items()
            if name not in _WHOLE and value is not None and len(value) > limit
        },
    )


def _known(value: str | None, otherwise: str = "not known") -> str:
    return otherwise if value is None else shown(value)


def _last_hour(window: Mapping[str, str]) -> str:
    end = datetime.fromisoformat(window["end"])
    return f"{end - HOUR:%Y-%m-%d %H:%M}"


def _hours(window: Mapping[str, str]) -> str:
    return f"{window['start'][:16]} to {window['end'][:16]} UTC"


def _subject(text: str) -> str:
    printable = "".join(c if " " <= c <= "~" else "?" for c in text)
    return printable if len(printable) <= MAX_SUBJECT else printable[: MAX_SUBJECT - 3] + "..."
