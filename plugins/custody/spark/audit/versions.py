"""Comparing every version that a bucket holds, or should hold, with its records."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import timedelta
from typing import TYPE_CHECKING

from pyspark.rdd import RDD

from custody.aws.records.reading import read_stored
from custody.aws.s3.at_rest import read_back
from custody.aws.s3.listing import StoredVersion
from custody.core.ledger.kinds.at_rest import (
    HeldVersion,
    ObjectAtRest,
    RecordedVersion,
    Removers,
    identity_of,
    is_in_sample,
    recorded_version,
    row_of_reading,
    rows_at_rest,
)
from custody.core.ledger.kinds.keys import KeyAway, key_row
from custody.core.ledger.kinds.sweep import SweptVersion
from custody.core.ledger.policy import Policy
from custody.core.ledger.rows import LedgerRow
from custody.core.records.checking import TrustedKey
from custody.core.records.names import record_id
from custody.core.trail.events import TrailEvent
from custody.core.trail.management_events import LifecycleSet, ManagementEvent
from custody.objects import ObjectVersion

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

WithRecords = tuple[
    str, tuple[Iterable[HeldVersion], Iterable[StoredVersion], Iterable[SweptVersion]]
]
"""The identity of a version, the versions held under it, the stored records of it, and what
earlier sweeps know of it."""


def with_records(
    held: RDD[HeldVersion], records: RDD[StoredVersion], swept: RDD[SweptVersion]
) -> RDD[WithRecords]:
    """Each version that is held, recorded or known to a sweep, with its records; kept in memory.

    `records` are the stored objects under the keys of records.
    """
    joined: RDD[WithRecords] = (
        held.filter(lambda version: not version.is_marker)
        .map(lambda version: (version.identity, version))
        .groupWith(
            records.flatMap(
                lambda stored: (
                    [(found, stored)] if (found := identity_of(stored.version.key)) else []
                )
            ),
            swept.map(lambda one: (record_id(one.version), one)),
        )
    )
    return joined.persist()


def missing_versions(
    joined: RDD[WithRecords], keys: Mapping[str, TrustedKey], s3_client: Callable[[], S3Client]
) -> RDD[RecordedVersion]:
    """What is recorded, or was swept, and is not held any more; kept in memory."""
    return (
        joined.filter(lambda pair: not _any(pair[1][0]))
        .mapPartitions(lambda pairs: known_versions(pairs, keys, s3_client))
        .values()
        .persist()
    )


def at_rest(
    joined: RDD[WithRecords],
    missing: RDD[RecordedVersion],
    markers: RDD[HeldVersion],
    removers: Mapping[str, Removers],
    policy: Policy,
    noncurrent: timedelta,
) -> RDD[LedgerRow]:
    """The rows of everything the buckets hold, the delete `markers` too, and of what is `missing`
    of everything recorded or swept.

    `removers` are the events that may have removed something, by bucket.
    """
    known = joined.context.broadcast(dict(removers))
    named = missing.keyBy(lambda gone: _name(gone.version)).filter(
        lambda pair: pair[0][0] in policy.layers
    )
    standing = joined.flatMap(
        lambda pair: [
            (_name(version.version), (version, _any(pair[1][1]))) for version in pair[1][0]
        ]
    ).union(markers.map(lambda marker: (_name(marker.version), (marker, True))))
    return standing.cogroup(named).flatMap(
        lambda pair: rows_at_rest(
            _object(pair[0], *pair[1]), known.value.get(pair[0][0], Removers()), policy, noncurrent
        )
    )


def sampled(
    joined: RDD[WithRecords],
    keys: Mapping[str, TrustedKey],
    policy: Policy,
    sample_days: int,
    s3_client: Callable[[], S3Client],
) -> RDD[LedgerRow]:
    """The rows of the bytes of the day's sample, which are read on the workers, with clients of
    `s3_client`."""
    context, day = joined.context, policy.as_of.date()
    return (
        joined.filter(lambda pair: _any(pair[1][0]) and (_any(pair[1][1]) or _any(pair[1][2])))
        .filter(lambda pair: is_in_sample(pair[0], day, sample_days))
        # Spread anew: a few large objects must not wait for each other.
        .repartition(context.defaultParallelism * 4)
        .mapPartitions(lambda pairs: known_versions(pairs, keys, s3_client))
        .mapPartitions(lambda pairs: read_versions(pairs, policy, s3_client))
    )


def with_keys_away(rows: RDD[LedgerRow], away: Iterable[KeyAway], policy: Policy) -> RDD[LedgerRow]:
    """The rows, and those of the keys of the deployment's own that are `away`. A key has one: each
    version under it, that was to be read or sealed, gives the same."""
    return rows.union(
        rows.context.parallelize([key_row(key, policy, time=policy.as_of) for key in away], 1)
    ).distinct()


def _name(version: ObjectVersion) -> tuple[str, str]:
    """The name of the object that it is a version of."""
    return version.bucket, version.key


def _any(some: Iterable[object]) -> bool:
    return next(iter(some), None) is not None


def _object(
    name: tuple[str, str],
    standing: Iterable[tuple[HeldVersion, bool]],
    missing: Iterable[RecordedVersion],
) -> ObjectAtRest:
    held = list(standing)
    return ObjectAtRest(
        bucket=name[0],
        key=name[1],
        held=tuple(version for version, _ in held),
        unrecorded=frozenset(
            version.version.version_id for version, recorded in held if not recorded
        ),
        missing=tuple(missing),
    )


def known_versions(
    pairs: Iterable[WithRecords], keys: Mapping[str, TrustedKey], s3_client: Callable[[], S3Client]
) -> Iterator[tuple[str, RecordedVersion]]:
    """What the records of each version say, of those that have a record to be believed; of one
    without, what a sweep knows."""
    s3 = s3_client()
    for identity, (_, stored, swept) in pairs:
        found = recorded_version(read_stored(s3, stored, keys), identity)
        if found is None:
            found = next((one.as_recorded for one in swept), None)
        if found is not None:
            yield identity, found


def read_versions(
    pairs: Iterable[tuple[str, RecordedVersion]], policy: Policy, s3_client: Callable[[], S3Client]
) -> Iterator[LedgerRow]:
    """The row of each version's bytes."""
    s3, own_keys = s3_client(), policy.named.get("key", frozenset())
    for _, recorded in pairs:
        if recorded.sha256s:
            reading = read_back(s3, recorded.version, own_keys=own_keys)
            row = row_of_reading(recorded, reading, policy)
            if row is not None:
                yield row


def by_bucket(
    removals: Iterable[TrailEvent], calls: Iterable[ManagementEvent]
) -> dict[str, Removers]:
    """What may have removed versions, by bucket."""
    removed = defaultdict[str, list[TrailEvent]](list)
    rules = defaultdict[str, list[ManagementEvent]](list)
    for event in removals:
        removed[event.bucket].append(event)
    for call in calls:
        if isinstance(call.about, LifecycleSet):
            rules[call.about.bucket].append(call)
    return {
        bucket: Removers(tuple(removed[bucket]), tuple(rules[bucket]))
        for bucket in {*removed, *rules}
    }
