"""`custody report`: a period, or the life of one object, as one file of HTML, for a ticket."""

from __future__ import annotations

import argparse

from custody.cli.arguments import (
    Commands,
    add_deployment,
    add_no_trail,
    add_target,
    deployment,
    new_command,
    up_to,
)
from custody.cli.consoles import read_answered
from custody.cli.output import Output
from custody.console.lineages import Lineages
from custody.console.lives import NoSuchObject, look_up, whole_life
from custody.console.reading import MAX_DAYS
from custody.console.rendering import object_file, report_file
from custody.core.console.objects.asked import NotAsked
from custody.reading.deployment import Deployment
from custody.reading.errors import CannotCheck
from custody.reading.files import replace_file
from custody.reading.gathering import gather


def add_command(commands: Commands) -> None:
    """Register the command with its arguments."""
    parser = new_command(
        commands,
        "report",
        _run,
        about="write what the runs signed of the last days, or one object's life, to one HTML file",
        well="every hour that the runs owe was judged, nothing stands, and no watcher is late; "
        "of an object, its bytes, record, trail and seal agree, and nothing about it stands",
        wrong="something stands, does not agree, or is not known; the file says what",
    )
    add_deployment(parser)
    parser.add_argument("uri", nargs="?", help="s3://bucket/key, for the life of one object")
    parser.add_argument("--version-id", help="one version of it; else the latest")
    add_no_trail(parser)
    parser.add_argument(
        "--days",
        type=up_to(MAX_DAYS),
        default=7,
        metavar="N",
        help=f"how many days, today the last; {MAX_DAYS} at most (default: 7)",
    )
    add_target(parser, "the report")


def _run(args: argparse.Namespace, output: Output) -> bool:
    stage_of = deployment(args, output)
    if args.uri is not None:
        return _run_of_object(args, stage_of, output)
    overview, console, unanswered = read_answered(stage_of, args.days)
    stage = f"{console.settings.project}-{console.settings.stage}"
    replace_file(args.output, report_file(overview, stage, unanswered).encode("utf-8"))
    stand, beside = len(overview.open), len(overview.belonging)
    found = len(overview.findings) - beside
    output.document(
        {
            "kind": "summary",
            "first": overview.first.isoformat(),
            "findings": found,
            "stand": stand,
            "beside": beside,
            "unanswered": unanswered or None,
            "unread": sum(overview.left_out.values()),
            "late": [each.name for each in overview.watchers if each.is_late(overview.now)],
            "well": overview.is_well,
        }
    )
    said = f"{found} findings since {overview.first}, {stand} stand; beside {beside} causes"
    output.line(f"{args.output}: {said}", "green" if overview.is_well else "bold red")
    return overview.is_well


def _run_of_object(args: argparse.Namespace, stage_of: Deployment, output: Output) -> bool:
    overview, console, _ = read_answered(stage_of, args.days)
    stage = f"{console.settings.project}-{console.settings.stage}"
    try:
        looked = look_up(stage_of, args.uri, args.version_id or "")
    except (NotAsked, NoSuchObject) as error:
        raise CannotCheck(str(error)) from error
    gathered = gather(stage_of, looked.found, output, with_trail=not args.no_trail)
    life = whole_life(stage_of, looked, gathered.subject, overview, Lineages())
    page = object_file(life, overview, args.days, stage, stage_of.settings)
    replace_file(args.output, page.encode("utf-8"))
    well = gathered.well and life.is_well
    output.document(
        {
            "kind": "summary",
            "object": life.version.uri,
            "version_id": life.version.version_id,
            "findings": len(life.findings),
            "stand": sum(each.is_open for each in life.findings),
            "well": well,
        }
    )
    for finding in gathered.findings:
        output.document({"kind": "finding", "reason": finding})
        output.line(finding, "bold red")
    output.line(f"{args.output}: {life.version}", "green" if well else "bold red")
    return well
