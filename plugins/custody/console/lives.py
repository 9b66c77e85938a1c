"""One object's life, gathered: by the very code that `custody` runs, of the evidence about data and
not of the data.

What it costs is bounded: versions, statements and publications are counted.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from custody.aws.publications.keeping import publications_of
from custody.aws.s3.listing import StoredVersion, versions_of
from custody.console.lineages import MOST_STATEMENTS, Lineages, read_stated
from custody.core.console.objects.asked import Place, places
from custody.core.console.objects.life import Entry, Life, StoredThen, findings_about, judge_of
from custody.core.console.objects.onward import Onward, day_of, made_from
from custody.core.console.overview import Overview
from custody.core.ledger.stored_records import undisplaced_key
from custody.core.lineage.model import HashedObject
from custody.core.lineage.tracing import TracedRun, is_made, trace
from custody.core.publications.model import Publication
from custody.core.records.model import LandingRecord
from custody.reading.deployment import Deployment
from custody.reading.errors import CannotCheck
from custody.reading.gathering import Known, known_of

MOST_VERSIONS: Final = 2000
"""Of one object, so many versions and delete markers are listed."""

MOST_PUBLICATIONS: Final = 50
"""Of one day of a dataset, so many are read, the latest first."""


class NoSuchObject(Exception):
    """Nothing is known of what was asked for; the text says of what."""


@dataclass(frozen=True, slots=True)
class Looked:
    """Where an object was found, what S3 has of it, the latest first, and the version that is
    meant."""

    place: Place
    every: Sequence[StoredVersion]
    found: StoredVersion


def look_up(deployment: Deployment, typed: str, version_id: str) -> Looked:
    """The object that somebody typed: the version of that id, the one that a delete marker of it
    hides, by default the latest that holds bytes.

    Raises `NotAsked`, `NoSuchObject`, or what botocore raises.
    """
    place, every = _stored(deployment, typed)
    found = _one(every, version_id)
    if found is None:
        named = f" {version_id}" if version_id else ""
        raise NoSuchObject(f"S3 has no version{named} of {place.uri} that holds bytes")
    return Looked(place, every, found)


def life_of(
    deployment: Deployment, typed: str, version_id: str, overview: Overview, lineages: Lineages
) -> Life:
    """What is known of the object that somebody typed, without reading its bytes.

    What S3 does not have any more is known by what a run found. Raises `NotAsked`, `NoSuchObject`,
    `CannotCheck`, or what botocore raises.
    """
    place, every = _stored(deployment, typed)
    found = _one(every, version_id) or _found_only(place, version_id, overview)
    if found is None:
        named = f" {version_id}" if version_id else ""
        raise NoSuchObject(
            f"S3 has no version{named} of {place.uri}, and no run of these days found anything "
            "about it"
        )
    looked = Looked(place, every, found)
    return whole_life(deployment, looked, known_of(deployment, found), overview, lineages)


def whole_life(
    deployment: Deployment, looked: Looked, known: Known, overview: Overview, lineages: Lineages
) -> Life:
    """The life of a version of which its records are `known`; raises as `life_of` does."""
    found, every, version = looked.found, looked.every, looked.found.version
    day = lineages.of(deployment, day_of(version.key, found.last_modified))
    onward, back = made_from([version], day.lineages), _back(deployment, known)
    stored = [_then(each) for each in every[:MOST_VERSIONS]]
    mine = next((each for each in stored if each.version_id == version.version_id), None)
    others = {each.version_id for each in stored if not each.is_delete_marker}
    record = known.checked.record
    return Life(
        place=looked.place,
        version=version,
        stored=mine,
        later=_after(stored, mine),
        versions=stored,
        is_cut=len(every) > MOST_VERSIONS,
        checked=known.checked,
        entry=_entry(deployment, known),
        back=back,
        onward=onward,
        publications=_publications(deployment, back, onward),
        unread=day.unread,
        findings=findings_about(overview, version, others - {version.version_id}),
        judge=judge_of(overview, record.claim.event.time if record else found.last_modified),
        audit=overview.audit,
    )


def _stored(deployment: Deployment, typed: str) -> tuple[Place, list[StoredVersion]]:
    """The place that has something, else the first that might, and what S3 has there, the latest
    first."""
    settings = deployment.settings
    buckets = (
        settings.raw_bucket,
        settings.processed_bucket,
        settings.analytics_bucket,
        settings.provenance_bucket,
    )
    asked = places(typed, buckets)
    for place in asked:
        listed = versions_of(deployment.s3, place.bucket, place.key)
        if every := list(itertools.islice(listed, MOST_VERSIONS + 1)):
            # Of one time the later is listed first, versions and markers apart.
            every.sort(key=lambda each: (each.is_latest, each.last_modified), reverse=True)
            return place, every
    return asked[0], []


def _one(every: Sequence[StoredVersion], version_id: str) -> StoredVersion | None:
    """The version of that id, by default the latest; the one that it hides, of a delete marker."""
    named = itertools.dropwhile(lambda each: version_id not in ("", each.version.version_id), every)
    first = next(named, None)
    if first is None or not first.is_delete_marker:
        return first
    return next((each for each in named if not each.is_delete_marker), None)


def _found_only(place: Place, version_id: str, overview: Overview) -> StoredVersion | None:
    """What S3 does not have any more, as a run found it."""
    for each in overview.findings.values():
        row = each.finding
        if (row.bucket, row.object_key) == (place.bucket, place.key) and version_id in (
            "",
            row.version_id,
        ):
            return StoredVersion(row.object_version, row.event_time, is_latest=False)
    return None


def _then(each: StoredVersion) -> StoredThen:
    return StoredThen(
        each.version.version_id,
        each.last_modified,
        each.size,
        each.is_latest,
        each.is_delete_marker,
    )


def _after(stored: Sequence[StoredThen], mine: StoredThen | None) -> StoredThen | None:
    """What came to the object next after a version."""
    if mine is None:
        return None
    place = stored.index(mine)
    return stored[place - 1] if place else None


def _back(deployment: Deployment, known: Known) -> TracedRun | None:
    """What made a version, by the hash in its record; None if no run did, or no record says."""
    version, record = known.stored.version, known.checked.record
    if not is_made(version.key) or record is None or not isinstance(record.claim, LandingRecord):
        return None
    bucket, reads = deployment.provenance_bucket, itertools.count(1)

    def read(key: str) -> bytes | None:
        if next(reads) > MOST_STATEMENTS:
            raise CannotCheck(
                f"more than {MOST_STATEMENTS} statements are behind {version.uri}: custody trace "
                "has no limit"
            )
        return read_stated(deployment, bucket, key)

    made = HashedObject(version, record.claim.sha256)
    return trace(made, read, deployment.keys.lineage)


def _entry(deployment: Deployment, known: Known) -> Entry | None:
    """The entry of the record that is believed."""
    record = known.checked.record
    raws = {kept.envelope.stored.key: kept.raw for kept in known.kept}
    if record is None or record.key not in raws:
        return None
    sealed = deployment.sealed.at([undisplaced_key(record.key)])
    index = next((each.index for each in sealed if each.entry.key == record.key), None)
    return None if index is None else Entry(index, deployment.sealed.state.checkpoint.size)


def _publications(
    deployment: Deployment,
    back: TracedRun | None,
    onward: Sequence[Onward],
) -> list[Publication]:
    """Those that show what a run behind the version, or after it, made."""
    lineages = [each.lineage for run in onward for each in run.walk()]
    if back is not None and back.lineage is not None:
        lineages.append(back.lineage)
    runs = {each.run.id for each in lineages}
    days = {(each.parameters.get("dataset", ""), each.run.dt) for each in lineages}
    bucket = deployment.settings.analytics_bucket
    return [
        replace(one, shown=shown)
        for dataset, dt in sorted(days)
        if dataset
        for one in publications_of(deployment.s3, bucket, dataset, dt, most=MOST_PUBLICATIONS)
        if (shown := tuple(each for each in one.shown if each.run in runs))
    ]
