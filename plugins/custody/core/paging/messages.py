"""The pages about findings: one for each, or one for many of the same cause."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, replace
from datetime import datetime
from typing import Any, Final

from custody.core.ledger.causes import nearest
from custody.core.ledger.rows import CATALOG, CONTROL, LedgerRow
from custody.core.ledger.verdicts import Verdict
from custody.core.paging.changes import Change, Status, by_cause
from custody.core.paging.findings import (
    SEVERITIES,
    Cause,
    cause_of,
    document_of_row,
    moment,
)
from custody.core.paging.form import Head, Page, Room, Written, compose, known, shown
from custody.core.paging.guarded import guarded_by
from custody.core.paging.links import NOWHERE, Places
from custody.core.runs.whole_hours import HOUR

GROUP_ABOVE: Final = 100
"""Above this many changes of one cause, send one grouped page: nobody reads a thousand."""

MAX_PAGES: Final = 500
"""Above this many pages in a run, group all that share a cause. Airflow expands a task to at most
1,024 (`core.max_map_length`)."""

_WHOLE: Final = frozenset({"verdict", "bucket", "object_key", "version_id", "fingerprint"})
"""What identifies a finding is never cut."""

_CAUSES_PER_EXAMPLE: Final = 5
"""A machine is told more causes than a person."""

_EVIDENCE: Final = ("event_id", "request_id", "record_key", "log_key", "digest_key", "sha256")

MEANING: Final[Mapping[str, str]] = {
    Verdict.TRAIL_BROKEN: "CloudTrail's proof of its own log files does not hold",
    Verdict.ALTERED: "stored bytes are not those that were recorded",
    Verdict.BAD_SIGNATURE: "a record is not one that the recorder signed",
    Verdict.CONFLICT: "the witnesses contradict each other about an object version",
    Verdict.UNWITNESSED: "a record tells of a write that CloudTrail did not see",
    Verdict.REMOVED: "an object, or a version of one, was removed",
    Verdict.UNEXPECTED_PRINCIPAL: "somebody wrote who is not a declared writer",
    Verdict.CONTROL_CHANGED: "a control was changed, and not by the deployment",
    Verdict.UNRECORDED: "an object version was written and nobody recorded its bytes",
    Verdict.UNCOSIGNED: "no quorum outside has signed that the seal only grows",
    Verdict.UNBUILT: "a file landed, and no run has read it",
}
"""Each verdict that pages, in words."""


def pages(
    news: Sequence[Change],
    *,
    unread: Mapping[Cause, int],
    window_start: str,
    window_end: str,
    table: str,
    places: Places = NOWHERE,
) -> list[Page]:
    """The pages that tell `news`: the most urgent first, what is resolved last.

    `unread` counts, per cause, the findings of the window that were not read. Window times are
    `YYYY-MM-DD HH:MM:SS.mmm` in UTC, the end not included. `table` holds the findings, by
    `dt` and `hour`; `places` is where links may lead.
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
        _single(group[0], window, table, places)
        if len(group) == 1
        else _grouped(group, unread, window, table, places)
        for group in groups
    ]


def _head(group: Sequence[Change], incident: str) -> Head:
    verdict = group[0].finding.verdict
    return Head(verdict, SEVERITIES[verdict], group[0].status, incident)


def _of_findings(
    head: Head,
    group: Sequence[Change],
    about: str | Sequence[str],
    written: Callable[[Room], Written],
    links: Mapping[str, str],
) -> Page:
    return compose(
        head,
        about=about,
        runbook=f"docs/runbooks/{head.verdict.lower()}.md",
        written=written,
        states=tuple(state for change in group for state in change.states),
        links=links,
    )


# --- One finding ----------------------------------------------------------------------------------


