"""Rows of what no record tells of, by somebody who is not declared to do it: writes where nobody
hashes what lies, removals that name no object, changes of the Glue catalog."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from custody.core.ledger import reasons
from custody.core.ledger.controls import is_deployment
from custody.core.ledger.policy import Policy
from custody.core.ledger.rows import (
    CATALOG,
    CONTROL,
    LedgerRow,
    fingerprint,
    named_by_request,
    row_of_call,
    row_of_request,
)
from custody.core.ledger.verdicts import Verdict
from custody.core.records.names import is_filed_early
from custody.core.trail.events import TrailEvent
from custody.core.trail.management_events import CatalogChanged, ManagementEvent
from custody.core.trail.principals import Call
from custody.objects import UNVERSIONED, ObjectVersion

_CLEARED: Final = frozenset({"silver", "gold"})
"""Layers whose writers clear their working files, with calls that name none of them."""


def unhashed_write_rows(event: TrailEvent, policy: Policy) -> Iterator[LedgerRow]:
    """The row of a write where nobody hashes what lies, by somebody who is no declared writer:
    beside the records, among code and query results, in any other bucket of the deployment.

    What others write into the trail is found by proving the trail.
    """
    if (
        not event.is_write
        or event.key is None
        or not policy.has_bucket(event.bucket)
        or policy.layers.get(event.bucket) == "trail"
    ):
        return
    place, writers = policy.writers_beside(event.bucket, event.key)
    if event.who.is_one_of(writers) or event.who.invoked_by in writers:
        return
    version = ObjectVersion(event.bucket, event.key, event.version_id or UNVERSIONED)
    yield _row(reasons.of_undeclared_write(event, place), version, event, policy)


def unread_record_rows(event: TrailEvent, policy: Policy) -> Iterator[LedgerRow]:
    """The row of a write under the keys of records of which nothing was read.

    It is by somebody who is no recorder; or by the recorder, under a day that had not come: it was
    told of a write that had not happened, which S3 does not do. Nobody is seen telling it.
    """
    yield from unhashed_write_rows(event, policy)
    by_recorder = event.who.is_one_of(policy.recorders)
    if not by_recorder or event.key is None or not is_filed_early(event.key, event.time):
        return
    yield row_of_call(
        Verdict.CONFLICT if event.proven else Verdict.PENDING,
        reasons.of_early_record(event),
        ObjectVersion(event.bucket, event.key, event.version_id or UNVERSIONED),
        time=event.time,
        policy=policy,
        call=None,
    )


def batch_rows(event: TrailEvent, policy: Policy) -> Iterator[LedgerRow]:
    """The row of a call that removed things and names none, by anybody but a writer of silver or
    gold who clears there what he worked with. It is about the bucket."""
    layer = policy.layers.get(event.bucket, "")
    clears = layer in _CLEARED and event.who.is_one_of(policy.writers.get(layer, ()))
    if event.is_removal and event.key is None and policy.has_bucket(event.bucket) and not clears:
        yield row_of_request(
            Verdict.REMOVED if event.proven else Verdict.PENDING,
            reasons.of_batch_removal(event),
            ObjectVersion(event.bucket, "*", UNVERSIONED),
            policy=policy,
            call=event,
        )


def catalog_rows(call: ManagementEvent, policy: Policy) -> Iterator[LedgerRow]:
    """The rows of a change of our database in the Glue catalog by somebody who is no declared
    writer of it: one for each partition that was moved; else the changed definition of each table,
    or the database, which are controls.
    """
    change = call.about
    if (
        not isinstance(change, CatalogChanged)
        or change.database != policy.database
        or call.who.is_one_of(policy.catalog_writers)
        or is_deployment(call.who, policy)
    ):
        return
    for partition in change.partitions:
        name = "/".join((change.database, *change.tables, *partition.values))
        version = ObjectVersion(CATALOG, name, UNVERSIONED)
        yield _row(reasons.of_catalog_change(call, partition.location), version, call, policy)
    if change.partitions:
        return
    for name in _definitions(change):
        yield row_of_request(
            Verdict.CONTROL_CHANGED if call.proven else Verdict.PENDING,
            reasons.of_catalog_change(call, None),
            ObjectVersion(CONTROL, name, UNVERSIONED),
            policy=policy,
            call=call,
        )


def _definitions(change: CatalogChanged) -> list[str]:
    """The controls that a change of definitions is about."""
    tables = [f"glue/table/{change.database}/{table}" for table in change.tables]
    return tables or [f"glue/database/{change.database}"]


def _row(reason: str, version: ObjectVersion, call: Call, policy: Policy) -> LedgerRow:
    verdict = Verdict.UNEXPECTED_PRINCIPAL if call.proven else Verdict.PENDING
    row = row_of_call(verdict, reason, version, time=call.time, policy=policy, call=call)
    named = named_by_request(version, call.request_id or call.event_id)
    return replace(row, fingerprint=fingerprint(verdict, named))
