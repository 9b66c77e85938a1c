"""`custody seal`: whether the transparency log is whole, and still the one it was."""

from __future__ import annotations

import argparse
from pathlib import Path

from custody.cli.arguments import (
    Commands,
    add_cosigning_policy,
    add_deployment,
    deployment,
    new_command,
)
from custody.cli.cosigners import show
from custody.cli.output import Output
from custody.core.seal.check import check_seal
from custody.core.tlog.policy import CosigningPolicy
from custody.core.tlog.quorum import cosigned
from custody.reading.deployment import Deployment, now, read_file, read_policy
from custody.reading.errors import CannotCheck
from custody.reading.files import replace_file
from custody.reading.sources import seal_files, seal_history


def add_command(commands: Commands) -> None:
    """Register the command with its arguments."""
    parser = new_command(
        commands,
        "seal",
        _run,
        about="check that the transparency log is whole, what it was, and cosigned",
        well="the log is whole, begins with what the remembered head says, and is cosigned as the "
        "policy asks",
        wrong="it is not; what is wrong, is on standard output",
    )
    add_deployment(parser)
    parser.add_argument("--head", type=Path, help="file that remembers the last good checkpoint")
    add_cosigning_policy(parser, "without it the one that the deployment's settings name")
    parser.add_argument(
        "--everything", action="store_true", help="read all of it, not only what is new"
    )


def _run(args: argparse.Namespace, output: Output) -> bool:
    policy = read_policy(args.policy) if args.policy else None
    return check(deployment(args, output), args.head, policy, output, everything=args.everything)


def check(
    deployment: Deployment,
    head: Path | None,
    policy: CosigningPolicy | None,
    output: Output,
    *,
    everything: bool,
) -> bool:
    """Check the seal against the head that the file `head` remembers, and remember the new one.

    It must be cosigned as `policy` asks, or else as the deployment's own does. The file is left as
    it is if anything is wrong. Raises `CannotCheck` before the first audit: there is no log to
    check.
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
    if policy is None:
        policy = deployment.cosigning_policy
        said = "no policy: whether others are shown another log cannot be told"
        if policy is not None:
            said = "who must cosign is what the account's settings say now"
        output.remark(f"{said} (--policy)")
    is_cosigned = None
    if policy is not None and found.head is not None:
        problem = show(cosigned(found.head, policy, now()), deployment.origin, output)
        is_cosigned = problem is None
        if problem is not None:
            output.document({"kind": "finding", "problem": "UNCOSIGNED", "reason": problem})
            output.line(f"{deployment.origin}: {problem}", "bold red")
    size = found.checkpoint.size if found.checkpoint else None
    root = found.checkpoint.root.hex() if found.checkpoint else None
    output.document(
        {
            "kind": "summary",
            "origin": deployment.origin,
            "size": size,
            "root": root,
            "compared": remembered is not None,
            "cosigned": is_cosigned,
            "findings": len(found.defects) + (is_cosigned is False),
        }
    )
    if found.head is None:
        output.line(f"{deployment.origin}: {len(found.defects)} findings", "bold red")
        return False
    if is_cosigned is False:
        return False
    if head is not None:
        replace_file(head, found.head)
    past = "consistent with the remembered head" if remembered else "no head was remembered"
    output.line(f"{deployment.origin}: whole, {size} entries, root {root}; {past}", "green")
    return True
