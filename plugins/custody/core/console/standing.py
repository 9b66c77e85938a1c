"""Which findings stand, by replaying what the runs stated through the rule that pages them.

What people were told is remembered in `pages/`, which Airflow writes. The console asks the runs'
signed reports instead: whoever bends that memory does not bend what is shown here.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from custody.core.ledger.rows import LedgerRow
from custody.core.paging.changes import Status, changes
from custody.core.paging.findings import SEVERITIES, Cause, PageState, is_finding
from custody.core.paging.found import Found
from custody.core.runs.airflow_log import AirflowLog
from custody.core.runs.model import JudgingRun


@dataclass(frozen=True, slots=True)
class ReadRun:
    """A run and its own word: how many rows it wrote of each verdict, what it found, by which
    settings it judged (their SHA-256), and what people did in Airflow, if it asked."""

    run: JudgingRun
    verdicts: Mapping[str, int]
    found: Found
    policy: str
    airflow: AirflowLog | None = None


@dataclass(frozen=True, slots=True)
class News:
    """One change of a finding, and the run that brought it."""

    status: Status
    run: JudgingRun


@dataclass(frozen=True, slots=True)
class Standing:
    """A finding as the runs have it: the row as it was found last, and by which run; what became of
    it, in order of time; and the row that resolved it."""

    finding: LedgerRow
    last: JudgingRun
    history: tuple[News, ...]
    now: LedgerRow | None = None

    @property
    def is_open(self) -> bool:
        return self.history[-1].status is not Status.RESOLVED

    @property
    def severity(self) -> str:
        return SEVERITIES[self.finding.verdict]

    @property
    def since(self) -> datetime:
        """When a run found it, the last time that it was news."""
        return next(
            news.run.as_of
            for news in reversed(self.history)
            if news.status in (Status.OPEN, Status.REOPENED)
        )


@dataclass
class _Replay:
    known: dict[str, PageState] = field(default_factory=dict)
    rows: dict[str, tuple[LedgerRow, JudgingRun]] = field(default_factory=dict)
    history: defaultdict[str, list[News]] = field(default_factory=lambda: defaultdict(list))
    now: dict[str, LedgerRow] = field(default_factory=dict)

    def follow(self, read: ReadRun) -> None:
        for row in filter(is_finding, read.found.rows):
            self.rows[row.fingerprint] = row, read.run
        for change in changes(read.found.rows, self.known, read.found.watched):
            for state in change.states:
                print_of = state.finding.fingerprint
                # A cause is told with what it led to, and opens with it.
                own = print_of == change.finding.fingerprint
                news = News(change.status if own else Status.OPEN, read.run)
                self.known[print_of] = state
                self.history[print_of].append(news)
            if change.now is not None:
                self.now[change.finding.fingerprint] = change.now


def standing_findings(runs: Iterable[ReadRun]) -> dict[str, Standing]:
    """Every finding of these runs, by fingerprint: the most urgent first, then the newest."""
    replay = _Replay()
    for read in sorted(runs, key=lambda read: (read.run.as_of, read.run.id)):
        replay.follow(read)
    found = [
        Standing(
            finding=row,
            last=run,
            history=tuple(replay.history[name]),
            now=replay.now.get(name),
        )
        for name, (row, run) in replay.rows.items()
    ]
    urgency = {verdict: place for place, verdict in enumerate(SEVERITIES)}
    found.sort(key=lambda each: each.finding.event_time, reverse=True)
    found.sort(key=lambda each: urgency[each.finding.verdict])
    return {each.finding.fingerprint: each for each in found}


def left_out(runs: Iterable[ReadRun]) -> dict[Cause, int]:
    """How many findings of each cause are in no report, at most: several runs may leave out the
    same."""
    left: defaultdict[Cause, int] = defaultdict(int)
    for read in runs:
        for cause, number in read.found.left_out.items():
            left[cause] += number
    return {cause: number for cause, number in left.items() if number > 0}


AGES: Sequence[tuple[str, int]] = (("under an hour", 1), ("under a day", 24), ("under a week", 168))
"""How old open findings are said to be: a name, and fewer hours than these."""

OLDEST = "a week or more"


def age_of(standing: Standing, now: datetime) -> str:
    """Which of the `AGES` an open finding has, or `OLDEST`; by when a run found it."""
    hours = (now - standing.since).total_seconds() / 3600
    return next((name for name, most in AGES if hours < most), OLDEST)


def by_severity_and_age(found: Iterable[Standing], now: datetime) -> dict[str, dict[str, int]]:
    """How many findings are open, by severity (the most urgent first) and age."""
    counts = {
        severity: dict.fromkeys([*(name for name, _ in AGES), OLDEST], 0)
        for severity in dict.fromkeys(SEVERITIES.values())
    }
    for standing in found:
        if standing.is_open:
            counts[standing.severity][age_of(standing, now)] += 1
    return counts
