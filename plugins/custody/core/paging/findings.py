"""Findings of the reconciliation, and which of them are news.

A finding is one verdict about one object version, and its fingerprint identifies it for good.
People are told when it is found, when somebody is named who was not known before, when it no longer
holds, and when it is found again: never twice of the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from enum import StrEnum
from typing import Final

from custody.core.formats.timestamps import parse_utc
from custody.core.formats.untrusted import Fields, MalformedInput
from custody.core.ledger.rows import fingerprint
from custody.core.ledger.verdicts import Verdict
from custody.objects import ObjectVersion

SEVERITIES: Final[Mapping[str, str]] = {
    Verdict.TRAIL_BROKEN.value: "critical",
    Verdict.ALTERED.value: "critical",
    Verdict.BAD_SIGNATURE.value: "critical",
    Verdict.CONFLICT.value: "critical",
    Verdict.UNWITNESSED.value: "critical",
    Verdict.REMOVED.value: "high",
    Verdict.UNEXPECTED_PRINCIPAL.value: "high",
    Verdict.UNRECORDED.value: "high",
}
"""How urgent each verdict that pages is, the most urgent first. Others do not page."""

READ_LIMIT: Final = 500
"""Findings read per cause (verdict and principal) and window. Beyond it only their number is
known."""

MAX_WATCHED: Final = 1500
"""Open pages whose fate one run asks for. Each costs 136 bytes of a statement; Athena takes
262,144 bytes."""

_BESIDE_A_VERDICT: Final = frozenset({Verdict.REMOVED, Verdict.TRAIL_BROKEN})
"""Verdicts about what somebody did to an object or to the trail. They stand beside the one verdict
a version has from its two witnesses, and say nothing about it."""


class Status(StrEnum):
    """What a page tells of a finding."""

    OPEN = "open"
    REOPENED = "reopened"
    NAMED = "named"
    """It is open, people know of it, and now it is known whose doing it is."""

    RESOLVED = "resolved"


@dataclass(frozen=True)
class Finding:
    """One ledger row about one object version, as pages tell of it.

    ``event_time`` is ISO UTC to the second (``…Z``); the hour it lies in is the one that is
    reconciled again when the finding is to be judged anew.
    """

    verdict: str
    bucket: str
    key: str
    version_id: str
    principal_arn: str | None
    event_time: str
    reason: str
    fingerprint: str
    event_name: str | None = None
    principal_type: str | None = None
    source_ip: str | None = None
    user_agent: str | None = None
    pipeline_layer: str | None = None
    sha256: str | None = None
    event_id: str | None = None
    request_id: str | None = None
    record_key: str | None = None
    log_key: str | None = None
    digest_key: str | None = None

    @classmethod
    def from_row(cls, row: Mapping[str, str | None]) -> Finding:
        """A row of ``include/sql/reconcile/read_findings.sql``.

        Raises ``ValueError`` naming what is missing of what every row has, or if there is no such
        verdict or time.
        """
        return cls.from_values(
            {_FIELD_OF_COLUMN.get(name, name): value for name, value in row.items()}
        )

    @classmethod
    def from_values(cls, values: Mapping[str, object]) -> Finding:
        """The fields by name; raises ``ValueError`` as ``from_row`` does."""
        texts: dict[str, str | None] = {}
        for field in fields(cls):
            value = values.get(field.name) or None
            if value is None and field.name in _ALWAYS:
                raise ValueError(f"a finding without {field.name}: {dict(values)}")
            if value is not None and not isinstance(value, str):
                raise ValueError(f"{field.name} of a finding must be a text, not {value!r}")
            texts[field.name] = value
        found = cls(**texts)  # type: ignore[arg-type]  # those that may be None are
        Verdict(found.verdict)
        parse_utc(found.event_time)
        return found

    @property
    def pages(self) -> bool:
        return self.verdict in SEVERITIES

    @property
    def version(self) -> tuple[str, str, str]:
        """The object version it is about."""
        return self.bucket, self.key, self.version_id

    @property
    def hour(self) -> tuple[str, str]:
        """The partition (``dt``, ``hour``) of ``reconciliation`` it stands in."""
        return self.event_time[:10], self.event_time[11:13]

    @property
    def cause(self) -> tuple[str, str | None]:
        """What findings that come by the thousand have in common."""
        return self.verdict, self.principal_arn


_FIELD_OF_COLUMN: Final = {"object_key": "key", "verdict_reason": "reason"}
_ALWAYS: Final = frozenset(
    {"verdict", "bucket", "key", "version_id", "event_time", "reason", "fingerprint"}
)


@dataclass(frozen=True)
class PageState:
    """What people were last told of a finding."""

    finding: Finding
    is_open: bool

    def to_json(self) -> dict[str, object]:
        """JSON values that ``from_json`` reads back."""
        return {"open": self.is_open, "finding": asdict(self.finding)}

    @classmethod
    def from_json(cls, value: object) -> PageState:
        """Raises ``ValueError`` if ``value`` is no state of a page."""
        state = Fields.of(value, "page")
        is_open = state.values.get("open")
        if not isinstance(is_open, bool):
            raise MalformedInput("page.open", "must be true or false")
        return cls(Finding.from_values(state.child("finding").values), is_open)


@dataclass(frozen=True)
class Change:
    """News about a finding; ``now`` is what the ledger says of the version once it is resolved,
    and None where it says nothing any more."""

    status: Status
    finding: Finding
    now: Finding | None = None

    @property
    def state(self) -> PageState:
        """What is to be remembered once people have been told."""
        return PageState(self.finding, is_open=self.status is not Status.RESOLVED)


def read_findings_of(
    rows: Iterable[Mapping[str, str | None]],
) -> tuple[list[Finding], dict[tuple[str, str | None], int]]:
    """The rows of ``include/sql/reconcile/read_findings.sql``, and how many findings of each cause
    it left unread.

    Raises ``ValueError`` as `Finding.from_row` does.
    """
    found: list[Finding] = []
    unread: dict[tuple[str, str | None], int] = {}
    for row in rows:
        finding = Finding.from_row(row)
        unread.setdefault(finding.cause, int(row["cause_findings"] or 0))
        unread[finding.cause] -= 1
        found.append(finding)
    return found, unread


def rows_that_settle(page: Finding) -> tuple[str, str]:
    """Fingerprints of the rows that decide whether a page stays open: its own finding, and the
    ``VERIFIED`` of its object version."""
    return page.fingerprint, fingerprint(Verdict.VERIFIED, ObjectVersion(*page.version))


def changes(
    rows: Iterable[Finding], told: Mapping[str, PageState], watched: Iterable[str]
) -> list[Change]:
    """What people do not know yet, in the order of ``rows``, resolved pages last.

    ``rows`` are the findings of a window and the rows that settle its ``watched`` pages
    (fingerprints), ``told`` what people know, by fingerprint.

    An all-clear needs evidence. A page is resolved when its version has another verdict that is
    final (late evidence may have made it ``VERIFIED``, or something worse); ``PENDING`` is not
    final, and a row that is merely gone proves nothing. Only a defect of the trail is mended when
    it is no longer found, because the trail is proven anew each time. A removal stays a removal.
    """
    found: dict[str, Finding] = {}
    for row in rows:  # two events may tell of one version: the first counts
        found.setdefault(row.fingerprint, row)
    news = [
        Change(status, finding)
        for finding in found.values()
        if finding.pages and (status := _news_of(finding, told.get(finding.fingerprint)))
    ]
    verdict_now = {
        row.version: row
        for row in found.values()
        if row.verdict not in _BESIDE_A_VERDICT and row.verdict != Verdict.PENDING
    }
    for page in dict.fromkeys(watched):
        state = told.get(page)
        if state is None or not state.is_open or page in found:
            continue
        finding = state.finding
        if finding.verdict == Verdict.TRAIL_BROKEN:
            news.append(Change(Status.RESOLVED, finding))
        elif finding.verdict not in _BESIDE_A_VERDICT and finding.version in verdict_now:
            news.append(Change(Status.RESOLVED, finding, verdict_now[finding.version]))
    return news


def _news_of(finding: Finding, known: PageState | None) -> Status | None:
    """What is new about a finding to people who were told ``known``; None if nothing is."""
    if known is None:
        return Status.OPEN
    if not known.is_open:
        return Status.REOPENED
    unnamed = known.finding.principal_arn is None
    return Status.NAMED if unnamed and finding.principal_arn is not None else None


def by_cause(news: Sequence[Change], bound: int) -> list[list[Change]]:
    """``news`` of one verdict, put together where more than ``bound`` share their cause.

    The same principal is one cause. What is left over, of many principals, is one too if it is more
    than ``bound``; and so are more than ``bound`` principals. All others stay alone.
    """
    of_principal: dict[str | None, list[Change]] = {}
    for change in news:
        of_principal.setdefault(change.finding.principal_arn, []).append(change)
    large = [group for group in of_principal.values() if len(group) > bound]
    rest = [change for change in news if len(of_principal[change.finding.principal_arn]) <= bound]
    if len(large) > bound:
        return [list(news)]
    if len(rest) > bound:
        return [*large, rest]
    return [*large, *([change] for change in rest)]
