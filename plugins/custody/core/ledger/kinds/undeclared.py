"""Rows of what no record tells of, by somebody who is not declared to do it: writes to the
provenance bucket beside the records, removals that name no object, changes of the Glue catalog."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from custody.core.ledger import reasons
from custody.core.ledger.policy import Policy
from custody.core.ledger.rows import (
    CATALOG,
    LedgerRow,
    fingerprint,
    named_by_request,
    row_of_call,
    row_of_request,
)
from custody.core.ledger.verdicts import Verdict
from custody.core.trail.events import TrailEvent
from custody.core.trail.management_events import CatalogChanged, ManagementEvent
from custody.core.trail.principals import Call
from custody.objects import UNVERSIONED, ObjectVersion

_NEVER_CLEARED: Final = frozenset({"bronze", "provenance", "trail"})


def provenance_write_rows(event: TrailEvent, policy: Policy) -> Iterator[LedgerRow]:
    """The row of a write to the provenance bucket, beside the records, by somebody who is no
    declared writer of the key's prefix.

    Nobody hashes what lies there: it is signed, and whoever reads it verifies that.
    """
    if not event.is_write or event.key is None:
        return
    prefixes = (prefix for prefix in policy.prefix_writers if event.key.startswith(prefix))
    prefix = max(prefixes, key=len, default=None)
    writers = policy.prefix_writers[prefix] if prefix is not None else ()
    if event.who.is_one_of(writers):
        return
    version = ObjectVersion(event.bucket, event.key, event.version_id or UNVERSIONED)
    yield _row(reasons.of_undeclared_write(event, prefix), version, event, policy)


def batch_rows(event: TrailEvent, policy: Policy) -> Iterator[LedgerRow]:
    """The row of a call that removed things and names none, where nobody is declared to remove
    anything: in bronze, among the records, in the trail. It is about the bucket."""
    layer = policy.layers.get(event.bucket)
    if event.is_removal and event.key is None and layer in _NEVER_CLEARED:
        yield row_of_request(
            Verdict.REMOVED if event.proven else Verdict.PENDING,
            reasons.of_batch_removal(event),
            ObjectVersion(event.bucket, "*", UNVERSIONED),
            policy=policy,
            call=event,
        )


def catalog_rows(call: ManagementEvent, policy: Policy) -> Iterator[LedgerRow]:
    """The rows of a change of our database in the Glue catalog by somebody who is no declared
    writer of it: one for each partition, else for each table, else for the database."""
    change = call.about
    if (
        not isinstance(change, CatalogChanged)
        or change.database != policy.database
        or call.who.is_one_of(policy.catalog_writers)
    ):
        return
    changed = [
        ("/".join((change.database, *change.tables, *partition.values)), partition.location)
        for partition in change.partitions
    ] or [("/".join((change.database, table)), None) for table in change.tables or ("",)]
    for name, location in changed:
        version = ObjectVersion(CATALOG, name.rstrip("/"), UNVERSIONED)
        yield _row(reasons.of_catalog_change(call, location), version, call, policy)


def _row(reason: str, version: ObjectVersion, call: Call, policy: Policy) -> LedgerRow:
    verdict = Verdict.UNEXPECTED_PRINCIPAL if call.proven else Verdict.PENDING
    row = row_of_call(verdict, reason, version, time=call.time, policy=policy, call=call)
    named = named_by_request(version, call.request_id or call.event_id)
    return replace(row, fingerprint=fingerprint(verdict, named))
