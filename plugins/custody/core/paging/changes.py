"""Which findings are news to the people on call.

They are told when a finding is found, when somebody is named who was not known before, when it no
longer holds, and when it is found again: never twice of the same.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from custody.core.ledger.causes import MAX_BESIDE, beside
from custody.core.ledger.rows import LedgerRow, fingerprint
from custody.core.ledger.verdicts import Verdict
from custody.core.paging.findings import PageState, is_finding

_LOOKED_AT_ANEW: Final = frozenset({Verdict.TRAIL_BROKEN, Verdict.UNCOSIGNED, Verdict.UNBUILT})
"""Verdicts that each run finds again for as long as they hold."""

_BESIDE_A_VERDICT: Final = frozenset({Verdict.REMOVED, Verdict.CONTROL_CHANGED, *_LOOKED_AT_ANEW})
"""Verdicts about what somebody did to an object or a control, about trail and seal, or about what
became of a file. They stand beside the one verdict a version has from its two witnesses, and say
nothing about it."""


class Status(StrEnum):
    """What a page tells of a finding."""

    OPEN = "open"
    REOPENED = "reopened"
    NAMED = "named"
    """It is open, people were told of it without a principal, and now the principal is known."""

    RESOLVED = "resolved"


@dataclass(frozen=True)
class Change:
    """News about a finding; `now` is what the ledger says of the version once it is resolved,
    and None where it says nothing any more. `causes` are changes of controls that nobody was told
    of yet, and that may have led to it."""

    status: Status
    finding: LedgerRow
    now: LedgerRow | None = None
    causes: tuple[LedgerRow, ...] = ()

    @property
    def states(self) -> tuple[PageState, ...]:
        """What is to be remembered once people have been told."""
        told = PageState(self.finding, is_open=self.status is not Status.RESOLVED)
        return told, *(PageState(cause, is_open=True) for cause in self.causes)


def rows_that_settle(page: LedgerRow) -> tuple[str, str]:
    """Fingerprints of the rows that decide whether a page stays open: its own finding, and the
    `VERIFIED` of its object version."""
    return page.fingerprint, fingerprint(Verdict.VERIFIED, page.object_version)


def changes(
    rows: Iterable[LedgerRow], known: Mapping[str, PageState], watched: Iterable[str]
) -> list[Change]:
    """What people do not know yet, in the order of `rows`, resolved pages last.

    `rows` are the findings of a window and the rows that settle its `watched` pages
    (fingerprints), `known` what people were told, by fingerprint.

    A page is resolved when its version has another final verdict: late evidence may have made it
    `VERIFIED`, or something worse. `PENDING` is not final, and a missing row proves nothing.
    A defect of the trail is resolved when it is no longer found, because the trail is proven anew
    each time, and so is the lack of a quorum, or of a run that has read a file. A removal is never
    resolved, nor is a change of a control.

    A change of a control that may have led to another finding which is news is told with that one,
    as its cause, and not by itself.
    """
    found: dict[str, LedgerRow] = {}
    for row in rows:  # two events may tell of one version: the first counts
        found.setdefault(row.fingerprint, row)
    news = [
        Change(status, finding)
        for finding in found.values()
        if is_finding(finding) and (status := _news_of(finding, known.get(finding.fingerprint)))
    ]
    verdict_now = {
        row.object_version: row
        for row in found.values()
        if row.verdict not in _BESIDE_A_VERDICT and row.verdict != Verdict.PENDING
    }
    for page in dict.fromkeys(watched):
        state = known.get(page)
        if state is None or not state.is_open or page in found:
            continue
        finding = state.finding
        if finding.verdict in _LOOKED_AT_ANEW:
            news.append(Change(Status.RESOLVED, finding))
        elif finding.verdict not in _BESIDE_A_VERDICT and finding.object_version in verdict_now:
            news.append(Change(Status.RESOLVED, finding, verdict_now[finding.object_version]))
    return _with_causes(news)


def _with_causes(news: Sequence[Change]) -> list[Change]:
    """`news`, with what changed a control beside what it may have led to.

    What many findings have beside them may come on one page, so all that a run tells so has room on
    one. All others have pages of their own.
    """
    controls = [
        change.finding
        for change in news
        if change.finding.verdict == Verdict.CONTROL_CHANGED and change.status is Status.OPEN
    ]
    holds = [change.finding for change in news if change.status is not Status.RESOLVED]
    belonging = beside(holds, controls)
    near = (cause.fingerprint for causes in belonging.values() for cause in causes)
    told = frozenset(itertools.islice(dict.fromkeys(near), MAX_BESIDE))
    return [
        replace(
            change,
            causes=tuple(
                cause
                for cause in belonging.get(change.finding.fingerprint, ())
                if cause.fingerprint in told
            ),
        )
        for change in news
        if change.finding.fingerprint not in told
    ]


def _news_of(finding: LedgerRow, known: PageState | None) -> Status | None:
    """What is new about a finding to people who were told `known`; None if nothing is."""
    if known is None:
        return Status.OPEN
    if not known.is_open:
        return Status.REOPENED
    unnamed = known.finding.principal_arn is None
    return Status.NAMED if unnamed and finding.principal_arn is not None else None


def by_cause(news: Sequence[Change], bound: int) -> list[list[Change]]:
    """`news` of one verdict, put together where more than `bound` share their cause.

    The same principal is one cause. What is left over, of many principals, is one too if it is more
    than `bound`; and so are more than `bound` principals. All others stay alone.
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
