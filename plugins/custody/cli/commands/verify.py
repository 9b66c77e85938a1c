"""`custody verify`: the bytes of object versions, now, against their signed records."""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Collection, Iterator

from custody.aws.s3.listing import StoredVersion
from custody.cli.arguments import (
    Commands,
    add_deployment,
    add_object,
    deployment,
    new_command,
)
from custody.cli.output import Output, print_gaps
from custody.core.case.gaps import FoundGap, Gap
from custody.core.case.object_check import CheckedVersion, Outcome, check_version
from custody.core.formats.timestamps import format_utc
from custody.reading.deployment import Deployment
from custody.reading.locations import Location
from custody.reading.lookup import records_of, seal_troubles
from custody.reading.sources import named_versions

_COLUMNS = ("outcome", "object", "version", "sha256 recorded", "why")


def add_command(commands: Commands) -> None:
    """Register the command with its arguments."""
    parser = new_command(
        commands,
        "verify",
        _run,
        about="compare object versions with their signed records",
        well="every version has the bytes of its record, which a trusted key signed",
        wrong="a version has no good record, or other bytes; which, is on standard output",
    )
    add_deployment(parser, Gap.SUPERSEDED)
    add_object(
        parser,
        "s3://bucket/key: all versions of an object; s3://bucket/prefix/: of all below it",
    )
    parser.add_argument(
        "--prefix", action="store_true", help="take the name for a prefix, though no slash ends it"
    )


def _run(args: argparse.Namespace, output: Output) -> bool:
    location = Location.parse(args.uri, prefix=args.prefix)
    return verify(deployment(args, output), location, args.version_id, output, waived=args.waive)


def verify(
    deployment: Deployment,
    location: Location,
    version_id: str | None,
    output: Output,
    *,
    waived: Collection[Gap],
) -> bool:
    """Check every version of an object, or of all objects under a prefix; whether all are well.

    Raises `CannotCheck` if there is none.
    """
    counts = Counter[Outcome]()

    def rows() -> Iterator[tuple[object, ...]]:
        found = named_versions(deployment.source, location, version_id)
        for stored in output.progress(found, lambda stored: stored.version.key):
            checked = check_stored(deployment, stored)
            counts[checked.outcome] += 1
            output.document({"kind": "version", **describe(checked)})
            yield (
                checked.outcome,
                checked.version.uri,
                checked.version.version_id,
                describe(checked)["sha256"] or "",
                checked.reason,
            )

    if output.as_json:
        for _ in rows():
            pass
    else:
        output.table(_COLUMNS, rows())
    total = sum(counts.values())
    output.document(
        {"kind": "summary", "versions": total, **{o.value: n for o, n in counts.items()}}
    )
    named = ", ".join(f"{outcome}: {number}" for outcome, number in sorted(counts.items()))
    output.line(f"{total} versions; {named}")
    gaps = _gaps(deployment, location)
    return print_gaps(gaps, waived, output) and counts[Outcome.OK] == total


def _gaps(deployment: Deployment, location: Location) -> list[FoundGap]:
    beyond = deployment.source.out_of_reach(location.bucket, location.key)
    what = f"{beyond} versions, overwritten or deleted, are in the bucket and in no copy"
    return [FoundGap(Gap.SUPERSEDED, what)] if beyond else []


def check_stored(deployment: Deployment, stored: StoredVersion) -> CheckedVersion:
    """One version against its records."""
    kept = records_of(
        deployment.source, deployment.provenance_bucket, stored, deployment.keys.records
    )
    return check_version(
        stored.version,
        envelopes=[each.envelope for each in kept],
        found=deployment.source.hash(stored.version),
        sealed=seal_troubles(deployment.sealed, stored, kept, deployment.keys.records),
        dated=stored.last_modified,
    )


def describe(checked: CheckedVersion) -> dict[str, object]:
    """A checked version for JSON; the uploader is who the record, and who the trail says."""
    claim = checked.record.claim if checked.record else None
    return {
        "bucket": checked.version.bucket,
        "key": checked.version.key,
        "version_id": checked.version.version_id,
        "outcome": checked.outcome.value,
        "reason": checked.reason,
        "sha256": getattr(claim, "sha256", None),
        "sha256_found": checked.found.sha256 if checked.found else None,
        "record": checked.record.key if checked.record else None,
        "key_id": checked.record.key_id if checked.record else None,
        "written_at": format_utc(claim.event.time) if claim else None,
        "uploader": claim.event.principal_id if claim else None,
        "source_ip": claim.event.source_ip if claim else None,
        "request_id": claim.event.request_id if claim else None,
        "principal_arn": checked.write.who.arn if checked.write else None,
        "event_id": checked.write.event_id if checked.write else None,
    }
