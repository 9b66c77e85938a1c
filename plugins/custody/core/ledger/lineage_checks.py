"""The table ``lineage_checks``: every lineage statement is read and verified once, and the findings
about those that must not be believed.

A bad statement is a finding about its own object: what it says about other objects is nobody's
word. Whoever wrote it is named, as the trail knows him, also if it is a role that may write there.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from custody.core.formats.dsse import Envelope
from custody.core.formats.untrusted import MalformedInput
from custody.core.ledger.policy import Policy
from custody.core.ledger.rows import LedgerRow, row_of_call, written_beside_the_records
from custody.core.ledger.verdicts import Verdict
from custody.core.lineage.model import is_statement_key
from custody.core.lineage.trust import BadLineage, Trust, read_part
from custody.core.trail.events import TrailEvent
from custody.objects import UNVERSIONED


@dataclass(frozen=True, slots=True, order=True)
class LineageCheck:
    """One row: a stored version of an object among the lineage.

    ``written_at`` is when it was written, as the trail says. ``trouble`` is why it is not to be
    believed, None if it is. ``was_read`` is false where S3 did not hand it out, which may change:
    such a check does not settle it.
    """

    bucket: str
    statement_key: str
    statement_version: str
    written_at: datetime
    key_id: str | None
    was_read: bool
    trouble: str | None


def is_statement(event: TrailEvent, policy: Policy) -> bool:
    """Whether the event is a write to the place of a lineage statement."""
    return (
        event.is_write
        and policy.layers.get(event.bucket) == "provenance"
        and event.key is not None
        and is_statement_key(event.key)
    )


def check_statement(
    raw: bytes, trust: Trust, *, bucket: str, key: str, version_id: str, written_at: datetime
) -> LineageCheck:
    """Check one statement; never raises for what is in it."""
    key_id, trouble = None, None
    try:
        envelope = Envelope.parse(raw)
        key_id = next((s.keyid for s in envelope.signatures if s.keyid), None)
        read_part(envelope, key, trust)
    except (MalformedInput, BadLineage) as error:
        trouble = str(error)
    return LineageCheck(bucket, key, version_id, written_at, key_id, was_read=True, trouble=trouble)


def rows_of_statements(
    checks: Iterable[LineageCheck], writes: Iterable[TrailEvent], policy: Policy
) -> Iterator[LedgerRow]:
    """The ``BAD_SIGNATURE`` of each version of one object that must not be believed, and the writes
    of others than the declared writers that are to be believed all the same.

    ``writes`` are the trail's events about the object. Only a proven one names anybody.
    """
    writes = list(writes)
    proven = sorted((w for w in writes if w.proven), key=lambda w: (w.time, w.event_id))
    found = {c.statement_version: c for c in sorted(checks, key=lambda c: c.written_at)}
    bad = {version: check for version, check in found.items() if check.trouble is not None}
    for write in writes:
        if write.version_id not in bad:
            yield from written_beside_the_records(write, policy)
    for version, check in sorted(bad.items()):
        named = (w for w in proven if w.version_id in (version, None, UNVERSIONED))
        culprit = next(named, None)
        reason = f"This lineage statement must not be believed: {check.trouble}."
        if culprit is not None:
            reason = f"{reason[:-1]}; it was written by {culprit.who.described}."
        yield row_of_call(
            Verdict.BAD_SIGNATURE,
            reason,
            bucket=check.bucket,
            key=check.statement_key,
            version_id=version,
            time=culprit.time if culprit else check.written_at,
            policy=policy,
            culprit=culprit,
        )
