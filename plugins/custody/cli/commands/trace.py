"""`custody trace`: from a file of silver or gold to the bytes that landed, and who sent them."""

from __future__ import annotations

import argparse
from collections.abc import Collection

from rich.tree import Tree

from custody.aws.s3.listing import StoredVersion
from custody.cli.arguments import (
    Commands,
    add_deployment,
    add_no_trail,
    add_object,
    deployment,
    new_command,
)
from custody.cli.commands.verify import describe
from custody.cli.output import Output, branch, print_gaps
from custody.core.case.gaps import Gap
from custody.core.case.object_check import Outcome
from custody.core.formats.timestamps import format_utc
from custody.core.lineage.model import HashedObject, Lineage, statement_key
from custody.core.lineage.tracing import TracedRun
from custody.reading.deployment import Deployment
from custody.reading.gathering import Gathered, Known, gather
from custody.reading.locations import Location
from custody.reading.sources import one_version


def add_command(commands: Commands) -> None:
    """Register the command with its arguments."""
    parser = new_command(
        commands,
        "trace",
        _run,
        about="follow a file back to the bytes that landed and who sent them",
        well="every step is signed, every version agrees with its record and is in the trail",
        wrong="something does not agree; what, is on standard output",
    )
    add_deployment(parser, Gap.BYTES)
    add_object(parser, "s3://bucket/key of silver, gold or bronze")
    add_no_trail(parser)


def _run(args: argparse.Namespace, output: Output) -> bool:
    stage = deployment(args, output)
    stored = one_version(stage.source, Location.parse(args.uri), args.version_id)
    return trace(stage, stored, output, with_trail=not args.no_trail, waived=args.waive)


def trace(
    deployment: Deployment,
    stored: StoredVersion,
    output: Output,
    *,
    with_trail: bool,
    waived: Collection[Gap],
) -> bool:
    """Show where an object version comes from; whether all of that is well."""
    gathered = gather(deployment, stored, output, with_trail=with_trail)
    subject = gathered.subject
    output.document({"kind": "object", **describe(subject.checked)})
    tree = Tree(branch(f"{stored.version.uri} version {stored.version.version_id}", "bold"))
    _add_known(tree, subject, gathered)
    if gathered.run is not None:
        _add_run(tree, gathered.run, gathered)
        for run in gathered.run.walk():
            output.document({"kind": "run", **_describe_run(run)})
    for known in gathered.landed.values():
        output.document({"kind": "landed", **describe(known.checked)})
    for known in gathered.made.values():
        output.document({"kind": "made", **describe(known.checked)})
    for finding in gathered.findings:
        output.document({"kind": "finding", "reason": finding})
    output.document({"kind": "summary", "well": gathered.well, "landed": len(gathered.landed)})
    output.tree(tree)
    for trouble in gathered.troubles:
        output.line(trouble, "bold red")
    complete = print_gaps(gathered.gaps, waived, output)
    output.line(*_verdict(gathered))
    return complete and gathered.well


def _verdict(gathered: Gathered) -> tuple[str, str]:
    count = len(gathered.landed) if gathered.run else 1
    if gathered.well:
        return f"traced to {count} object versions that landed; everything agrees", "green"
    return "not everything agrees: see above", "bold red"


def _add_run(tree: Tree, run: TracedRun, gathered: Gathered) -> None:
    node = tree.add(branch(f"made by run {run.run.id} of {run.run.dt}", "cyan"))
    for trouble in run.troubles:
        node.add(branch(trouble, "bold red"))
    if run.lineage is not None:
        node.add(branch(f"lineage {statement_key(run.run)}"))
        _add_lineage(node, run.lineage)
    for source in run.sources:
        read = node.add(branch(f"read {len(source.outputs)} files of another run", "bold"))
        for output in source.outputs:
            made = read.add(branch(str(output)))
            _add_known(made, gathered.made[output], gathered)
        _add_run(read, source, gathered)
    for item in run.landed:
        landed = node.add(branch(f"read {item.version.uri}", "bold"))
        landed.add(branch(f"version {item.version.version_id}"))
        landed.add(branch(f"sha256 {item.sha256}"))
        _add_known(landed, gathered.landed[item], gathered)


def _add_lineage(node: Tree, lineage: Lineage) -> None:
    node.add(branch(f"by {lineage.builder_id}, from {format_utc(lineage.started_on)} "
                    f"to {format_utc(lineage.finished_on)}"))  # fmt: skip
    for material in lineage.materials:
        name = " ".join(filter(None, (material.name, material.version)))
        node.add(branch(f"with {name} sha256 {material.sha256}"))


def _add_known(node: Tree, known: Known, gathered: Gathered) -> None:
    checked, good = known.checked, known.checked.outcome is Outcome.OK
    node.add(branch(f"{checked.outcome}: {checked.reason}", "green" if good else "bold red"))
    if checked.record is not None:
        event = checked.record.claim.event
        node.add(branch(f"record {checked.record.key}, signed with {checked.record.key_id}"))
        node.add(branch(f"written by {event.principal_id} from {event.source_ip} at "
                        f"{format_utc(event.time)}, says S3"))  # fmt: skip
    if checked.write is not None:
        write, at = checked.write, format_utc(checked.write.time)
        node.add(branch(f"written by {write.who.arn} from {write.source_ip} at {at}, says "
                        f"CloudTrail (event {write.event_id})"))  # fmt: skip
    elif gathered.evidence is not None:
        node.add(branch("CloudTrail shows no event of this write", "bold red"))


def _describe_run(run: TracedRun) -> dict[str, object]:
    lineage = run.lineage
    return {
        "run": run.run.id,
        "dt": run.run.dt,
        "lineage": statement_key(run.run),
        "builder": lineage.builder_id if lineage else None,
        "outputs": [_describe_object(item) for item in run.outputs],
        "sources": [source.run.id for source in run.sources],
        "landed": [_describe_object(item) for item in run.landed],
        "troubles": list(run.troubles),
    }


def _describe_object(item: HashedObject) -> dict[str, str]:
    return {
        "bucket": item.version.bucket,
        "key": item.version.key,
        "version_id": item.version.version_id,
        "sha256": item.sha256,
    }
