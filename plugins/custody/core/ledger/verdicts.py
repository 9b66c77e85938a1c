"""The verdict on one object version: every rule of the ledger, in the order they are asked.

The facts of a version are what both witnesses say of it (`VersionFacts`); `judge` is a function of
them and of the `Policy`, and of nothing else. So a verdict does not depend on the order in which
evidence arrived, only on which evidence there is, and it changes when late evidence comes in:
``PENDING`` and ``UNRECORDED`` become ``VERIFIED`` when the record arrives.

An event in a log file that no digest vouches for may be anybody's invention. It pages nobody and
names nobody: what hangs on it is ``PENDING`` until a digest proves it, and that a digest does not
come is ``TRAIL_BROKEN``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Final

from custody.core.ledger.policy import Policy
from custody.core.records.landing import LandingRecord, Record, UnreadableRecord
from custody.core.trail.events import TrailEvent
from custody.core.trail.principals import Principal


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
    TRAIL_BROKEN = "TRAIL_BROKEN"


SETTLED: Final = frozenset({Verdict.VERIFIED, Verdict.PENDING})
"""Verdicts that page nobody."""

_FILED_UNDER: Final = re.compile(r"/dt=(\d{4}-\d{2}-\d{2})/")


@dataclass(frozen=True, slots=True)
class SeenRecord:
    """One envelope as it lies in the provenance bucket.

    ``place`` is its object key; it is ``displaced`` if the recorder found something else in the
    place it should have had. ``trouble`` says why it is not to be believed, and is None for a
    good signature. ``claim`` is what it says. ``outsider`` is the
    trail's event of somebody other than the recorder writing to its place, ``squatter`` the same
    for the place it should have had.
    """

    place: str
    key_id: str | None
    claim: Record
    trouble: str | None
    displaced: bool
    outsider: TrailEvent | None
    squatter: TrailEvent | None

    @property
    def event_time(self) -> datetime:
        """When the write was that the record speaks of, within the day it is filed under.

        A time outside that day becomes the day's start, so that a record with an invented time
        neither leaves its day's windows nor stays in its grace for ever.
        """
        claimed = self.claim.event.time
        filed = _FILED_UNDER.search(self.place)
        if filed is None or filed[1] == f"{claimed:%Y-%m-%d}":
            return claimed
        return datetime.fromisoformat(filed[1]).replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class VersionFacts:
    """What the witnesses say of one object version; at least one says something.

    ``writes`` are the trail's events of its writing, ``records`` what the provenance bucket holds
    about it. ``claimed`` is the principal whom the record's notification names, as the trail knows
    him elsewhere.
    """

    bucket: str
    key: str
    version_id: str
    writes: tuple[TrailEvent, ...]
    records: tuple[SeenRecord, ...]
    claimed: Principal | None

    @property
    def write(self) -> TrailEvent | None:
        """The event to believe: a proven one, then the earliest."""
        return min(self.writes, key=lambda w: (not w.proven, w.time, w.event_id), default=None)

    @property
    def record(self) -> SeenRecord | None:
        """The record to believe: a good one, then the recorder's own, then the oldest."""
        return min(
            self.records,
            key=lambda r: (
                r.trouble is not None,
                r.outsider is not None,
                r.claim.made_at,
                r.place,
            ),
            default=None,
        )

    @property
    def proven_write(self) -> TrailEvent | None:
        """The event to believe, if a digest vouches for it."""
        return self.write if self.write is not None and self.write.proven else None

    @property
    def outsider(self) -> TrailEvent | None:
        """The latest of those who are not the recorder and provably wrote a record of this
        version."""
        return max(
            (event for event in self._outsiders if event.proven),
            key=lambda event: (event.time, event.event_id),
            default=None,
        )

    @property
    def rests_on_unproven(self) -> bool:
        """Whether an event that no digest vouches for would decide."""
        events = [self.write, *self._outsiders] if self.write else self._outsiders
        return any(not event.proven for event in events)

    @property
    def _outsiders(self) -> list[TrailEvent]:
        events = (record.outsider or record.squatter for record in self.records)
        return [event for event in events if event is not None]


