"""The trail's log files on Spark: their events and calls, each once and attributed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

import boto3
from pyspark import SparkContext, StorageLevel
from pyspark.rdd import RDD

from custody.aws.trail.log_reading import LogRead, LogToRead, read_log_file
from custody.aws.trail.proof import TrailClients
from custody.aws.trail.store import S3TrailStore
from custody.core.ledger.attribution import attribute, calls_of, may_concern
from custody.core.ledger.policy import Policy
from custody.core.ledger.stored_records import is_note_write, noted_late
from custody.core.trail.defects import TrailDefect
from custody.core.trail.events import TrailEvent, merge
from custody.core.trail.log_files import LogContent
from custody.core.trail.management_events import ManagementEvent
from custody.settings import Settings
from custody.spark.startup import CLIENTS, s3_client

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

Object = tuple[str, str]
"""An object, by its bucket and key."""

# A log file is one request: enough of them in a slice to be worth a task.
_FILES_PER_SLICE = 64


@dataclass(frozen=True, slots=True)
class TrailContents:
    """What log files hold, each event once and attributed to whoever is behind it: the management
    `calls` about the platform, and the writes and removals (`events`, persisted)."""

    calls: Sequence[ManagementEvent]
    events: RDD[TrailEvent]


def trail_clients(settings: Settings) -> TrailClients:
    """The clients that prove a deployment's trail, with the job's own credentials."""
    return TrailClients(
        s3=s3_client(),
        ec2=boto3.client("ec2", region_name=settings.region, config=CLIENTS),
        cloudtrail=lambda region: boto3.client("cloudtrail", region_name=region, config=CLIENTS),
    )


def read_logs(
    context: SparkContext, files: Sequence[LogToRead], s3_client: Callable[[], S3Client]
) -> RDD[LogRead]:
    """What came of each log file: checked and read on the workers in one fetch, and persisted, on
    disk where memory is short."""
    slices = max(1, len(files) // _FILES_PER_SLICE)
    return (
        context.parallelize(files, slices)
        .mapPartitions(lambda some: _read(some, s3_client))
        .persist(StorageLevel.MEMORY_AND_DISK)
    )


def _read(files: Iterable[LogToRead], s3_client: Callable[[], S3Client]) -> Iterator[LogRead]:
    s3 = s3_client()
    for file in files:
        yield read_log_file(S3TrailStore(s3, file.bucket), file)


def contents_of(logs: RDD[LogRead]) -> RDD[LogContent]:
    """What the log files hold, of those that were to be read and could be."""
    return logs.flatMap(lambda log: [] if log.content is None else [log.content])


def broken_logs(logs: RDD[LogRead]) -> list[TrailDefect]:
    """What is wrong with the log files."""
    return logs.flatMap(lambda log: [] if log.defect is None else [log.defect]).collect()


def trail_contents(logs: RDD[LogContent], policy: Policy) -> TrailContents:
    """The events and calls in `logs`; the calls are collected on the driver.

    They are few: a role is assumed once an hour, and the rest hardly ever happens.
    """
    about_us = logs.flatMap(lambda content: content.calls).filter(
        lambda call: may_concern(call, policy)
    )
    calls, sessions = calls_of(about_us.collect(), policy)
    taken = logs.context.broadcast(sessions)
    events = (
        logs.flatMap(lambda content: ((event.event_id, event) for event in content.events))
        .groupByKey()
        .map(lambda deliveries: attribute(merge(deliveries[1]), taken.value))
        .persist()
    )
    return TrailContents(calls, events)


def by_object(events: RDD[TrailEvent]) -> RDD[tuple[Object, TrailEvent]]:
    """The events that name an object, each under its bucket and key."""
    return events.flatMap(
        lambda event: [] if event.key is None else [((event.bucket, event.key), event)]
    )


def late_records(
    events: RDD[TrailEvent], notes: Mapping[str, datetime], policy: Policy
) -> frozenset[str]:
    """The ids of the records that the recorder has noted as late, as `noted_late` tells; few, while
    it works. `notes` lie in the provenance bucket."""
    writes = events.filter(lambda event: is_note_write(event, policy)).collect()
    return noted_late(writes, notes, policy)


def latest(events: RDD[TrailEvent], objects: Iterable[Object]) -> dict[Object, TrailEvent]:
    """The last event about each of these objects that a digest proves."""
    wanted = frozenset(objects)
    if not wanted:
        return {}
    return dict(
        by_object(events.filter(lambda event: event.proven))
        .filter(lambda pair: pair[0] in wanted)
        .reduceByKey(_later)
        .collect()
    )


def _later(one: TrailEvent, other: TrailEvent) -> TrailEvent:
    return max(one, other, key=lambda event: (event.time, event.event_id))
