"""Runs that expire, in the buckets: stated, held against the publications, and hidden."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from functools import cache
from typing import TYPE_CHECKING, Final

from custody.aws.lineage.keeping import reader
from custody.aws.s3.errors import ObjectAbsent, ObjectWithheld
from custody.aws.s3.listing import (
    KeyRange,
    StoredVersion,
    list_folders,
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
    Removable,
    RunAtRest,
    as_signed,
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
    folder_of,
    parse,
    place_of,
)
from custody.core.tlog.signed_note import NoteKey
from custody.objects import ObjectVersion

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

log = logging.getLogger(__name__)

Held = tuple[StoredExpiry, str | None]
"""An object among the statements, and what the publications object to it."""

_AT_ONCE: Final = 16

_LOOKS_BACK: Final = timedelta(days=31)
"""How old a statement may be that something is removed by: what is older was done."""


def published_datasets(s3: S3Client, bucket: str) -> list[str]:
    """The datasets under which anything is published, or was hidden; raises what botocore raises.

    Whoever may publish may invent one.
    """
    return list(list_folders(s3, bucket, PUBLICATION_PREFIX))


def day_at_rest(s3: S3Client, bucket: str, datasets: Iterable[str], dt: str) -> DayAtRest:
    """The publications of a day, of all `datasets`, hidden ones too; raises `ObjectAbsent`,
    `ObjectWithheld`, or what botocore raises."""
    found, keys = [], []
    for dataset in datasets:
        for stored in list_versions(s3, bucket, folder_of(dataset, dt)):
            key = stored.version.key
            keys.append((key, stored.is_delete_marker))
            if stored.is_delete_marker or place_of(key) is None:
                continue
            body = read_version(s3, stored.version, max_bytes=MAX_PUBLICATION_BYTES)
            try:
                found.append((parse(body, key), stored.last_modified, stored.is_latest))
            except MalformedInput:
                continue  # readers do not follow it either
    return DayAtRest(publications_at_rest(found), lost_publications(keys))


def is_stated(s3: S3Client, provenance: str, run: Run) -> bool:
    """Whether anybody, the key or not, says that a run expires; raises what botocore raises."""
    return any(key == expiry_key(run) for key in list_keys(s3, provenance, expiry_key(run)))


def signed_alone(
    s3: S3Client, provenance: str, trust: Trust, lying: Collection[ObjectVersion]
) -> Callable[[Publication], Publication]:
    """Leaves of a publication what a run signed that `trust` believes, and is `lying` there."""
    read = reader(s3, provenance)

    @cache
    def lineage(run: Run) -> Lineage | None:
        try:
            return lineage_of_run(run, read, trust)
        except (BadLineage, NoLineage, ObjectWithheld):
            return None

    return lambda publication: as_signed(publication, lineage, lying)


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
    published and `signed`.

    The publications are read right before. Raises what botocore raises.
    """
    stated, datasets = [], cache(lambda: published_datasets(s3, analytics))
    for run in runs:
        try:
            day = day_at_rest(s3, analytics, datasets(), run.run.dt)
        except (ObjectAbsent, ObjectWithheld) as error:
            log.warning("run %s of %s stays for now: %s", run.run.id, run.run.dt, error)
            continue
        expiry = expiry_of(run, day, now(), retention, signed)
        if expiry is not None and put_if_absent(s3, provenance, expiry.key, sign(expiry)):
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
    datasets = published_datasets(s3, analytics)
    day = cache(lambda dt: day_at_rest(s3, analytics, datasets, dt))

    def held(one: StoredVersion) -> Held | None:
        try:
            raw = read_version(s3, one.version, max_bytes=MAX_ENVELOPE_BYTES)
        except (ObjectAbsent, ObjectWithheld):
            return None  # that is told elsewhere
        read = read_expiry(raw, key, one.version, one.last_modified)
        expiry = read.expiry
        if expiry is None:
            return read, None
        try:
            deployed = retention if one.last_modified >= since else SHORTEST
            return read, objection(expiry, day(expiry.run.dt), deployed)
        except (ObjectAbsent, ObjectWithheld) as error:
            return read, f"what was published of {expiry.run.dt} cannot be read ({error})"

    with ThreadPoolExecutor(_AT_ONCE) as pool:
        return [found for found in pool.map(held, stored) if found is not None]


def removable(held: Iterable[Held]) -> dict[Run, Removable]:
    """The runs that may be removed, by the statements that nothing is objected to."""
    found: dict[Run, Removable] = {}
    for read, why_not in sorted(held, key=lambda one: one[0].stored_at, reverse=True):
        if read.expiry is not None and why_not is None:
            found[read.expiry.run] = Removable(read.expiry, read.stored_at + OBJECTION)
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
            if one.since > now:
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
