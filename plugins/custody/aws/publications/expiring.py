"""Runs that expire, in the buckets: stated, held against the publications, and hidden."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from functools import cache
from typing import TYPE_CHECKING, Final

from custody.aws.lineage.keeping import reader
from custody.aws.s3.errors import ObjectAbsent, ObjectWithheld
from custody.aws.s3.listing import (
    KeyRange,
    StoredVersion,
    list_keys,
    list_versions,
    stored_versions,
)
from custody.aws.s3.reading import read_version
from custody.aws.s3.write_once import put_if_absent
from custody.core.formats.dsse import MAX_ENVELOPE_BYTES
from custody.core.formats.untrusted import MalformedInput
from custody.core.lineage.model import Lineage, Run
from custody.core.lineage.trust import BadLineage, NoLineage, Trust, lineage_of_run
from custody.core.publications.expiry import (
    EXPIRY_PREFIX,
    OBJECTION,
    SHORTEST,
    DayAtRest,
    Expiry,
    Objection,
    Removable,
    RunAtRest,
    as_signed,
    by_location,
    expiry_key,
    expiry_of,
    lost_publications,
    objection,
    publications_at_rest,
)
from custody.core.publications.expiry_statement import StoredExpiry, read_expiry
from custody.core.publications.model import (
    MAX_PUBLICATION_BYTES,
    PUBLICATION_PREFIX,
    Publication,
    parse,
    place_of,
)
from custody.core.tlog.signed_note import NoteKey
from custody.objects import ObjectVersion

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

log = logging.getLogger(__name__)

Held = tuple[StoredExpiry, Objection | None]
"""An object among the statements, and what the publications object to it."""

_AT_ONCE: Final = 16

_LOOKS_BACK: Final = timedelta(days=31)
"""How old a statement may be that something is removed by: what is older was done."""


def days_at_rest(s3: S3Client, bucket: str, days: Collection[str]) -> dict[str, DayAtRest]:
    """The publications of these days, of every dataset, hidden ones too; raises what botocore
    raises.

    All are listed at once: whoever may publish may invent datasets without end.
    """
    stored: dict[str, list[StoredVersion]] = {day: [] for day in days}
    for one in list_versions(s3, bucket, PUBLICATION_PREFIX) if days else ():
        place = place_of(one.version.key)
        if place is not None and place[1] in stored:
            stored[place[1]].append(one)
    versions = [one for some in stored.values() for one in some if not one.is_delete_marker]
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        read = dict(zip(versions, pool.map(lambda one: _published(s3, one), versions), strict=True))
    return {day: _day_at_rest(some, read) for day, some in stored.items()}


def _published(s3: S3Client, stored: StoredVersion) -> Publication | Objection | None:
    """None for what is no publication: readers do not follow it either."""
    key = stored.version.key
    try:
        return parse(read_version(s3, stored.version, max_bytes=MAX_PUBLICATION_BYTES), key)
    except MalformedInput:
        return None
    except (ObjectAbsent, ObjectWithheld) as error:
        return Objection(f"{key} cannot be read ({error})", stored.last_modified)


def _day_at_rest(
    stored: Sequence[StoredVersion], read: Mapping[StoredVersion, Publication | Objection | None]
) -> DayAtRest:
    found = [(read.get(one), one) for one in stored]
    return DayAtRest(
        publications_at_rest(
            (published, one.last_modified, one.is_latest)
            for published, one in found
            if isinstance(published, Publication)
        ),
        (
            *lost_publications(
                (one.version.key, one.is_delete_marker, one.last_modified) for one in stored
            ),
            *(each for each, _ in found if isinstance(each, Objection)),
        ),
    )


def is_stated(s3: S3Client, provenance: str, run: Run) -> bool:
    """Whether anybody, the key or not, says that a run expires; raises what botocore raises."""
    return any(key == expiry_key(run) for key in list_keys(s3, provenance, expiry_key(run)))


def signed_alone(
    s3: S3Client, provenance: str, trust: Trust, lying: Collection[ObjectVersion]
) -> Callable[[Publication], Publication]:
    """Leaves of a publication what a run signed that `trust` believes, and is `lying` there."""
    read, there = reader(s3, provenance), by_location(lying)

    @cache
    def lineage(run: Run) -> Lineage | None:
        try:
            return lineage_of_run(run, read, trust)
        except (BadLineage, NoLineage):
            return None

    return lambda publication: as_signed(publication, lineage, there)


def state_expired(
    s3: S3Client,
    runs: Iterable[RunAtRest],
    signed: Callable[[Publication], Publication],
    *,
    analytics: str,
    provenance: str,
    sign: Callable[[Expiry], bytes],
    retention: timedelta,
    now: Callable[[], datetime],
) -> list[Expiry]:
    """Keep of each of the `runs` that it expires, if it does, as `sign` signs it, by what is
    published and `signed`. One of more tables than a statement has room for (`ValueError`) stays.

    The publications are read right before. Raises what botocore raises.
    """
    stated, runs = [], list(runs)
    days = days_at_rest(s3, analytics, {run.run.dt for run in runs})
    for run in runs:
        expiry = expiry_of(run, days[run.run.dt], now(), retention, signed)
        if expiry is None:
            continue
        try:
            body = sign(expiry)
        except ValueError as error:
            log.warning("run %s of %s stays: %s", run.run.id, run.run.dt, error)
            continue
        if put_if_absent(s3, provenance, expiry.key, body):
            stated.append(expiry)
    return stated


def held_against(
    s3: S3Client,
    stored: Iterable[StoredVersion],
    analytics: str,
    key: NoteKey,
    *,
    retention: timedelta,
    since: datetime,
) -> list[Held]:
    """Each statement that can be read, and what the publications object to it; or the `retention`
    that is deployed, to one that was stored `since` then. Raises what botocore raises."""

    def read(one: StoredVersion) -> StoredExpiry | None:
        try:
            raw = read_version(s3, one.version, max_bytes=MAX_ENVELOPE_BYTES)
        except (ObjectAbsent, ObjectWithheld):
            return None  # that is told elsewhere
        return read_expiry(raw, key, one.version, one.last_modified)

    with ThreadPoolExecutor(_AT_ONCE) as pool:
        found = [each for each in pool.map(read, stored) if each is not None]
    days = days_at_rest(s3, analytics, {each.expiry.run.dt for each in found if each.expiry})

    def objects(each: StoredExpiry) -> Objection | None:
        if each.expiry is None:
            return None
        deployed = retention if each.stored_at >= since else SHORTEST
        return objection(each.expiry, days[each.expiry.run.dt], deployed)

    return [(each, objects(each)) for each in found]


def removable(held: Iterable[Held]) -> dict[Run, Removable]:
    """The runs that may be removed, or might have been until a publication objected."""
    found: dict[Run, Removable] = {}
    for read, why_not in sorted(held, key=lambda one: one[0].stored_at, reverse=True):
        since, until = read.stored_at + OBJECTION, why_not.since if why_not else None
        if read.expiry is not None and (until is None or since < until):
            found[read.expiry.run] = Removable(read.expiry, since, until)
    return found


def statements_of(s3: S3Client, provenance: str, runs: Iterable[Run]) -> Iterator[StoredVersion]:
    """What lies, or lay, where it is stated that these runs expire."""
    for run in runs:
        yield from stored_versions(s3, provenance, KeyRange(expiry_key(run)))


def remove_expired(
    s3: S3Client,
    *,
    analytics: str,
    provenance: str,
    key: NoteKey,
    retention: timedelta,
    now: datetime,
) -> tuple[dict[Run, int], list[str]]:
    """Hide what lies of each run that may be removed by now; how many objects of each were hidden,
    and why others are left alone.

    Doing it again goes on where it was stopped. Object by object: each call names what it hid, and
    none deletes a version. Raises what botocore raises.
    """
    since = now - _LOOKS_BACK
    recent = [
        stored
        for stored in stored_versions(s3, provenance, KeyRange(EXPIRY_PREFIX))
        if stored.is_latest and stored.last_modified >= since
    ]
    held = held_against(s3, recent, analytics, key, retention=retention, since=since)
    left = [
        f"{read.version}: {why_not or read.trouble}"
        for read, why_not in held
        if why_not or read.expiry is None
    ]
    hidden = {}
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        for run, one in removable(held).items():
            if one.since > now or one.until is not None:
                continue
            lying = [found for location in one.expiry.locations for found in _lying(s3, location)]
            if any(written_at > one.expiry.written_before for _, _, written_at in lying):
                left.append(f"{expiry_key(run)}: something of the run was written in the retention")
                continue
            list(pool.map(lambda at: s3.delete_object(Bucket=at[0], Key=at[1]), lying))
            if lying:
                hidden[run] = len(lying)
    return hidden, left


def _lying(s3: S3Client, location: str) -> Iterator[tuple[str, str, datetime]]:
    """Bucket and key of each object at an S3 URI, and when it was written."""
    bucket, _, prefix = location.removeprefix("s3://").partition("/")
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix):
        for item in page.get("Contents", ()):
            yield bucket, item["Key"], item["LastModified"]
