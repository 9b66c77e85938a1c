"""`custody report`: custody of a period as one file of HTML, for a ticket or an archive."""

from __future__ import annotations

import argparse

from custody.cli.arguments import Commands, add_deployment, add_target, deployment, new_command
from custody.cli.consoles import read_overview
from custody.cli.output import Output
from custody.console.reading import MAX_DAYS
from custody.console.rendering import report_file
from custody.reading.files import replace_file


def add_command(commands: Commands) -> None:
    """Register the command with its arguments."""
    parser = new_command(
        commands,
        "report",
        _run,
        about="write what the runs signed of the last days to one file of HTML",
        well="every hour that the runs owe was judged, nothing stands, and no watcher is late",
        wrong="something stands, or is not known; the file says what",
    )
    add_deployment(parser)
    parser.add_argument(
        "--days",
        type=_days,
        default=7,
        metavar="N",
        help=f"how many days, today the last; {MAX_DAYS} at most (default: 7)",
    )
    add_target(parser, "the report")


def _run(args: argparse.Namespace, output: Output) -> bool:
    overview, console = read_overview(deployment(args, output), args.days)
    stage = f"{console.settings.project}-{console.settings.stage}"
    replace_file(args.output, report_file(overview, stage).encode("utf-8"))
    stands = len(overview.open)
    output.document(
        {
            "kind": "summary",
            "first": overview.first.isoformat(),
            "findings": len(overview.findings),
            "stand": stands,
            "unread": sum(overview.left_out.values()),
            "late": [each.name for each in overview.watchers if each.is_late(overview.now)],
            "well": overview.is_well,
        }
    )
    found = f"{len(overview.findings)} findings since {overview.first}, {stands} stand"
    output.line(f"{args.output}: {found}", "green" if overview.is_well else "bold red")
    return overview.is_well


def _days(text: str) -> int:
    """The type of `--days`; raises argparse's error."""
    if not (text.isascii() and text.isdigit() and 1 <= int(text) <= MAX_DAYS):
        raise argparse.ArgumentTypeError(f"{text!r} must be a number from 1 to {MAX_DAYS}")
    return int(text)
