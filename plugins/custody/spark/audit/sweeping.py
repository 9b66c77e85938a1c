"""Hashing the versions that no record tells of, so that nobody can say later what they were."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError
from pyspark.rdd import RDD

from custody.aws.records.reading import read_stored
from custody.aws.s3.at_rest import read_back
from custody.aws.s3.errors import answer_of, is_refused
from custody.core.ledger.kinds.at_rest import HeldVersion, Reading, is_overdue, recorded_version
from custody.core.ledger.kinds.keys import KeyAway
from custody.core.ledger.kinds.sweep import (
    Sweep,
    Swept,
    SweptVersion,
    due_tonight,
    swept_so_far,
    with_sweep,
)
from custody.core.ledger.policy import Policy
from custody.core.ledger.rows import LedgerRow
from custody.core.records.checking import TrustedKey
from custody.spark.audit.versions import WithRecords

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

log = logging.getLogger(__name__)


def sweep(
    joined: RDD[WithRecords],
    keys: Mapping[str, TrustedKey],
    policy: Policy,
    s3_client: Callable[[], S3Client],
) -> tuple[Sweep, frozenset[KeyAway]]:
    """Hash what has no record and should have one, as far as one night goes. What is known of such
    versions now, and the keys of the deployment's own for which some could not be read."""
    found = joined.mapPartitions(
        lambda pairs: unexplained(pairs, keys, policy, s3_client)
    ).collect()
    unrecorded = [one for one in found if isinstance(one, HeldVersion)]
    known = {one.version: one for one in found if isinstance(one, SweptVersion)}
    due = due_tonight(unrecorded, known)
    read: list[SweptVersion | KeyAway] = []
    if due:
        context, own_keys = joined.context, policy.named.get("key", frozenset())
        slices = min(len(due), context.defaultParallelism * 4)
        read = (
            context.parallelize(due, slices)
            .mapPartitions(lambda some: hashed(some, own_keys, s3_client))
            .collect()
        )
    tonight = [one for one in read if isinstance(one, SweptVersion)]
    swept = swept_so_far(unrecorded, known, tonight)
    if unrecorded:
        log.warning(
            "%d versions without a record: %d read tonight, %d of which no hash is known",
            len(unrecorded),
            len(tonight),
            swept.left,
        )
    return swept, frozenset(one for one in read if isinstance(one, KeyAway))


def unexplained(
    pairs: Iterable[WithRecords],
    keys: Mapping[str, TrustedKey],
    policy: Policy,
    s3_client: Callable[[], S3Client],
) -> Iterator[HeldVersion | SweptVersion]:
    """The versions that are held without any record and should have one; and what is known of each
    that has none to be believed: what else lies in a record's place ends no memory."""
    s3 = s3_client()
    for identity, (held, records, swept) in pairs:
        stored, known = list(records), list(swept)
        if not stored:
            yield from (version for version in held if is_overdue(version, policy))
        if known and recorded_version(read_stored(s3, stored, keys), identity) is None:
            yield from known


def with_swept(rows: RDD[LedgerRow], swept: Swept) -> RDD[LedgerRow]:
    """The rows, those of versions without a record with what is known of these."""
    known = rows.context.broadcast(dict(swept))
    return rows.map(lambda row: with_sweep(row, known.value))


def hashed(
    versions: Iterable[HeldVersion], own_keys: Collection[str], s3_client: Callable[[], S3Client]
) -> Iterator[SweptVersion | KeyAway]:
    """The hash of each of the versions, or why it has none; and for one that cannot be read, as a
    key of the deployment's own is away, that too."""
    s3 = s3_client()
    for held in versions:
        reading = _reading(s3, held, own_keys)
        trouble = reading.trouble
        if reading.key_away is not None:
            yield reading.key_away
            trouble = f"the key {reading.key_away.key_id} cannot be used"
        yield SweptVersion(
            held.version,
            held.stored_at,
            swept_at=datetime.now(UTC),
            sha256=reading.sha256,
            size_bytes=reading.size_bytes,
            trouble=trouble,
        )


def _reading(s3: S3Client, held: HeldVersion, own_keys: Collection[str]) -> Reading:
    """Whatever S3 refuses is no reason to give up the others."""
    try:
        return read_back(s3, held.version, own_keys=own_keys)
    except ClientError as error:
        if not is_refused(error):
            raise
        return Reading(None, answer_of(error))