@dataclass(frozen=True, slots=True)
class Judgement:
    """A verdict, why, and whom it is about: the principal and, where known, the call."""

    verdict: Verdict
    reason: str
    principal_arn: str | None
    principal_type: str | None
    source_ip: str | None
    user_agent: str | None


def judge(facts: VersionFacts, policy: Policy) -> Judgement:
    """The verdict on one object version. The first rule that applies decides."""
    write, record = facts.write, facts.record
    if found := _bad_signature(facts) or _conflict(facts):
        return found
    if facts.rests_on_unproven:
        return _unproven(facts)
    if write is None or record is None:
        return _one_witness(facts, policy)
    who = write.who
    if isinstance(record.claim, UnreadableRecord):
        return _by_caller(
            Verdict.UNRECORDED,
            f"{who.arn} wrote this version with {write.name} and nobody can hash it: "
            f"{record.claim.reason.value} ({record.claim.answer}).",
            write,
        )
    layer = policy.layers.get(facts.bucket, "no layer")
    if not who.is_one_of(policy.writers.get(layer, ())):
        return _by_caller(
            Verdict.UNEXPECTED_PRINCIPAL,
            f"{who.described} wrote this version and is not one of the declared writers of "
            f"{layer}.",
            write,
        )
    return _by_caller(
        Verdict.VERIFIED, f"CloudTrail and the record agree: written by {who.arn}.", write
    )


def _unproven(facts: VersionFacts) -> Judgement:
    recorded = "recorded" if facts.records else "not recorded"
    if facts.write is None:
        return _by_claim(
            Verdict.PENDING,
            f"Without a write, but {recorded}; no digest vouches yet for the log file that says "
            "who wrote the record.",
            facts,
        )
    return _by_caller(
        Verdict.PENDING,
        f"Written by {facts.write.who.arn} and {recorded}; no digest vouches yet for every log "
        "file that tells of it.",
        facts.write,
    )


def _one_witness(facts: VersionFacts, policy: Policy) -> Judgement:
    write, record = facts.write, facts.record
    if write is not None:
        if write.time + policy.grace > policy.as_of:
            return _by_caller(
                Verdict.PENDING,
                f"Written by {write.who.arn}; its record may still arrive within "
                f"{policy.grace_text} of the write.",
                write,
            )
        return _by_caller(
            Verdict.UNRECORDED,
            f"{write.who.arn} wrote this version with {write.name} and no record of it exists "
            f"{policy.grace_text} later.",
            write,
        )
    assert record is not None  # noqa: S101 - VersionFacts holds at least one of the two
    if record.event_time + policy.grace > policy.as_of:
        return _by_claim(
            Verdict.PENDING,
            "Recorded; its CloudTrail event may still arrive within "
            f"{policy.grace_text} of the write.",
            facts,
        )
    if facts.outsider is not None:
        return _by_caller(
            Verdict.UNWITNESSED,
            "No CloudTrail event shows anybody writing this version; its record was written by "
            f"{facts.outsider.who.described}, who is not the recorder.",
            facts.outsider,
        )
    return _by_claim(
        Verdict.UNWITNESSED,
        f"No CloudTrail event shows this write; the record names {_claimed_name(facts)} as the "
        "uploader.",
        facts,
    )


def _bad_signature(facts: VersionFacts) -> Judgement | None:
    bad = min(
        (r for r in facts.records if r.trouble is not None), key=lambda r: r.place, default=None
    )
    if bad is None:
        return None
    reason = f"The record {bad.place} is not to be believed: {bad.trouble}."
    if facts.outsider is not None:
        reason = reason[:-1] + f"; it was written by {facts.outsider.who.described}."
        return _by_caller(Verdict.BAD_SIGNATURE, reason, facts.outsider)
    if facts.proven_write is not None:
        return _by_caller(Verdict.BAD_SIGNATURE, reason, facts.proven_write)
    return _by_claim(Verdict.BAD_SIGNATURE, reason, facts)


