"""Judging an honest history as the reconciliation does: from what has arrived, run by run."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from tests.support.honest.evidence import History, LogFile, Write
from tests.support.honest.places import START
from tests.support.honest.recorder import trusted
from tests.support.honest.seasons import CALM, Season

from custody.core.ledger.attribution import attribute, calls_of
from custody.core.ledger.causes import with_causes
from custody.core.ledger.hours.windows import Window
from custody.core.ledger.kinds.control_changes import control_rows
from custody.core.ledger.kinds.defects import malformed_record_row
from custody.core.ledger.kinds.lineage import is_statement, rows_of_statements
from custody.core.ledger.kinds.undeclared import batch_rows, catalog_rows, unread_record_rows
from custody.core.ledger.policy import Policy
from custody.core.ledger.rows import LedgerRow
from custody.core.ledger.stored_records import (
    found_records,
    is_early,
    is_notable_write,
    is_note_write,
    is_record_write,
    noted_late,
    stored_late,
)
from custody.core.ledger.verdicts import SETTLED
from custody.core.ledger.versions import histories, rows_of
from custody.core.records.checking import ReadEnvelope, TrustedKey
from custody.core.records.names import day_filed, late_day_prefix
from custody.core.runs.chain import Reached
from custody.core.runs.whole_hours import HOUR, floor_hour
from custody.core.trail.digests.document import LogFile as NamedLogFile
from custody.core.trail.events import TrailEvent, merge
from custody.core.trail.log_files import LogContent
from custody.core.trail.management_events import ManagementEvent
from custody.core.trail.principals import Principal, better_known
from custody.core.trail.span import Span

GRACE: Final = timedelta(minutes=30)
LOOKBACK: Final = 3 * HOUR


def policy_at(now: datetime, season: Season = CALM) -> Policy:
    """The policy of the settings that are deployed then."""
    return season.settings_at(now).policy(as_of=now, grace=GRACE)


def keys_at(now: datetime, season: Season = CALM) -> Mapping[str, TrustedKey]:
    """The keys that are trusted then."""
    return trusted(season.settings_at(now).signing_key_periods)


def judge_all(
    history: History,
    policy: Policy,
    order: random.Random | None = None,
    season: Season = CALM,
) -> list[LedgerRow]:
    """The ledger, from all that has arrived by `policy.as_of`, read in some `order`."""
    at = policy.as_of
    logs = [log for log in history.logs if log.delivered <= at]
    records = [record for record in history.records if record.stored_at <= at]
    if order is not None:
        order.shuffle(logs)
        order.shuffle(records)
    keys = keys_at(at, season)
    return ledger(
        [log.read(proven=log.vouched <= at, order=order) for log in logs],
        [record.read(keys) for record in records],
        policy,
        {key: stored for key, stored in history.notes.items() if stored <= at},
    )


def ledger(
    contents: Iterable[LogContent],
    envelopes: Iterable[ReadEnvelope],
    policy: Policy,
    notes: Mapping[str, datetime],
) -> list[LedgerRow]:
    """The rows of the ledger, as `custody.spark.reconcile.judging.ledger` makes them."""
    deliveries: defaultdict[str, list[TrailEvent]] = defaultdict(list)
    principals: dict[str, Principal] = {}
    told: list[ManagementEvent] = []
    for content in contents:
        assert content.problems == ()
        for event in content.events:
            deliveries[event.event_id].append(event)
        told += content.calls
        for id_, who in content.principals.items():
            principals[id_] = better_known(principals.get(id_, who), who)
    calls, taken = calls_of(told, policy)
    events = [attribute(merge(copies), taken) for copies in deliveries.values()]
    notable = (event for event in events if is_notable_write(event, policy))
    records = found_records(envelopes, notable, policy)
    rows = [malformed_record_row(record, policy) for record in records.malformed]
    for write in records.unread:
        rows += unread_record_rows(write, policy)
    noted = noted_late((event for event in events if is_note_write(event, policy)), notes, policy)
    for found in histories(events, records.records):
        rows += rows_of(found, policy, principals, noted)
    stated = [event for event in events if is_statement(event, policy)]
    rows += rows_of_statements([], stated, policy)  # what they say is well
    for event in events:
        rows += batch_rows(event, policy)
    for call in calls:
        rows += catalog_rows(call, policy)
    controls = list(control_rows(calls, policy))
    changed = [row for row in controls if row.verdict not in SETTLED]
    return [with_causes(row, changed) for row in (*rows, *controls)]


def written(row: LedgerRow) -> Write:
    """What a row tells of a write."""
    assert row.principal_arn is not None
    assert row.sha256 is not None
    assert row.size_bytes is not None
    return Write(
        row.bucket, row.object_key, row.version_id, row.principal_arn, row.sha256, row.size_bytes
    )


def in_order(writes: Iterable[Write]) -> list[str]:
    """The writes, for comparing: none twice, and none too many."""
    return sorted(map(repr, writes))


def judge_window(
    history: History, window: Window, reached: Reached, season: Season = CALM
) -> list[LedgerRow]:
    """The rows of a run that judges a window: it reads what the window needs of what has arrived,
    and judges by what is deployed when it runs."""
    policy = replace(
        policy_at(window.as_of, season),
        delivery=window.delivery,
        recorded=reached.recorded,
        closed=reached.closed,
    )
    keys = keys_at(window.as_of, season)
    stored = [record for record in history.records if record.stored_at <= window.as_of]
    filed = [r.read(keys) for r in stored if day_filed(r.stored.key) in window.record_days]
    late = [envelope.stored_at for envelope in filed if stored_late(envelope)]
    span = window.evidence(max(late, default=None))
    logs = [log for log in history.logs if _is_read(log, span, window.as_of)]
    contents = [log.read(proven=log.vouched <= window.as_of) for log in logs]
    elsewhere = {
        event.key
        for content in contents
        for event in content.events
        if is_record_write(event, policy)
        and not is_early(event, policy)
        and day_filed(event.key or "") not in window.record_days
    }
    named = [record.read(keys) for record in stored if record.stored.key in elsewhere]
    days = tuple(map(late_day_prefix, window.record_days))
    notes = {
        key: stored_at
        for key, stored_at in history.notes.items()
        if stored_at <= window.as_of and key.startswith(days)
    }
    rows = ledger(contents, [*filed, *named], policy, notes)
    return [row for row in rows if window.start <= row.event_time < window.end]


def _is_read(log: LogFile, span: Span, now: datetime) -> bool:
    """Whether a run reads a log file, by what its digest says."""
    times = [datetime.fromisoformat(str(record["eventTime"])) for record in log.records]
    named = NamedLogFile("trail", log.name, "0" * 64, min(times), max(times))
    return span.may_hold(named) and log.delivered <= min(span.delivered_until, now)


@dataclass(frozen=True)
class Run:
    """What one run judged, and how far the runs had come with it."""

    window: Window
    rows: list[LedgerRow]
    reached: Reached


def runs(history: History, hours: int, gaps: Iterable[int], season: Season = CALM) -> Iterator[Run]:
    """The runs along the chain, until the hours from `START` on are closed.

    `gaps` are the hours between them; then they come every six. None comes to an end while KMS is
    away, as it can sign nothing.
    """
    reached, now = Reached.nothing(START), START
    waits = iter(gaps)
    while reached.closed < START + hours * HOUR:
        now += next(waits, 6) * HOUR + timedelta(minutes=35)
        if season.is_kms_away(now):
            continue
        start, end = reached.owed(floor_hour(now - GRACE), LOOKBACK)
        window = Window(start, end, now, GRACE)
        rows = judge_window(history, window, reached, season)
        reached = reached.after(start, end, as_of=now, grace=GRACE)
        yield Run(window, rows, reached)
