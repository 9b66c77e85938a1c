"""Rows of what is wrong with the evidence itself: the trail, and objects among the records."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from custody.core.ledger import reasons
from custody.core.ledger.policy import Policy
from custody.core.ledger.rows import LedgerRow, proven_only, row_of_call
from custody.core.ledger.verdicts import Verdict
from custody.core.trail.defects import TrailDefect, TrailDefectKind
from custody.core.trail.events import TrailEvent
from custody.core.trail.principals import Call
from custody.objects import UNVERSIONED, ObjectVersion


@dataclass(frozen=True, slots=True)
class Outage:
    """A stretch in which the trail logged or proved nothing: from `since` (None: not known) to
    `until` (None: it lasts)."""

    since: datetime | None
    until: datetime | None


@dataclass(frozen=True, slots=True)
class DatedDefect:
    """Something wrong with the trail: an object of it (`version_id` is `"null"` for one that is
    not there), when, why in one sentence, and the digest that shows it; `outage` if it was
    switched off."""

    bucket: str
    key: str
    version_id: str
    time: datetime
    reason: str
    digest_key: str | None = None
    outage: Outage | None = None


@dataclass(frozen=True, slots=True)
class MalformedRecord:
    """An object under the key of a record that cannot be read as one.

    `trouble` says what is wrong with it, `stored_at` when it was stored; `undeclared_write`
    is the trail's event of somebody other than the recorder writing it.
    """

    bucket: str
    key: str
    version_id: str
    stored_at: datetime
    trouble: str
    undeclared_write: TrailEvent | None


def dated_defect(defect: TrailDefect, time: datetime) -> DatedDefect:
    """What the validator found, as of `time`."""
    switched_off = defect.kind in {TrailDefectKind.TRAIL_OFF, TrailDefectKind.GAP}
    return DatedDefect(
        defect.bucket,
        defect.key,
        defect.version_id or UNVERSIONED,
        time,
        defect.reason,
        defect.digest_key,
        Outage(defect.period_start, defect.period_end) if switched_off else None,
    )


def trail_row(defect: DatedDefect, policy: Policy, call: Call | None) -> LedgerRow:
    """The row of a defect of the trail; `call` is the one that touched the object, or that
    switched the trail."""
    proven = proven_only(call)
    row = row_of_call(
        Verdict.TRAIL_BROKEN,
        reasons.of_trail_defect(defect.reason, proven),
        ObjectVersion(defect.bucket, defect.key, defect.version_id),
        time=defect.time,
        policy=policy,
        call=proven,
    )
    return row if proven is not None else replace(row, digest_key=defect.digest_key)


def malformed_record_row(record: MalformedRecord, policy: Policy) -> LedgerRow:
    """The row of an object that names no object version: it is about itself."""
    write = proven_only(record.undeclared_write)
    return row_of_call(
        Verdict.BAD_SIGNATURE,
        reasons.of_malformed_record(record.trouble, write),
        ObjectVersion(record.bucket, record.key, record.version_id),
        time=write.time if write else record.stored_at,
        policy=policy,
        call=write,
    )
