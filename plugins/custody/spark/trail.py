"""What the trail's log files tell, brought together on Spark."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pyspark import SparkContext
from pyspark.rdd import RDD

from custody.aws.records.evidence import LogToRead, read_log_file
from custody.core.ledger.attribution import attribute, calls_of, concerns
from custody.core.ledger.policy import Policy
from custody.core.trail.events import TrailEvent, merge
from custody.core.trail.log_files import LogContent
from custody.core.trail.management_events import ManagementEvent

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

# A log file is one request: enough of them in a slice to be worth a task.
_FILES_PER_SLICE = 64


@dataclass(frozen=True, slots=True)
class Told:
    """What log files tell, each thing once and by whoever is behind it: the management ``calls``
    about the platform, and the writes and removals (``events``, persisted)."""

    calls: Sequence[ManagementEvent]
    events: RDD[TrailEvent]


def read_logs(
    context: SparkContext, files: Sequence[LogToRead], s3_client: Callable[[], S3Client]
) -> RDD[LogContent]:
    """What each log file tells, read on the workers and persisted."""
    slices = max(1, len(files) // _FILES_PER_SLICE)
    return (
        context.parallelize(files, slices)
        .mapPartitions(lambda some: _contents(some, s3_client))
        .persist()
    )


def _contents(
    files: Iterable[LogToRead], s3_client: Callable[[], S3Client]
) -> Iterator[LogContent]:
    s3 = s3_client()
    for file in files:
        yield read_log_file(s3, file)


def told_by(logs: RDD[LogContent], policy: Policy) -> Told:
    """What ``logs`` tell; the calls come to the driver.

    They are few: a session is taken once an hour, and the rest hardly ever happens.
    """
    about_us = logs.flatMap(lambda content: content.calls).filter(
        lambda call: concerns(call, policy)
    )
    calls, sessions = calls_of(about_us.collect(), policy)
    taken = logs.context.broadcast(sessions)
    events = (
        logs.flatMap(lambda content: ((event.event_id, event) for event in content.events))
        .groupByKey()
        .map(lambda deliveries: attribute(merge(deliveries[1]), taken.value))
        .persist()
    )
    return Told(calls, events)


def latest(
    events: RDD[TrailEvent], touched: Iterable[tuple[str, str]]
) -> dict[tuple[str, str], TrailEvent]:
    """The last event about each of these objects (bucket and key) that a digest vouches for."""
    wanted = frozenset(touched)
    if not wanted:
        return {}
    found: dict[tuple[str, str], TrailEvent] = dict(
        events.filter(lambda event: event.proven)
        .map(lambda event: ((event.bucket, event.key), event))
        .filter(lambda pair: pair[0] in wanted)
        .reduceByKey(_later)
        .collect()
    )
    return found


def _later(one: TrailEvent, other: TrailEvent) -> TrailEvent:
    return max(one, other, key=lambda event: (event.time, event.event_id))
