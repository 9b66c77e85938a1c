"""Bringing together what the trail, the records and the lineage say of each object, and judging it.

The rules are those of `custody.core.ledger.versions`.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime
from types import MappingProxyType

from pyspark.rdd import RDD

from custody.core.ledger.attribution import trail_rows
from custody.core.ledger.causes import with_causes
from custody.core.ledger.facts import StoredRecord
from custody.core.ledger.hours.windows import Window
from custody.core.ledger.kinds.at_rest import identity_of
from custody.core.ledger.kinds.control_changes import control_rows, without_known
from custody.core.ledger.kinds.defects import DatedDefect, malformed_record_row
from custody.core.ledger.kinds.keys import KeyAway, key_row
from custody.core.ledger.kinds.lineage import is_statement, rows_of_statements
from custody.core.ledger.kinds.undeclared import batch_rows, catalog_rows, unread_record_rows
from custody.core.ledger.policy import Policy
from custody.core.ledger.rows import LedgerRow
from custody.core.ledger.stored_records import (
    found_records,
    is_early,
    is_notable_write,
    is_record_write,
    undisplaced_key,
)
from custody.core.ledger.verdicts import SETTLED
from custody.core.ledger.versions import ObjectHistory, rows_of
from custody.core.lineage.checking import LineageCheck
from custody.core.lineage.model import Run, run_of
from custody.core.records.checking import ReadEnvelope
from custody.core.records.names import day_filed
from custody.core.trail.events import TrailEvent
from custody.core.trail.log_files import LogContent
from custody.core.trail.principals import Principal, better_known
from custody.objects import UNVERSIONED
from custody.spark.trail import by_object, late_records, latest, trail_contents

StatementCheck = Callable[[RDD[TrailEvent]], RDD[LineageCheck]]
"""Given the writes of lineage statements, what became of each of these."""


def ledger(
    logs: RDD[LogContent],
    envelopes: RDD[ReadEnvelope],
    defects: Sequence[DatedDefect],
    policy: Policy,
    window: Window,
    check_statements: StatementCheck,
    differences: Sequence[LedgerRow] = (),
    notes: Mapping[str, datetime] = MappingProxyType({}),
) -> RDD[LedgerRow]:
    """The ledger's rows of every object in `logs` and `envelopes`, of the lineage statements
    whose writing `logs` hold, of the trail's defects, and of the `differences` to what was
    deployed, as far as no call in `logs` made them. `notes` of late records lie in the provenance
    bucket."""
    defects = [*defects, *_unreadable(logs, policy, window)]
    seen = logs.flatMap(lambda content: content.principals.items()).reduceByKey(better_known)
    principals = logs.context.broadcast(dict(seen.collect()))
    trail = trail_contents(logs, policy)
    events = trail.events
    found = (
        envelopes.map(lambda envelope: (undisplaced_key(envelope.stored.key), envelope))
        .cogroup(
            events.filter(lambda event: is_notable_write(event, policy)).map(
                lambda event: (undisplaced_key(event.key or ""), event)
            )
        )
        .map(lambda pair: found_records(*pair[1], policy))
        .persist()
    )
    records = found.flatMap(
        lambda some: (
            ((record.claim.version.bucket, record.claim.version.key), record)
            for record in some.records
        )
    )
    noted = logs.context.broadcast(late_records(events, notes, policy))
    locked = found.flatMap(lambda some: some.locked).collect()
    ids = logs.context.broadcast(
        frozenset(filter(None, (identity_of(one.stored.key) for one in locked)))
    )
    judged = (
        by_object(events)
        .cogroup(records)
        .flatMap(lambda known: _judged(known, policy, principals.value, noted.value, ids.value))
    )
    statements = events.filter(lambda event: is_statement(event, policy))
    bad_statements = (
        check_statements(statements)
        .map(lambda check: ((check.bucket, check.statement_key), check))
        .cogroup(by_object(statements))
        .flatMap(lambda known: rows_of_statements(known[1][0], known[1][1], policy))
    )
    beside = found.flatMap(
        lambda some: [
            *(malformed_record_row(record, policy) for record in some.malformed),
            *(row for write in some.unread for row in unread_record_rows(write, policy)),
        ]
    )
    touched = latest(events, ((defect.bucket, defect.key) for defect in defects))
    broken = trail_rows(defects, trail.calls, touched, policy)
    changed = [row for call in trail.calls for row in catalog_rows(call, policy)]
    controls = list(control_rows(trail.calls, policy))
    away = _keys_away(locked, policy, window)
    standing = without_known([*differences, *away], controls)
    rows = logs.context.union(
        [
            judged,
            beside,
            bad_statements,
            events.flatMap(lambda event: batch_rows(event, policy)),
            logs.context.parallelize([*broken, *changed, *controls, *standing], 1),
        ]
    )
    proven = logs.context.broadcast([row for row in controls if row.verdict not in SETTLED])
    return rows.map(lambda row: with_causes(row, proven.value))


def _keys_away(
    locked: Iterable[ReadEnvelope], policy: Policy, window: Window
) -> Iterator[LedgerRow]:
    """A row for each key of the deployment's own that is away, however many records lie under
    it."""
    answers = {one.key_away: one.trouble or "" for one in locked if one.key_away is not None}
    for key, answer in sorted(answers.items()):
        yield key_row(KeyAway(key, answer), policy, time=window.last_moment)


def filed_elsewhere(logs: RDD[LogContent], policy: Policy, days: Collection[date]) -> list[str]:
    """The keys of records, filed under none of `days`, that somebody wrote to.

    What the recorder filed under a day that had not come is a finding as it is, and not read.
    """
    return (
        logs.flatMap(lambda content: content.events)
        .filter(lambda event: is_record_write(event, policy) and not is_early(event, policy))
        .map(lambda event: event.key or "")
        .filter(lambda key: day_filed(key) not in days)
        .distinct()
        .collect()
    )


def removed_runs(logs: RDD[LogContent], policy: Policy) -> list[Run]:
    """The runs of which something was removed, by whom that is for."""
    events = logs.flatMap(lambda content: content.events)
    hidden = events.filter(lambda event: event.is_removal and event.who.is_one_of(policy.expirers))
    runs = hidden.map(lambda event: run_of(event.key or "")).distinct().collect()
    return [run for run in runs if run is not None]


def _unreadable(logs: RDD[LogContent], policy: Policy, window: Window) -> list[DatedDefect]:
    """The log files that hold records without CloudTrail's shape."""
    return [
        DatedDefect(
            next(bucket for bucket, layer in policy.layers.items() if layer == "trail"),
            content.log,
            UNVERSIONED,
            window.last_moment,
            f"{len(content.problems)} records of this log file cannot be read; the first: "
            f"{content.problems[0]}.",
        )
        for content in logs.filter(lambda content: bool(content.problems)).collect()
    ]


def _judged(
    known: tuple[tuple[str, str], tuple[Iterable[TrailEvent], Iterable[StoredRecord]]],
    policy: Policy,
    principals: Mapping[str, Principal],
    noted: Collection[str],
    locked: Collection[str],
) -> Iterator[LedgerRow]:
    (bucket, key), (events, records) = known
    history = ObjectHistory(bucket, key, tuple(events), tuple(records))
    return rows_of(history, policy, principals, noted, locked)
