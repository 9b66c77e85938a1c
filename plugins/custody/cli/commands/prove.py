"""`custody prove`: that the record of an object version is in the seal."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

from custody.aws.s3.listing import StoredVersion
from custody.cli.arguments import (
    Commands,
    add_deployment,
    add_object,
    add_target,
    deployment,
    new_command,
)
from custody.cli.output import Output
from custody.core.case.object_check import check_version
from custody.core.seal.entries import RecordEntry
from custody.core.seal.layout import SEAL_PREFIX
from custody.core.seal.lookup import prove_entry
from custody.reading.deployment import Deployment
from custody.reading.errors import CannotCheck
from custody.reading.files import replace_file
from custody.reading.locations import Location
from custody.reading.lookup import records_of
from custody.reading.sources import one_version, seal_files


def add_command(commands: Commands) -> None:
    """Register the command with its arguments."""
    parser = new_command(
        commands,
        "prove",
        _run,
        about="write the proof that the record of an object is sealed",
        well="the proof is written",
        wrong="the record is not sealed (yet), or the seal cannot be used",
    )
    add_deployment(parser)
    add_object(parser, "s3://bucket/key")
    add_target(parser, "the proof (https://c2sp.org/tlog-proof)")


def _run(args: argparse.Namespace, output: Output) -> bool:
    stage = deployment(args, output)
    stored = one_version(stage.source, Location.parse(args.uri), args.version_id)
    return prove(stage, stored, args.output, output)


def prove(deployment: Deployment, stored: StoredVersion, target: Path, output: Output) -> bool:
    """Write the proof about the record to believe; whether it is sealed.

    Raises `CannotCheck` if there is no record to believe.
    """
    kept = records_of(
        deployment.source, deployment.provenance_bucket, stored, deployment.keys.records
    )
    checked = check_version(
        stored.version,
        envelopes=[each.envelope for each in kept],
        found=None,
    )
    if checked.record is None or checked.record.trouble is not None:
        raise CannotCheck(
            f"{stored.version.uri} version {stored.version.version_id} has no record to prove: "
            f"{checked.reason}"
        )
    place = checked.record.key
    raw = next(each.raw for each in kept if each.envelope.stored.key == place)
    proof = proof_of(deployment, place, raw)
    if proof is None:
        output.document({"kind": "proof", "record": place, "sealed": False})
        output.line(f"{place} is not sealed (yet): seals are made once a day", "bold red")
        return False
    replace_file(target, proof)
    output.document({"kind": "proof", "record": place, "sealed": True, "file": str(target)})
    output.line(f"{target}: {place} is in {deployment.origin}", "green")
    return True


def proof_of(deployment: Deployment, place: str, envelope: bytes) -> bytes | None:
    """The proof that this place of the provenance bucket had these bytes; None if not sealed."""
    bucket = deployment.provenance_bucket

    def list_files(prefix: str) -> Iterator[str]:
        for stored in deployment.source.versions(bucket, SEAL_PREFIX + prefix):
            yield stored.version.key.removeprefix(SEAL_PREFIX)

    return prove_entry(
        seal_files(deployment.source, bucket),
        list_files,
        RecordEntry(place, sha256(envelope).hexdigest()),
        origin=deployment.origin,
        keys=deployment.keys.seal,
    )
