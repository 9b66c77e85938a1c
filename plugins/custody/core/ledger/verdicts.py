"""Decide the verdict on one object version: every rule of the ledger, in order.

`judge` is a function of the evidence about a version (`VersionFacts`) and the `Policy`, and of
nothing else. So a verdict does not depend on the order in which evidence arrived, and it changes
when late evidence comes in: `PENDING` and `UNRECORDED` become `VERIFIED` when the record
arrives. The sentences that explain a verdict are in `custody.core.ledger.reasons`.

Events in a log file that no digest covers are unproven: they never page or name a principal.
Verdicts that rest on them are `PENDING` until the digest arrives; that a digest does not arrive
is `TRAIL_BROKEN`.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from custody.core.ledger.claims import names_other_request
from custody.core.ledger.facts import VersionFacts
from custody.core.ledger.policy import MAX_LATE, Policy
from custody.core.records.model import UnreadableRecord
from custody.core.trail.events import TrailEvent


class Verdict(StrEnum):
    """What the ledger says of an object version; docs/runbooks has a page for each that pages."""

    VERIFIED = "VERIFIED"
    PENDING = "PENDING"
    UNRECORDED = "UNRECORDED"
    UNWITNESSED = "UNWITNESSED"
    CONFLICT = "CONFLICT"
    BAD_SIGNATURE = "BAD_SIGNATURE"
    ALTERED = "ALTERED"
    REMOVED = "REMOVED"
    UNEXPECTED_PRINCIPAL = "UNEXPECTED_PRINCIPAL"
    CONTROL_CHANGED = "CONTROL_CHANGED"
    TRAIL_BROKEN = "TRAIL_BROKEN"
    UNCOSIGNED = "UNCOSIGNED"
    UNBUILT = "UNBUILT"


SETTLED: Final = frozenset({Verdict.VERIFIED, Verdict.PENDING})
"""Verdicts that page nobody."""


class Ground(StrEnum):
    """The rule that decided: each stands for one verdict."""

    BAD_RECORD = "a record is not to be believed"
    RECORDS_DISAGREE = "records name different contents"
    RECORD_DISPLACED = "something else lay under the key of a record"
    RECORD_BY_OTHERS = "somebody other than the recorder wrote a record"
    WRITTEN_TWICE = "several events claim the write"
    OTHER_REQUEST = "event and record name different requests"
    OTHER_CALLER = "event and record name different callers"
    RECORD_EARLY = "a record was there before the write that it tells of"
    FEWER_BYTES = "fewer bytes arrived than the record says"
    UNPROVEN = "an unproven event would decide"
    RECORD_AWAITED = "written, and a record may still arrive"
    RECORD_LATE = "written, and the recorder has noted that its record is late"
    RECORD_LOCKED = "written, and its record is under a key of ours that is away"
    EVENT_AWAITED = "recorded, and an event may still arrive"
    NO_RECORD = "written and not recorded"
    NO_EVENT = "recorded, and no event of the write exists"
    UNREADABLE = "the recorder could not read it"
    UNDECLARED_WRITER = "the writer is not declared"
    AGREEMENT = "event and record agree"

    @property
    def verdict(self) -> Verdict:
        return _VERDICT_OF[self]


_VERDICT_OF: Final = {
    Ground.BAD_RECORD: Verdict.BAD_SIGNATURE,
    Ground.RECORDS_DISAGREE: Verdict.CONFLICT,
    Ground.RECORD_DISPLACED: Verdict.CONFLICT,
    Ground.RECORD_BY_OTHERS: Verdict.CONFLICT,
    Ground.WRITTEN_TWICE: Verdict.CONFLICT,
    Ground.OTHER_REQUEST: Verdict.CONFLICT,
    Ground.OTHER_CALLER: Verdict.CONFLICT,
    Ground.RECORD_EARLY: Verdict.CONFLICT,
    Ground.FEWER_BYTES: Verdict.CONFLICT,
    Ground.UNPROVEN: Verdict.PENDING,
    Ground.RECORD_AWAITED: Verdict.PENDING,
    Ground.RECORD_LATE: Verdict.PENDING,
    Ground.RECORD_LOCKED: Verdict.PENDING,
    Ground.EVENT_AWAITED: Verdict.PENDING,
    Ground.NO_RECORD: Verdict.UNRECORDED,
    Ground.NO_EVENT: Verdict.UNWITNESSED,
    Ground.UNREADABLE: Verdict.UNRECORDED,
    Ground.UNDECLARED_WRITER: Verdict.UNEXPECTED_PRINCIPAL,
    Ground.AGREEMENT: Verdict.VERIFIED,
}


@dataclass(frozen=True, slots=True)
class Judgement:
    """The rule that decided, and the proven `call` that the verdict is about: whoever made it is
    named. None if the trail shows no call that was it: what a record says of its uploader is a
    claim, and who wrote an object is not who wrote its record."""

    ground: Ground
    call: TrailEvent | None

    @property
    def verdict(self) -> Verdict:
        return self.ground.verdict


def judge(facts: VersionFacts, policy: Policy) -> Judgement:
    """Decide the verdict on one object version. The first rule that applies decides."""
    if facts.bad_record is not None:
        return Judgement(Ground.BAD_RECORD, facts.undeclared_record_write)
    if decided := _conflict(facts) or _unsettled(facts):
        return decided
    write, record = facts.write, facts.record
    if write is None:
        return _recorded_only(facts, policy)
    if record is None:
        return Judgement(_missing_record(facts, write, policy), write)
    declared = policy.writers_of(facts.version.bucket, facts.version.key, at=write.time)
    if isinstance(record.claim, UnreadableRecord):
        ground = Ground.UNREADABLE
    elif write.who.is_one_of(declared):
        ground = Ground.AGREEMENT
    else:
        ground = Ground.UNDECLARED_WRITER
    return Judgement(ground, write)


def _unsettled(facts: VersionFacts) -> Judgement | None:
    """What must be known before any agreement counts."""
    if facts.rests_on_unproven:
        return Judgement(Ground.UNPROVEN, facts.write)
    # Who forged it is named for that.
    if facts.early_record is not None and facts.undeclared_record_write is None:
        return Judgement(Ground.RECORD_EARLY, None)
    return None


def _missing_record(facts: VersionFacts, write: TrailEvent, policy: Policy) -> Ground:
    awaited = policy.awaits_record(write.time) or (
        # What it lacks CloudTrail may yet amend, and then a record may be about it.
        facts.is_unidentified and policy.awaits_event(write.time)
    )
    if awaited:
        return Ground.RECORD_AWAITED
    if facts.noted_late and write.time + MAX_LATE > policy.as_of:
        return Ground.RECORD_LATE
    if facts.record_locked:
        return Ground.RECORD_LOCKED
    return Ground.NO_RECORD


def _recorded_only(facts: VersionFacts, policy: Policy) -> Judgement:
    assert facts.record is not None  # noqa: S101 - VersionFacts holds a write or a record
    forged, written = facts.undeclared_record_write, facts.record.event_time
    # Whoever is proven to have forged a record need not be waited for as an event is, and nothing
    # is until the time comes that it is dated ahead to.
    awaited = policy.awaits_event(written) if forged is None else policy.awaits_record(written)
    if awaited and facts.early_record is None:
        return Judgement(Ground.EVENT_AWAITED, None)
    return Judgement(Ground.NO_EVENT, forged)


def _conflict(facts: VersionFacts) -> Judgement | None:
    """A contradiction between event and record, or between two of either."""
    if len(facts.contents) > 1:
        return Judgement(Ground.RECORDS_DISAGREE, facts.undeclared_record_write)
    if any(record.displaced for record in facts.records):
        return Judgement(Ground.RECORD_DISPLACED, facts.undeclared_record_write)
    write = facts.proven_write
    if write is None or not facts.records:
        return None
    if facts.undeclared_record_write is not None:
        return Judgement(Ground.RECORD_BY_OTHERS, facts.undeclared_record_write)
    ground = _events_disagree(facts, write)
    return Judgement(ground, None) if ground else None


def _events_disagree(facts: VersionFacts, write: TrailEvent) -> Ground | None:
    proven = facts.proven_writes
    if len({event.upload_id or event.event_id for event in proven}) > 1:
        return Ground.WRITTEN_TWICE
    # All are one write: the notification names whichever request S3 took for it.
    if (record := facts.contradicted) is not None:
        other = names_other_request(record.claim, proven)
        return Ground.OTHER_REQUEST if other else Ground.OTHER_CALLER
    # Signing in chunks adds bytes to the transfer, nothing takes bytes away.
    if (
        write.name == "PutObject"
        and write.bytes_in is not None
        and write.bytes_in < facts.records[0].claim.size_bytes
    ):
        return Ground.FEWER_BYTES
    return None
