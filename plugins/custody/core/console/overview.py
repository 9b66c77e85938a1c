"""All that the console shows of some days: put together from what the runs signed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

from custody.core.answers.model import Answer
from custody.core.answers.taking import TakenOn, taken_on
from custody.core.console.freshness import Watcher, watchers
from custody.core.console.in_airflow import InAirflow, in_airflow
from custody.core.console.picture import Day, picture
from custody.core.console.standing import (
    ReadRun,
    Standing,
    by_severity_and_age,
    left_out,
    standing_findings,
)
from custody.core.ledger.causes import beside, causes_of
from custody.core.ledger.rows import LedgerRow
from custody.core.ledger.verdicts import Verdict
from custody.core.paging.findings import Cause
from custody.core.runs.hours import Hour, last_judges
from custody.core.runs.model import JudgingRun


@dataclass(frozen=True, slots=True)
class Evidence:
    """What is shown is made of: the runs that are believed, the places of statements that are not
    (`disbelieved`), and how far the watchers have come (None: nothing that is signed says so).

    Before `judged` every hour was judged, before `closed` no event is awaited. The seal grew last
    at `sealed`, to so many `entries`; the trail of each region is `proven` until some time.
    `answers` are people's, by the finding that they are about.
    """

    runs: Sequence[ReadRun]
    disbelieved: Sequence[str] = ()
    judged: datetime | None = None
    closed: datetime | None = None
    sealed: datetime | None = None
    entries: int | None = None
    proven: datetime | None = None
    answers: Mapping[str, Sequence[Answer]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Overview:
    """The days from `first` until `now`; `findings` by fingerprint, the most urgent first, and
    `beside` those that stand the causes that belong to them; `judges` are the runs that judged each
    hour last, `audit` is the last audit; `airflow` is what people did there; `answers` are
    people's, by finding."""

    first: date
    now: datetime
    days: Sequence[Day]
    findings: Mapping[str, Standing]
    beside: Mapping[str, Sequence[LedgerRow]]
    watchers: Sequence[Watcher]
    left_out: Mapping[Cause, int]
    disbelieved: Sequence[str]
    last: ReadRun | None
    judges: Mapping[Hour, JudgingRun]
    audit: JudgingRun | None
    policy: str
    airflow: InAirflow
    answers: Mapping[str, Sequence[Answer]]

    @property
    def standing(self) -> list[Standing]:
        """All that stands: findings, and changes of controls that belong to others."""
        return [each for each in self.findings.values() if each.is_open]

    @property
    def open(self) -> list[Standing]:
        """The findings that stand; what belongs to another is beside that one, not by itself."""
        belonging = self.belonging
        return [each for each in self.standing if each.finding.fingerprint not in belonging]

    @property
    def belonging(self) -> frozenset[str]:
        """The fingerprints of the changes of controls that belong to a finding that stands."""
        return frozenset(cause.fingerprint for causes in self.beside.values() for cause in causes)

    def led_to(self, standing: Standing) -> list[Standing]:
        """The findings that stand and that a change of a control belongs to."""
        own = standing.finding.fingerprint
        return [
            self.findings[name]
            for name, causes in self.beside.items()
            if any(cause.fingerprint == own for cause in causes)
        ]

    def taken(self, standing: Standing) -> TakenOn:
        """Whether somebody has taken a finding on, or closed it."""
        return taken_on(
            self.answers.get(standing.finding.fingerprint, ()),
            since=standing.since,
            found_at=standing.last.as_of,
            now=self.now,
        )

    @property
    def ages(self) -> dict[str, dict[str, int]]:
        """How many stand, by severity and age."""
        return by_severity_and_age(self.open, self.now)

    def causes(self, standing: Standing) -> Sequence[LedgerRow]:
        """The changes of controls that belong to a finding, or would if it still stood."""
        found = beside([standing.finding], _changes(self.findings.values()))
        return found.get(standing.finding.fingerprint, [])

    def further(self, standing: Standing) -> int:
        """How many more changes of controls in these days may have led to a finding."""
        every = causes_of(standing.finding, _changes(self.findings.values()))
        return len(every) - len(self.causes(standing))

    def judged_since(self, standing: Standing) -> JudgingRun | None:
        """The run that judged the hour of a finding again and did not find it, if one did."""
        judge = self.judges.get(standing.finding.partition)
        if judge is None or judge.job != standing.last.job:
            return None
        return judge if judge.as_of > standing.last.as_of else None

    @property
    def has_other_settings(self) -> bool:
        """Whether the last run judged by others than the settings that are read here: so until the
        next run after a deployment, or because somebody changed them."""
        return self.last is not None and self.last.policy != self.policy

    @property
    def is_well(self) -> bool:
        """Whether nothing stands, nothing was left out, no watcher is late, and what is read here
        is what was judged."""
        late = any(watcher.is_late(self.now) for watcher in self.watchers)
        return not (self.standing or self.left_out or late or self.has_other_settings)


def overview(
    evidence: Evidence,
    *,
    reconcile_job: str,
    audit_job: str,
    policy: str,
    first: date,
    now: datetime,
) -> Overview:
    """What `evidence` shows of the days from `first` until `now`; the jobs are named to tell their
    runs apart, and `policy` is the SHA-256 of the settings that name them."""
    hourly = [read for read in evidence.runs if read.run.job == reconcile_job]
    audits = [read for read in evidence.runs if read.run.job == audit_job]
    by_run = {read.run: read for read in hourly}
    judges = last_judges(by_run, first, now.date())
    findings = standing_findings([*hourly, *audits])
    latest = max(audits, key=_time, default=None)
    counted = [by_run[run] for run in dict.fromkeys(judges.values())]
    return Overview(
        first=first,
        now=now,
        days=picture(judges, findings.values(), first=first, now=now, closed=evidence.closed),
        findings=findings,
        beside=beside(
            [each.finding for each in findings.values() if each.is_open],
            _changes(findings.values()),
        ),
        watchers=watchers(
            judged=evidence.judged,
            audited=latest.run.as_of if latest else None,
            sealed=evidence.sealed,
            entries=evidence.entries,
            proven=evidence.proven,
        ),
        left_out=left_out([*counted, *([latest] if latest else [])]),
        disbelieved=evidence.disbelieved,
        last=max(hourly, key=_time, default=None),
        judges=judges,
        audit=latest.run if latest else None,
        policy=policy,
        airflow=in_airflow(read.airflow for read in hourly if read.airflow is not None),
        answers=evidence.answers,
    )


def _changes(found: Iterable[Standing]) -> list[LedgerRow]:
    """The changes of controls, which stand for good."""
    return [each.finding for each in found if each.finding.verdict == Verdict.CONTROL_CHANGED]


def _time(read: ReadRun) -> datetime:
    return read.run.as_of
