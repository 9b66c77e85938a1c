"""`custody keys`: a deployment and its public keys, to be kept away from it."""

from __future__ import annotations

import argparse
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import rsa

from custody.aws.trail.state import KeysRefused
from custody.cli.arguments import (
    Commands,
    add_deployment,
    add_target,
    new_command,
    time,
)
from custody.cli.errors import Contradiction
from custody.cli.output import Output
from custody.core.case.key_ring import KeyRing
from custody.core.case.renewal import renew
from custody.reading.deployment import Deployment, now, read_keys
from custody.reading.files import replace_file


def add_command(commands: Commands) -> None:
    """Register the command with its arguments."""
    parser = new_command(
        commands,
        "keys",
        _run,
        about="write down a deployment and its public keys",
        well="the keys are written; which of them are new, is on standard output",
        wrong="they contradict those that were trusted before; nothing is written",
    )
    add_deployment(parser)
    add_target(parser, "the keys")
    parser.add_argument(
        "--since", type=time, help="CloudTrail's keys from this time on; else of the last 30 days"
    )


def _run(args: argparse.Namespace, output: Output) -> bool:
    until = now()
    since = args.since or until - timedelta(days=30)
    before = read_keys(args.keys) if args.keys else None
    current = Deployment(args.settings, copy=None, keys=None)
    return fetch(current, before, args.output, output, since=since, until=until)


def fetch(
    deployment: Deployment,
    before: KeyRing | None,
    target: Path,
    output: Output,
    *,
    since: datetime,
    until: datetime,
) -> bool:
    """Write the keys that KMS and CloudTrail publish now, and print what they are known by.

    Those that were trusted `before` stay. Nothing is written if what is published contradicts them.
    CloudTrail has keys of its own in every region.
    """
    ring, published = deployment.keys, dict[str, rsa.RSAPublicKey]()
    for region in sorted(deployment.enabled_regions() or {deployment.layout.home_region}):
        try:
            published |= deployment.digest_keys(region)(since, until)
        except KeysRefused as refused:
            output.remark(f"CloudTrail does not hand out its keys of {region}: {refused}")
    keys, troubles = renew(before or KeyRing(), replace(ring, cloudtrail=published))
    if troubles:
        raise Contradiction(troubles)
    replace_file(target, keys.to_json())
    known = set(before.names()) if before else set()
    for name in keys.names():
        output.document(
            {"kind": "key", "signs": name.signs, "key_id": name.key_id, "sha256": name.sha256}
            | ({"new": name not in known} if before else {})
        )
    output.table(
        ("signs", "sha256 of the public key", "key", ""),
        [
            (name.signs, name.sha256, name.key_id, "new" if before and name not in known else "")
            for name in keys.names()
        ],
    )
    return True