def _conflict(facts: VersionFacts) -> Judgement | None:
    """What two witnesses, or two statements of one, contradict each other about."""
    write, outsider = facts.proven_write, facts.outsider
    claims = [record.claim for record in facts.records]
    contents = sorted({(c.sha256, c.size_bytes) for c in claims if isinstance(c, LandingRecord)})
    if len(contents) > 1:
        listed = ", ".join(f"{sha256[:12]} ({size} bytes)" for sha256, size in contents)
        reason = f"{len(claims)} records disagree about this version: {listed}"
        if outsider is not None:
            reason += f"; one was written by {outsider.who.described}, who is not the recorder"
        if write is not None:
            reason += f"; the object was written by {write.who.arn}"
        return _contradiction(reason + ".", facts)
    if any(record.displaced for record in facts.records):
        reason = (
            "The recorder found something that is not its record in the place of this version's "
            "record"
        )
        if outsider is not None:
            reason += f", written by {outsider.who.described}"
        return _contradiction(reason + ".", facts)
    if write is None or not claims:
        return None
    if outsider is not None:
        return _contradiction(
            f"A record of this version was written by {outsider.who.described}, who is not the "
            f"recorder; the object was written by {write.who.arn}.",
            facts,
        )
    return _events_disagree(facts, write, claims[0])


def _events_disagree(facts: VersionFacts, write: TrailEvent, claim: Record) -> Judgement | None:
    proven = [event for event in facts.writes if event.proven]
    if len({event.upload_id or event.event_id for event in proven}) > 1:
        return _by_caller(
            Verdict.CONFLICT,
            f"{len(proven)} CloudTrail events claim to have written this version: "
            + ", ".join(sorted(event.event_id for event in proven))
            + ".",
            write,
        )
    # All are one write: the notification tells of whichever request S3 took for it.
    requests = {event.request_id for event in proven}
    if None not in requests and claim.event.request_id not in requests:
        return _by_caller(
            Verdict.CONFLICT,
            f"CloudTrail says request {write.request_id} wrote this version, the record says "
            f"{claim.event.request_id}.",
            write,
        )
    # Signing in chunks adds bytes to the transfer, nothing takes bytes away.
    if (
        write.name == "PutObject"
        and write.bytes_in is not None
        and write.bytes_in < claim.size_bytes
    ):
        return _by_caller(
            Verdict.CONFLICT,
            f"CloudTrail saw {write.bytes_in} bytes arrive, the record says {claim.size_bytes}.",
            write,
        )
    return None


def _contradiction(reason: str, facts: VersionFacts) -> Judgement:
    """A CONFLICT about the outsider, else about whoever wrote the object, else as claimed."""
    if facts.outsider is not None:
        return _by_caller(Verdict.CONFLICT, reason, facts.outsider)
    if facts.proven_write is not None:
        return _by_caller(Verdict.CONFLICT, reason, facts.proven_write)
    return _by_claim(Verdict.CONFLICT, reason, facts)


def _by_caller(verdict: Verdict, reason: str, event: TrailEvent) -> Judgement:
    """About whoever made the call that the trail shows."""
    return Judgement(
        verdict, reason, event.who.arn, event.who.type, event.source_ip, event.user_agent
    )


def _by_claim(verdict: Verdict, reason: str, facts: VersionFacts) -> Judgement:
    """About the uploader whom the notification named: the trail shows no call of his."""
    assert facts.record is not None  # noqa: S101
    claim = facts.record.claim
    return Judgement(
        verdict,
        reason,
        facts.claimed.arn if facts.claimed else claimed_id(claim),
        facts.claimed.type if facts.claimed else None,
        claim.event.source_ip,
        None,
    )


def claimed_id(claim: Record) -> str | None:
    """The principal id in a record, as CloudTrail writes it: S3 notifications prefix ``AWS:``."""
    return claim.event.principal_id.removeprefix("AWS:") or None


def _claimed_name(facts: VersionFacts) -> str:
    assert facts.record is not None  # noqa: S101
    if facts.claimed:
        return facts.claimed.arn
    return claimed_id(facts.record.claim) or "nobody"
