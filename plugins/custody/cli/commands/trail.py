"""`custody trail`: the chain of CloudTrail's digests, and every log file they name."""

from __future__ import annotations

import argparse
from datetime import datetime
from pathlib import Path

from custody.aws.trail.validation import validate_trail
from custody.cli.arguments import Commands, add_deployment, deployment, new_command, time
from custody.cli.errors import CannotCheck
from custody.cli.output import Output
from custody.cli.reading.deployment import Deployment, now, read_file
from custody.cli.reading.files import replace_file
from custody.core.formats.timestamps import format_utc
from custody.core.formats.untrusted import MalformedInput
from custody.core.trail.defects import TrailDefect
from custody.core.trail.report import Head, TrailReport


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
        "--head", type=Path, help="file that remembers up to where everything is proven"
    )


def _run(args: argparse.Namespace, output: Output) -> bool:
    if args.copy and not args.as_of:
        raise CannotCheck("when was the copy begun? Give --as-of, such as 2026-11-01T06:00:00Z")
    return check(
        deployment(args), output, as_of=args.as_of or now(), since=args.since, head=args.head
    )


def check(
    deployment: Deployment,
    output: Output,
    *,
    as_of: datetime,
    since: datetime | None,
    head: Path | None,
) -> bool:
    """Prove the trail from the head that the file `head` remembers, or from `since`.

    The head moves on as far as everything is proven, also if something behind it is wrong.
    """
    known = _read_head(head, deployment)
    if deployment.is_copy:
        output.remark("a copy does not say whether logging is still on: ask CloudTrail, too")
    digests, logs, defects = 0, 0, list[TrailDefect]()
    last: TrailReport | None = None
    reports = validate_trail(
        deployment.source.trail(deployment.layout.bucket),
        deployment.layout,
        deployment.digest_keys(),
        state=deployment.trail_state(),
        as_of=as_of,
        head=known,
        since=since,
        pace=deployment.pace,
    )
    for report in output.progress(reports, lambda report: report.tip.key if report.tip else ""):
        digests += report.digests_verified
        logs += len(report.logs_verified)
        defects += report.defects
        for defect in report.defects:
            output.document({"kind": "finding", **_describe(defect)})
        if head is not None and report.head is not None:
            replace_file(head, report.head.to_json().encode() + b"\n")
        last = report
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
    proven = last.head if last else None
    output.document(
        {
            "kind": "summary",
            "digests": digests,
            "logs": logs,
            "findings": len(defects),
            "proven_until": format_utc(proven.end) if proven else None,
        }
    )
    until = f"proven until {format_utc(proven.end)}" if proven else "nothing proven"
    output.line(
        f"{digests} digests and {logs} log files verified, {len(defects)} findings; {until}",
        "bold red" if defects else "green",
    )
    return not defects


def _read_head(path: Path | None, deployment: Deployment) -> Head | None:
    if path is None or not path.exists():
        return None
    try:
        head = Head.from_json(read_file(path, "the remembered head"))
    except MalformedInput as error:
        raise CannotCheck(f"{path}: {error}; it is no head that custody trail wrote") from error
    layout = deployment.layout
    if head.bucket != layout.bucket or layout.digest_name(head.key) is None:
        raise CannotCheck(f"{path} remembers another trail, s3://{head.bucket}/{head.key}")
    return head


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