def _single(change: Change, window: Mapping[str, str], table: str, places: Places) -> Page:
    finding = change.finding
    head = _head([change], finding.fingerprint)
    is_control, query = finding.bucket == CONTROL, _query_of_one(finding, table)

    def written(room: Room) -> Written:
        cut = _cut(finding, room[1])
        now = _cut(change.now, room[1]) if change.now else None
        lines = [
            head.line(_outcome(change)),
            "",
            f"why      {shown(cut.verdict_reason)}",
            *([f"now      {shown(now.verdict_reason)}"] if now else []),
            f"who      {_who(cut)}, type {known(cut.principal_type)}",
            f"from     {known(cut.source_ip)}, user agent {known(cut.user_agent)}",
            f"what     {shown(f's3://{finding.bucket}/{finding.object_key}')}",
            f"version  {shown(finding.version_id)}",
            f"when     {moment(finding)}, call {known(cut.event_name)}",
            f"where    bucket {shown(finding.bucket)}, layer {known(cut.pipeline_layer)}",
            *([f"guards   {guarded_by(finding.object_key)}"] if is_control else []),
            *_cause_lines(finding, change.causes, room),
            "evidence",
            f"  CloudTrail event  {known(cut.event_id)}",
            f"  request           {known(cut.request_id)}",
            f"  record            {known(cut.record_key)}",
            f"  log file          {known(cut.log_key)}",
            f"  digest            {known(cut.digest_key)}",
            f"window   {_hours(window)}",
            "in Athena:",
            *(f"  {line}" for line in query.splitlines()),
        ]
        body = {
            **_body(cut),
            "guards": guarded_by(finding.object_key) if is_control else None,
            "query": query,
            "causes": _cause_bodies(finding, change.causes, room),
            "window": window,
        }
        if change.status is Status.RESOLVED:
            body["verdict_now"] = now.verdict if now else None
            body["reason_now"] = now.verdict_reason if now else None
        return lines, body

    links = places.of_finding(finding)
    return _of_findings(head, [change], _about(finding), written, links)


def _about(finding: LedgerRow) -> list[str]:
    """How a subject says what a finding is about: the name of the file (of a control, all of it),
    and by whom; what of that fits."""
    key = finding.object_key
    in_s3 = finding.bucket not in (CATALOG, CONTROL)
    name = (key.rstrip("/").rpartition("/")[2] or key) if in_s3 else key
    if finding.principal_arn is None:
        return [name]
    arn = finding.principal_arn
    actor = arn.partition("/")[2] or arn
    who = f"{'claimed to be ' if finding.is_claimed else ''}{actor}"
    return [f"{name} by {who}", f"{name} by {who.rpartition('/')[2]}", name, f"by {who}"]


def _query_of_one(finding: LedgerRow, table: str) -> str:
    """A SELECT of all rows about what a finding is about, of its day alone."""
    lines = [
        f"SELECT * FROM {table}",  # noqa: S608 - the name of a table of ours
        f"WHERE dt = '{finding.partition[0]}'",
        *_where("bucket", finding.bucket),
        *_where("object_key", finding.object_key),
    ]
    return "\n".join([*lines, "ORDER BY event_time"])


def _where(column: str, value: str | None) -> list[str]:
    """A condition on what somebody may have typed: in a statement only if it is harmless."""
    if value is None or not (value.isascii() and value.isprintable()):
        return []
    quoted = value.replace("'", "''")
    return [f"    AND {column} = '{quoted}'"]


def _who(finding: LedgerRow) -> str:
    """Whose call it was; or whose it is claimed to have been; or that nobody can be named."""
    claim = "claimed to be " if finding.is_claimed else ""
    return claim + known(finding.principal_arn, "nobody can be named")


def _outcome(change: Change) -> str:
    if change.status is not Status.RESOLVED:
        return MEANING[change.finding.verdict] + "."
    if change.now is None:
        return "this defect is no longer found."
    return f"this object version is {change.now.verdict} now."


def _body(finding: LedgerRow) -> dict[str, object]:
    values: dict[str, object] = {**document_of_row(finding)}
    evidence = {name: values.pop(name) for name in _EVIDENCE}
    return {**values, "claimed": finding.is_claimed, "evidence": evidence}


# --- Causes ---------------------------------------------------------------------------------------


