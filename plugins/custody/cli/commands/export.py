"""`custody export`: a case, one file by which an outsider checks an object version without us."""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

from custody.aws.s3.listing import StoredVersion
from custody.cli.arguments import (
    Commands,
    add_deployment,
    add_no_trail,
    add_object,
    add_target,
    deployment,
    new_command,
)
from custody.cli.output import Output
from custody.reading.archive import write_archive
from custody.reading.deployment import Deployment
from custody.reading.files import whole_file
from custody.reading.gathering import gather
from custody.reading.locations import Location
from custody.reading.packing import pack
from custody.reading.sources import one_version


def add_command(commands: Commands) -> None:
    """Register the command with its arguments."""
    parser = new_command(
        commands,
        "export",
        _run,
        about="write a case that an outsider can check without us",
        well="the case is written, and all that is behind it is well",
        wrong="the case is written, and something behind it is wrong; what, is on standard output",
    )
    add_deployment(parser)
    add_object(parser, "s3://bucket/key")
    add_target(parser, "the case, a zip file")
    add_no_trail(parser)
    parser.add_argument(
        "--with-bytes", action="store_true", help="put the object itself into it, too"
    )


def _run(args: argparse.Namespace, output: Output) -> bool:
    stage = deployment(args, output)
    stored = one_version(stage.source, Location.parse(args.uri), args.version_id)
    return export(
        stage,
        stored,
        args.output,
        output,
        with_trail=not args.no_trail,
        with_bytes=args.with_bytes,
    )


def export(
    deployment: Deployment,
    stored: StoredVersion,
    target: Path,
    output: Output,
    *,
    with_trail: bool,
    with_bytes: bool,
) -> bool:
    """Write the case of a stored version; whether all that is in it is well.

    What is wrong goes into it, too: it is the evidence.
    """
    gathered = gather(deployment, stored, output, with_trail=with_trail)
    with tempfile.TemporaryDirectory() as scratch:
        content = _fetch(deployment, stored, Path(scratch)) if with_bytes else None
        members = pack(deployment, gathered, content)
        with whole_file(target) as file:
            write_archive(file, members)
    size = target.stat().st_size
    output.document(
        {"kind": "case", "file": str(target), "bytes": size, "members": len(members),
         "well": gathered.well}
    )  # fmt: skip
    output.line(
        f"{target}: {len(members)} members, {size} bytes",
        "green" if gathered.well else "bold red",
    )
    for finding in gathered.findings:
        output.document({"kind": "finding", "reason": finding})
        output.line(f"something in it is wrong: {finding}", "bold red")
    return gathered.well


def _fetch(deployment: Deployment, stored: StoredVersion, scratch: Path) -> Path:
    path = scratch / "content"
    with path.open("wb") as file:
        for chunk in deployment.source.chunks(stored.version):
            file.write(chunk)
    return path
