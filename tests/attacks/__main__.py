"""Make every attack on a platform of its own, and hold the pages against the table: `make attacks`.

Exits 1 unless every attack is detected exactly, no page is for anything else, all honest work is
VERIFIED, and the runbooks of what was found lead to who did it. With numbers of rounds, only those
are made, after the two in which nobody attacks.
"""

from __future__ import annotations

import sys
import time
from collections import defaultdict
from collections.abc import Container
from dataclasses import dataclass, field, replace

from tests.attacks import following, judging, operators, uploading
from tests.attacks.attack import Attack, Finding, Job, Outcome
from tests.attacks.honest import DEEDS
from tests.attacks.judging import Seen
from tests.attacks.table import ROUNDS
from tests.attacks.world import World

from rehearsal.machine import REPOSITORY, Machine
from rehearsal.platform import Platform

HOME = REPOSITORY / "build" / "attacks"
PORT = 4599

QUIET = frozenset({1, 2})
"""The rounds in which nobody attacks; what the others need is made in them."""


@dataclass
class Tally:
    """What came of the attacks so far."""

    standing: defaultdict[Job, set[Finding]] = field(default_factory=lambda: defaultdict(set))
    """The findings of earlier rounds, which every run of a job must find again."""

    made: int = 0
    exact: int = 0
    failures: int = 0
    extra: set[Finding] = field(default_factory=set)
    lost: set[tuple[str, str, str]] = field(default_factory=set)
    found: following.Found = field(default_factory=following.Found)
    astray: int = 0
    """Attacks that a runbook does not lead from to the person and the call."""


def main() -> None:
    """Run the suite on a fresh local AWS and print a row for each attack."""
    wanted = QUIET | set(map(int, sys.argv[1:])) if sys.argv[1:] else None
    started = time.monotonic()
    machine = Machine.from_environment()
    if machine.home == REPOSITORY / "build" / "local":
        # Never on the platform somebody works with: it is reset, and then broken.
        machine = replace(machine, home=HOME, aws_port=PORT)
    platform = Platform(machine)
    platform.reset_aws()
    platform.start_aws()
    try:
        platform.deploy(uploading.uploaders_with_a_role(platform))
        world = World(platform)
        judging.make_tables(world)
        tally = run(world, wanted)
        follow(world, tally, wanted)
    finally:
        platform.stop_aws()
    print(f"\n{time.monotonic() - started:.0f} s")
    sys.exit(report(tally))


def run(world: World, wanted: Container[int] | None = None) -> Tally:
    """Do what honest people do, then every round of the table, or those `wanted`."""
    tally = Tally()
    honest = {
        (world.raw, landed.key, landed.version_id) for deed in DEEDS for landed in deed(world)
    }
    for number, round_ in enumerate(ROUNDS, 1):
        if wanted is not None and number not in wanted:
            continue
        job, outcomes = round_.job, list[tuple[Attack, Outcome]]()
        for step in round_.steps:
            outcomes += [(attack, _outcome(attack, world)) for attack in step]
            if not world.undo:  # else CloudTrail cannot settle, as the attack would have it
                world.settle()
        seen = _JUDGES[job](world)
        print(f"\nround {number}: {job} in {seen.seconds:.0f} s, {len(seen.pages)} pages")
        judge(outcomes, job, seen, tally)
        tally.found.add(outcomes, seen.rows)
        if job is not Job.PAGES:
            tally.lost |= honest - seen.verified
    return tally


def follow(world: World, tally: Tally, wanted: Container[int] | None = None) -> None:
    """Follow the runbooks of what was found, and print whether they end at who did it."""
    started, followed = time.monotonic(), list[following.Followed]()
    for each in following.follow(world, tally.found):
        followed.append(each)
        tally.astray += bool(each.trouble)
        verdicts = ", ".join(each.verdicts)
        told = f"{each.story} ({verdicts}): {each.trouble or 'leads to who did it'}"
        print(f"  {'ASTRAY' if each.trouble else 'led':6} {told}", flush=True)
    walks = sum(len(each.verdicts) for each in followed)
    print(f"\n{walks} runbooks followed in {time.monotonic() - started:.0f} s")
    if wanted is None:
        for verdict in sorted(following.unwalked(followed)):
            tally.astray += 1
            print(f"  ASTRAY no runbook of {verdict} was followed")


_JUDGES = {
    Job.RECONCILE: judging.reconcile,
    Job.AUDIT: judging.audit,
    Job.PAGES: operators.told,
}


def _outcome(attack: Attack, world: World) -> Outcome:
    found = attack.act(world)
    return found if isinstance(found, Outcome) else Outcome(tuple(found), tuple(found))


def judge(outcomes: list[tuple[Attack, Outcome]], job: Job, seen: Seen, tally: Tally) -> None:
    """Hold what one run of a job found against what it had to find."""
    pages = set(seen.pages)  # the same finding pages once, however many rows tell it
    standing = tally.standing[job]
    claimed = {finding for _, outcome in outcomes for finding in outcome.next} | seen.changed
    for attack, outcome in outcomes:
        missing = set(outcome.next) - pages
        tally.made += 1
        tally.failures += bool(missing)
        tally.exact += not missing
        _row("MISSED" if missing else "exact", attack, outcome)
        for finding in sorted(missing, key=repr):
            print(f"         not found: {finding}")
    for finding in sorted(standing - pages, key=repr):
        tally.failures += 1
        print(f"  LOST   a finding of an earlier round: {finding}")
    for finding in sorted(seen.changed - pages, key=repr):
        tally.failures += 1
        print(f"  MISSED a control that was changed: {finding}")
    for finding in sorted(pages - claimed - standing, key=repr):
        tally.extra.add(finding)
        print(f"  EXTRA  {finding}")
    for _, outcome in outcomes:
        standing.update(outcome.later)
        tally.standing[Job.RECONCILE].update(outcome.reconciled)
        tally.standing[Job.AUDIT].update(outcome.audited)


def _row(result: str, attack: Attack, outcome: Outcome) -> None:
    verdicts = ", ".join(finding.verdict for finding in outcome.next) or "nothing"
    print(f"  {result:6} {attack.by:12} {attack.story}: {verdicts}")


def report(tally: Tally) -> int:
    """Print what stays open, and the sum; returns the exit code."""
    for key in sorted(tally.lost):
        print(f"honest, but not VERIFIED: {key}")
    print(f"missed: {tally.failures}")
    print(
        f"attacks: {tally.made}, detected exactly: {tally.exact}, extra pages: {len(tally.extra)}"
    )
    print(f"runbooks that lead astray: {tally.astray}")
    return int(bool(tally.failures or tally.extra or tally.lost or tally.astray))


if __name__ == "__main__":
    main()
