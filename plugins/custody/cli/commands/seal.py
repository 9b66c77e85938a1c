"""`custody seal`: whether the transparency log is whole, and still the one it was."""

from __future__ import annotations

import argparse
from pathlib import Path

from custody.cli.arguments import Commands, add_deployment, deployment, new_command
from custody.cli.errors import CannotCheck
from custody.cli.output import Output
from custody.cli.reading.deployment import Deployment, read_file
from custody.cli.reading.files import replace_file
from custody.cli.reading.sources import seal_files, seal_history
from custody.core.seal.check import check_seal


def add_command(commands: Commands) -> None:
    """Register the command with its arguments."""
    parser = new_command(
        commands,
        "seal",
        _run,
        about="check that the transparency log is whole and what it was",
        well="the log is whole, and begins with what the remembered head says",
        wrong="it is not; what is wrong, is on standard output",
    )
    add_deployment(parser)
    parser.add_argument("--head", type=Path, help="file that remembers the last good checkpoint")
    parser.add_argument(
        "--everything", action="store_true", help="read all of it, not only what is new"
    )


def _run(args: argparse.Namespace, output: Output) -> bool:
    return check(deployment(args, output), args.head, output, everything=args.everything)


def check(deployment: Deployment, head: Path | None, output: Output, *, everything: bool) -> bool:
    """Check the seal against the head that the file `head` remembers, and remember the new one.

    The file is left as it is if anything is wrong. Raises `CannotCheck` before the first audit:
    there is no log to check.
    """
    remembered = read_file(head, "the remembered head") if head and head.exists() else None
    found = check_seal(
        seal_files(deployment.source, deployment.provenance_bucket),
        seal_history(deployment.source, deployment.provenance_bucket),
        origin=deployment.origin,
        keys=deployment.keys.seal,
        remembered=remembered,
        everything=everything,
    )
    if found.nothing_sealed:
        raise CannotCheck(
            f"{deployment.origin}: nothing is sealed yet; custody_audit seals at its first run"
        )
    for defect in found.defects:
        output.document(
            {
                "kind": "finding",
                "problem": defect.kind.name,
                "path": defect.path,
                "reason": defect.reason,
            }
        )
    output.table(
        ("problem", "file", "why"),
        [(d.kind.name, d.path, f"{d.kind.value}: {d.reason}") for d in found.defects],
    )
    size = found.checkpoint.size if found.checkpoint else None
    root = found.checkpoint.root.hex() if found.checkpoint else None
    output.document(
        {
            "kind": "summary",
            "origin": deployment.origin,
            "size": size,
            "root": root,
            "compared": remembered is not None,
            "findings": len(found.defects),
        }
    )
    if found.head is None:
        output.line(f"{deployment.origin}: {len(found.defects)} findings", "bold red")
        return False
    if head is not None:
        replace_file(head, found.head)
    past = "consistent with the remembered head" if remembered else "no head was remembered"
    output.line(f"{deployment.origin}: whole, {size} entries, root {root}; {past}", "green")
    return True
