"""Rows about lineage statements: those that must not be believed, and writes by others.

A bad statement is a finding about its own object; its claims about other objects are ignored.
Whoever wrote it is named, also if it is a role that may write there.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from custody.core.ledger import reasons
from custody.core.ledger.kinds.undeclared import unhashed_write_rows
from custody.core.ledger.policy import Policy
from custody.core.ledger.rows import LedgerRow, row_of_call
from custody.core.ledger.verdicts import Verdict
from custody.core.lineage.checking import LineageCheck
from custody.core.lineage.model import is_statement_key
from custody.core.trail.events import TrailEvent
from custody.objects import UNVERSIONED, ObjectVersion


def is_statement(event: TrailEvent, policy: Policy) -> bool:
    """Whether the event is a write under the key of a lineage statement."""
    return (
        event.is_write
        and policy.layers.get(event.bucket) == "provenance"
        and event.key is not None
        and is_statement_key(event.key)
    )


def rows_of_statements(
    checks: Iterable[LineageCheck], writes: Iterable[TrailEvent], policy: Policy
) -> Iterator[LedgerRow]:
    """The `BAD_SIGNATURE` of each version of one object that must not be believed, and the rows
    of good statements that somebody wrote who is no declared writer of lineage.

    `writes` are the trail's events about the object. Only a proven one names anybody.
    """
    writes = list(writes)
    proven = sorted((w for w in writes if w.proven), key=lambda w: (w.time, w.event_id))
    found = {c.statement_version: c for c in sorted(checks, key=lambda c: c.written_at)}
    bad = {version: c for version, c in found.items() if c.trouble is not None}
    for write in writes:
        if write.version_id not in bad:
            yield from unhashed_write_rows(write, policy)
    for version, check in sorted(bad.items()):
        named = (w for w in proven if w.version_id in (version, None, UNVERSIONED))
        call = next(named, None)
        yield row_of_call(
            Verdict.BAD_SIGNATURE,
            reasons.of_bad_statement(check.trouble or "", call),
            ObjectVersion(check.bucket, check.statement_key, version),
            time=call.time if call else check.written_at,
            policy=policy,
            call=call,
        )
