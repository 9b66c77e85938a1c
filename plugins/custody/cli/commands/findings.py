"""`custody findings`: what stands, and answering it: taking it on, or closing it with a reason."""

from __future__ import annotations

import argparse
from datetime import datetime, timedelta
from typing import Final

import boto3

from custody.aws.answers.keeping import AnswerConflict
from custody.cli.arguments import Commands, add_deployment, deployment, new_command, up_to
from custody.cli.consoles import read_overview
from custody.cli.output import Output
from custody.console.reading import MAX_DAYS
from custody.core.answers.model import LONGEST, Answer, Kind
from custody.core.console.overview import Overview
from custody.core.console.standing import Standing
from custody.core.formats.timestamps import format_utc
from custody.reading.deployment import now
from custody.reading.errors import CannotCheck

_SHORTEST: Final = 8
"""Characters of a fingerprint that must be given."""

_KINDS: Final = {"ack": Kind.ACKNOWLEDGED, "close": Kind.CLOSED}


def add_command(commands: Commands) -> None:
    """Register the command with its arguments."""
    parser = new_command(
        commands,
        "findings",
        _run,
        about="list the findings that stand; take one on for some days (ack), or close one that is "
        "explained: that signs an answer in your name, and keeps it",
        well="the answer is kept; or nothing is listed that nobody has taken on or closed",
        wrong="something is listed that nobody has taken on or closed",
    )
    add_deployment(parser)
    parser.add_argument("action", choices=("list", *_KINDS), help="what to do")
    parser.add_argument(
        "finding",
        nargs="?",
        default="",
        help=f"which to answer: its fingerprint, or its first {_SHORTEST} or more characters",
    )
    parser.add_argument("--reason", default="", help="why; everybody is told")
    parser.add_argument(
        "--days",
        type=up_to(LONGEST.days),
        default=1,
        metavar="N",
        help=f"for how many days to take it on; {LONGEST.days} at most (default: 1)",
    )


def _run(args: argparse.Namespace, output: Output) -> bool:
    run = _list if args.action == "list" else _answer
    return run(args, output)


def _list(args: argparse.Namespace, output: Output) -> bool:
    overview, _ = read_overview(deployment(args, output), MAX_DAYS, answers=True)
    rows = []
    for each in overview.standing:
        taken = overview.taken(each)
        beside = [other.finding.fingerprint for other in overview.led_to(each)]
        answer, row = taken.answer, each.finding
        output.document(
            {
                "kind": "finding",
                "fingerprint": row.fingerprint,
                "verdict": row.verdict,
                "object": f"s3://{row.bucket}/{row.object_key}",
                "principal": row.principal_arn,
                "since": format_utc(each.since),
                "state": taken.state.value,
                "by": answer.who if answer else None,
                "reason": answer.reason if answer else None,
                "until": format_utc(answer.until) if answer and answer.until else None,
                "beside": beside,
            }
        )
        rows.append(
            (
                row.fingerprint[:16],
                row.verdict,
                f"s3://{row.bucket}/{row.object_key}",
                row.principal_arn or "nobody can be named",
                taken.state.value,
                answer.who if answer else "",
                ", ".join(name[:16] for name in beside),
            )
        )
    output.table(("finding", "verdict", "what", "who", "state", "answered by", "beside"), rows)
    return all(overview.taken(each).holds for each in overview.standing)


def _answer(args: argparse.Namespace, output: Output) -> bool:
    overview, console = read_overview(deployment(args, output), MAX_DAYS, answers=True)
    standing = _named(overview, args.finding)
    kind, at = _KINDS[args.action], _whole(now())
    try:
        answer = Answer(
            finding=standing.finding.fingerprint,
            kind=kind,
            by=boto3.client("sts", region_name=console.settings.region).get_caller_identity()[
                "Arn"
            ],
            reason=args.reason,
            at=at,
            until=at + timedelta(days=args.days) if kind is Kind.ACKNOWLEDGED else None,
        )
        console.answer(answer)
    except (AnswerConflict, ValueError) as error:
        raise CannotCheck(str(error)) from error
    output.document({"kind": "summary", "answer": answer.kind.value, "key": answer.key})
    until = f" until {format_utc(answer.until)}" if answer.until else ""
    output.line(f"{answer.finding} is {answer.kind.value}{until} by {answer.by}", "green")
    return True


def _named(overview: Overview, beginning: str) -> Standing:
    """The finding that stands and begins so; raises `CannotCheck` unless it is one."""
    found = [each for each in overview.standing if each.finding.fingerprint.startswith(beginning)]
    if len(beginning) < _SHORTEST or len(found) != 1:
        raise CannotCheck(
            f"{len(found)} findings that stand begin with {beginning!r}: `custody findings list` "
            f"names them; give {_SHORTEST} characters or more"
        )
    return found[0]


def _whole(time: datetime) -> datetime:
    return time.replace(microsecond=time.microsecond // 1000 * 1000)
