"""`custody findings`: what stands, and answering it: taking it on, or closing it with a reason."""

from __future__ import annotations

import argparse
from datetime import datetime, timedelta

import boto3

from custody.aws.answers.keeping import AnswerConflict
from custody.cli.arguments import Commands, add_deployment, deployment, new_command
from custody.cli.errors import CannotCheck
from custody.cli.output import Output
from custody.cli.reading.consoles import read_overview
from custody.cli.reading.deployment import now
from custody.console.reading import MAX_DAYS
from custody.core.answers.model import LONGEST, Answer, Kind
from custody.core.answers.taking import Taken
from custody.core.console.overview import Overview
from custody.core.console.standing import Standing
from custody.core.formats.timestamps import format_utc

_SHORTEST = 8
"""Characters of a fingerprint that must be given."""


def add_command(commands: Commands) -> None:
    """Register the command with its arguments."""
    parser = commands.add_parser(
        "findings",
        help="tell which findings stand, take one on, or close it",
        description="Tell which findings stand, take one on, or close it.",
    )
    actions = parser.add_subparsers(title="actions", metavar="ACTION")
    listing = new_command(
        actions,
        "list",
        _list,
        about="list the findings that stand, and what was answered",
        well="nothing stands that nobody has taken on",
        wrong="something does",
    )
    add_deployment(listing)
    for name, kind, about in (
        ("ack", Kind.ACKNOWLEDGED, "take a finding on for some days"),
        ("close", Kind.CLOSED, "close a finding that is explained"),
    ):
        answering = new_command(
            actions,
            name,
            _answer,
            about=f"{about}: signs an answer in your name, and keeps it",
            well="the answer is kept",
            wrong="never",
        )
        add_deployment(answering)
        answering.set_defaults(kind=kind, term=None)
        answering.add_argument(
            "finding", help=f"its fingerprint, or the first {_SHORTEST} or more characters of it"
        )
        answering.add_argument("--reason", required=True, help="what everybody is told")
        if kind is Kind.ACKNOWLEDGED:
            answering.add_argument(
                "--days",
                dest="term",
                type=int,
                default=1,
                metavar="N",
                help=f"for how many days; {LONGEST.days} at most (default: 1)",
            )


def _list(args: argparse.Namespace, output: Output) -> bool:
    overview, _ = read_overview(deployment(args, output), MAX_DAYS)
    rows = []
    for each in overview.open:
        taken = overview.taken(each)
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
            )
        )
    output.table(("finding", "verdict", "what", "who", "state", "answered by"), rows)
    return all(overview.taken(each).state is not Taken.NOBODY for each in overview.open)


def _answer(args: argparse.Namespace, output: Output) -> bool:
    overview, console = read_overview(deployment(args, output), MAX_DAYS)
    standing = _named(overview, args.finding)
    at = _whole(now())
    try:
        answer = Answer(
            finding=standing.finding.fingerprint,
            kind=args.kind,
            by=boto3.client("sts", region_name=console.settings.region).get_caller_identity()[
                "Arn"
            ],
            reason=args.reason,
            at=at,
            until=None if args.term is None else at + timedelta(days=args.term),
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
    found = [each for each in overview.open if each.finding.fingerprint.startswith(beginning)]
    if len(beginning) < _SHORTEST or len(found) != 1:
        raise CannotCheck(
            f"{len(found)} findings that stand begin with {beginning!r}: `custody findings list` "
            f"names them; give {_SHORTEST} characters or more"
        )
    return found[0]


def _whole(time: datetime) -> datetime:
    return time.replace(microsecond=time.microsecond // 1000 * 1000)
