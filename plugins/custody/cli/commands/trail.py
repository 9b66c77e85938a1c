"""`custody trail`: the chain of CloudTrail's digests, and every log file they name."""

from __future__ import annotations

import argparse
from datetime import datetime
from pathlib import Path

from custody.aws.trail.checking import Part
from custody.aws.trail.regions import find_regions, validate_regions
from custody.cli.arguments import Commands, add_deployment, deployment, new_command, time
from custody.cli.output import Output
from custody.core.formats.timestamps import format_utc
from custody.core.formats.untrusted import MalformedInput
from custody.core.trail.defects import TrailDefect
from custody.core.trail.heads import Heads
from custody.reading.deployment import Deployment, now, read_file
from custody.reading.errors import CannotCheck
from custody.reading.files import replace_file


def add_command(commands: Commands) -> None:
    """Register the command with its arguments."""
    parser = new_command(
        commands,
        "trail",
        _run,
        about="prove CloudTrail's digests and every log file they name",
        well="everything that was delivered is proven, and nothing is missing",
        wrong="a file is changed, missing or not CloudTrail's; which, is on standard output",
    )
    add_deployment(parser)
    parser.add_argument("--since", type=time, help="prove what was delivered after this time (UTC)")
    parser.add_argument(
        "--as-of", type=time, help="the time of the check: of a copy, when it was begun; else now"
    )
    parser.add_argument(
        "--head", type=Path, help="file that remembers up to where each region is proven"
    )


def _run(args: argparse.Namespace, output: Output) -> bool:
    if args.copy and not args.as_of:
        raise CannotCheck("when was the copy begun? Give --as-of, such as 2026-11-01T06:00:00Z")
    return check(
        deployment(args, output),
        output,
        as_of=args.as_of or now(),
        since=args.since,
        head=args.head,
    )


def check(
    deployment: Deployment,
    output: Output,
    *,
    as_of: datetime,
    since: datetime | None,
    head: Path | None,
) -> bool:
    """Prove the trail in every region, from the heads that the file `head` remembers, or from
    `since`.

    A head moves on as far as everything is proven, also if something behind it is wrong.
    """
    known = _read_heads(head, deployment)
    if deployment.is_copy:
        output.remark("a copy does not say whether logging is still on: ask CloudTrail, too")
    digests, logs, defects = 0, 0, list[TrailDefect]()
    layout, store = deployment.layout, deployment.source.trail(deployment.layout.bucket)
    regions = find_regions(
        store,
        layout,
        remembered=known.by_region,
        enabled=deployment.enabled_regions(),
        awaited=known.awaited,
        as_of=as_of,
    )
    reports = validate_regions(
        store,
        layout,
        deployment.digest_keys,
        regions=regions,
        state=deployment.trail_state(),
        as_of=as_of,
        part_of=lambda region: Part(known.by_region.get(region), since),
        pace=deployment.pace,
    )
    proven = dict(known.by_region)
    for region, report in output.progress(
        reports, lambda step: step[1].tip.key if step[1].tip else step[0]
    ):
        digests += report.digests_verified
        logs += len(report.logs_verified)
        defects += report.defects
        for defect in report.defects:
            output.document({"kind": "finding", **_describe(defect)})
        if report.head is not None:
            proven[region] = report.head
            if head is not None:
                heads = Heads(proven, regions.awaited)
                replace_file(head, heads.to_json().encode() + b"\n")
    if not digests and not defects:
        raise CannotCheck("there is no digest in that time: nothing was checked")
    output.table(
        ("finding", "object", "version", "why"),
        [
            (
                defect.kind.value,
                f"s3://{defect.bucket}/{defect.key}",
                defect.version_id or "",
                defect.reason,
            )
            for defect in defects
        ],
    )
    ends = [proven[region].end for region in regions.chained if region in proven]
    until = min(ends) if len(ends) == len(regions.chained) else None
    output.document(
        {
            "kind": "summary",
            "digests": digests,
            "logs": logs,
            "findings": len(defects),
            "proven_until": format_utc(until) if until else None,
        }
    )
    told = f"proven until {format_utc(until)}" if until else "not every region is proven"
    output.line(
        f"{digests} digests and {logs} log files of {len(regions.chained)} regions verified, "
        f"{len(defects)} findings; {told}",
        "bold red" if defects else "green",
    )
    return not defects


def _read_heads(path: Path | None, deployment: Deployment) -> Heads:
    if path is None or not path.exists():
        return Heads()
    try:
        return Heads.from_json(read_file(path, "the remembered head"), deployment.layout)
    except MalformedInput as error:
        raise CannotCheck(f"{path}: {error}; custody trail wrote no such heads") from error


def _describe(defect: TrailDefect) -> dict[str, object]:
    return {
        "finding": defect.kind.value,
        "bucket": defect.bucket,
        "key": defect.key,
        "version_id": defect.version_id,
        "reason": defect.reason,
        "digest": defect.digest_key,
        "period_start": format_utc(defect.period_start) if defect.period_start else None,
        "period_end": format_utc(defect.period_end) if defect.period_end else None,
    }
