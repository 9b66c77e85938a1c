"""Following the runbooks of what the attacks were found as, to the person and the call.

All are followed at the end, as what is asked of Athena meanwhile would be falsified by the attacks
on its results.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

from tests.attacks import judging
from tests.attacks.attack import Attack, Finding, Outcome
from tests.attacks.operators import OPERATOR
from tests.attacks.world import FOLDER, UPLOADER, World
from tests.support.findings import finding
from tests.support.walks import Walk, Walker

from custody.core.ledger.rows import LedgerRow
from custody.core.ledger.verdicts import Verdict
from custody.core.paging.findings import SEVERITIES
from custody.core.seal.layout import CHECKPOINT_PATH, SEAL_PREFIX
from rehearsal.observing import QueryFailed
from rehearsal.platform import ADMIN

NOBODYS: Final[Mapping[Verdict, tuple[str, str]]] = {
    Verdict.UNBUILT: (UPLOADER, "PutObject"),
    Verdict.UNCOSIGNED: (ADMIN, "ExecuteChangeSet"),
}
"""Verdicts that no attack brings about, as they take a day: whom their runbooks lead to all the
same, who is to be asked, and by which call."""


@dataclass
class Found:
    """What each attack was found as, and the row of each finding."""

    of_attacks: dict[str, tuple[Attack, frozenset[Finding]]] = field(default_factory=dict)
    rows: dict[Finding, LedgerRow] = field(default_factory=dict)

    def add(
        self, outcomes: Iterable[tuple[Attack, Outcome]], rows: Iterable[tuple[Finding, LedgerRow]]
    ) -> None:
        """Take in what one run found, and of which attacks. An operator of Airflow is nobody to
        AWS: whatever is found after him, others did."""
        for attack, outcome in outcomes:
            if attack.person == OPERATOR:
                continue
            every = (*outcome.next, *outcome.later, *outcome.reconciled, *outcome.audited)
            self.of_attacks[attack.story] = attack, frozenset(every)
        for each, row in rows:
            self.rows.setdefault(each, row)


@dataclass(frozen=True)
class Followed:
    """The runbooks of one attack's findings, followed: one finding of each kind."""

    story: str
    verdicts: tuple[str, ...]
    trouble: str
    """Where they do not lead to; empty if they lead to the person and the call."""


def follow(world: World, found: Found) -> Iterator[Followed]:
    """Follow the runbooks of every kind of finding of the attacks, and of what needs no attack."""
    judging.make_all_tables(world)
    walker, known = Walker(world.platform), set[Hashable]()
    for attack, findings in found.of_attacks.values():
        told: dict[Hashable, LedgerRow] = {}
        for each in sorted(findings & found.rows.keys(), key=repr):
            row = found.rows[each]
            told.setdefault(_kind(world, attack, row), row)
        new = {kind: row for kind, row in told.items() if kind not in known}
        known |= new.keys()
        trouble = list[str]()
        for row in new.values():
            try:
                trouble += _trouble(world, attack, row, walker.walk(row))
            except QueryFailed as failed:
                trouble.append(f"{row.verdict} cannot be followed: {failed}")
        if new:
            verdicts = tuple(row.verdict for row in new.values())
            yield Followed(attack.story, verdicts, "; ".join(trouble))
    for verdict, (who, call) in NOBODYS.items():
        walk = walker.walk(_nobodys(world, verdict))
        leads = walk.shows(world.arn(who), call)
        yield Followed("nobody", (verdict,), "" if leads else f"not to {call} of {who}")


def unwalked(followed: Iterable[Followed]) -> set[str]:
    """The verdicts that page and whose runbook was not followed."""
    return SEVERITIES.keys() - {verdict for each in followed for verdict in each.verdicts}


def _nobodys(world: World, verdict: Verdict) -> LedgerRow:
    """The row that the audit would find after a day."""
    bucket, key = world.raw, f"{FOLDER}/honest-{UPLOADER}.csv"
    if verdict is Verdict.UNCOSIGNED:
        bucket, key = world.provenance, SEAL_PREFIX + CHECKPOINT_PATH
    columns = ("event_name", "principal_arn", "event_id", "record_key", "log_key")
    at = f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"
    unnamed = dict.fromkeys(columns, None)
    return finding(verdict, bucket=bucket, object_key=key, event_time=at, **unnamed)


def _kind(world: World, attack: Attack, row: LedgerRow) -> Hashable:
    """What makes two findings one of a kind: the same call, told alike. Of two runbooks that are
    followed alike one is enough."""
    gives_away = None if row.principal_arn == world.arn(attack.person) else attack.call
    return row.verdict, row.event_name, gives_away


def _trouble(world: World, attack: Attack, row: LedgerRow, walk: Walk) -> Iterator[str]:
    """Whoever a page names must be seen at the very call of the page; and whoever attacked at the
    call that gives him away, if the page does not name him."""
    who, event, person = row.principal_arn, row.event_id, world.arn(attack.person)
    if who and event and not walk.shows(who, event):
        yield f"{row.verdict} does not lead to {row.event_name} of {who}"
    if who == person:
        return
    if attack.call is None:
        yield f"{row.verdict} names {who}: which call gives {attack.person} away?"
    elif not walk.shows(person, attack.call):
        yield f"{row.verdict} does not lead to {attack.call} of {person}"