def _cause_lines(finding: LedgerRow, causes: Sequence[LedgerRow], room: Room) -> list[str]:
    """The lines that tell which controls were changed around a finding, and by whom."""
    if not causes:
        return []
    told = [_cut(cause, room[1]) for cause in nearest(finding, causes, room[0])]
    return [
        f"causes   {len(causes)} changes of controls that may have led to it, the nearest",
        *(
            f"  {moment(cause)}  {shown(cause.object_key)} by {known(cause.principal_arn)},"
            f" call {known(cause.event_name)}, event {known(cause.event_id)}"
            for cause in told
        ),
    ]


def _cause_bodies(
    finding: LedgerRow, causes: Sequence[LedgerRow], room: Room
) -> list[dict[str, object]]:
    most = room[0] * _CAUSES_PER_EXAMPLE
    return [_body(_cut(cause, room[1])) for cause in nearest(finding, causes, most)]


# --- Many of one cause ----------------------------------------------------------------------------


def _grouped(
    group: Sequence[Change],
    unread: Mapping[Cause, int],
    window: Mapping[str, str],
    table: str,
    places: Places,
) -> Page:
    first = group[0]
    verdict, status = first.finding.verdict, first.status
    # That some of many are resolved does not end what the others are: these are apart.
    what = f"{status}\n{verdict}\n{first.finding.principal_arn}"
    head = _head(group, hashlib.sha256(what.encode("utf-8")).hexdigest())
    principals = {cause_of(change.finding) for change in group}
    total = len(group)
    if status is Status.OPEN:
        total += sum(unread.get(cause, 0) for cause in principals)
    principal = first.finding.principal_arn if len(principals) == 1 else None
    by_whom = (
        f"{len(principals)} principals" if len(principals) > 1 else known(principal, "nobody known")
    )
    causes = list({c.fingerprint: c for change in group for c in change.causes}.values())
    now = Counter(change.now.verdict if change.now else "no longer found" for change in group)
    query = _query(first.finding.verdict, principal, window, table)

    def written(room: Room) -> Written:
        examples = [_cut(change.finding, room[1]) for change in group[: room[0]]]
        lines = [
            head.line(f"{MEANING[verdict]}, {total} times."),
            "",
            f"who      {by_whom}",
            f"what     {total} findings, for example",
            *(
                f"  {moment(e)}  {shown(f's3://{e.bucket}/{e.object_key}')}"
                f" version {shown(e.version_id)} by {known(e.principal_arn)}"
                for e in examples
            ),
            *_cause_lines(first.finding, causes, room),
            f"window   {_hours(window)}",
        ]
        body: dict[str, object] = {
            "verdict": verdict,
            "findings": total,
            "principals": len(principals),
            "principal_arn": principal,
            "examples": [_body(example) for example in examples],
            "causes": _cause_bodies(first.finding, causes, room),
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
    links = places.of_findings(verdict=verdict, state="open")
    return _of_findings(head, group, about, written, links)


def _query(verdict: str, principal: str | None, window: Mapping[str, str], table: str) -> str:
    """A SELECT of the findings of a verdict in the window, reading only the window's partitions."""
    first, last = window["start"], _last_hour(window)
    lines = [
        f"SELECT * FROM {table}",  # noqa: S608 - the name of a table of ours
        f"WHERE dt BETWEEN '{first[:10]}' AND '{last[:10]}'",
        f"    AND dt || ' ' || hour BETWEEN '{first[:13]}' AND '{last[:13]}'",
        f"    AND verdict = '{verdict}'",
    ]
    lines += _where("principal_arn", principal)
    return "\n".join([*lines, "ORDER BY event_time"])


def _cut(finding: LedgerRow, limit: int) -> LedgerRow:
    """`finding` with texts of at most `limit` characters; what is cut ends in an ellipsis."""
    texts: dict[str, Any] = {
        name: value[: limit - 1] + "…"
        for name, value in asdict(finding).items()
        if name not in _WHOLE and isinstance(value, str) and len(value) > limit
    }
    return replace(finding, **texts)


def _last_hour(window: Mapping[str, str]) -> str:
    end = datetime.fromisoformat(window["end"])
    return f"{end - HOUR:%Y-%m-%d %H:%M}"


def _hours(window: Mapping[str, str]) -> str:
    return f"{window['start'][:16]} to {window['end'][:16]} UTC"
