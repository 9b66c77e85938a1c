"""Check whether the bytes of one object version are what its records say.

The ledger compares records with events (`custody.core.ledger.verdicts`). Its rules on records that
are not to be believed, or that disagree, apply first here, too.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Final

from custody.core.ledger import reasons
from custody.core.ledger.facts import StoredRecord, VersionFacts
from custody.core.ledger.policy import Policy
from custody.core.ledger.stored_records import split_envelopes, undisplaced_key
from custody.core.ledger.verdicts import Verdict, judge
from custody.core.records.checking import ReadEnvelope
from custody.core.records.model import HashedVersion, LandingRecord
from custody.core.records.names import record_id, record_key
from custody.core.trail.events import TrailEvent
from custody.objects import ObjectVersion

_LAYER: Final = "checked"

_SKEW: Final = timedelta(minutes=15)
"""How far the times of S3, CloudTrail and the recorder may differ: S3 may take minutes to complete
an upload in parts."""


class Outcome(StrEnum):
    """What was found about one object version."""

    OK = "ok"
    UNRECORDED = "unrecorded"
    """There is no record of it."""
    BAD_SIGNATURE = "bad signature"
    """Something under the key of its record is not to be believed."""
    CONFLICT = "conflict"
    """Records, or a record and the trail, contradict each other."""
    ALTERED = "altered"
    """The bytes are not those of the record."""
    NOT_AS_SEALED = "not as sealed"
    """The seal holds another record of it, or holds it too late."""
    UNREADABLE = "unreadable"
    """The bytes cannot be read, or could not when they were to be recorded."""


_DOUBTS: Final = {
    Verdict.BAD_SIGNATURE: Outcome.BAD_SIGNATURE,
    Verdict.CONFLICT: Outcome.CONFLICT,
}


@dataclass(frozen=True, slots=True)
class CheckedVersion:
    """What was found, and why in one sentence.

    `record` is the record to believe, `found` what the bytes are now, `write` the trail's
    event of the write; each None where there is none.
    """

    version: ObjectVersion
    outcome: Outcome
    reason: str
    record: StoredRecord | None
    found: HashedVersion | None
    write: TrailEvent | None


def check_version(
    version: ObjectVersion,
    *,
    envelopes: Sequence[ReadEnvelope],
    found: HashedVersion | str | None,
    writes: Sequence[TrailEvent] = (),
    sealed: Sequence[str] = (),
    dated: datetime | None = None,
) -> CheckedVersion:
    """Compare an object version with what is kept about it. Never raises for what is in there.

    `envelopes` are what lies under the keys of its records, `found` what its bytes are now (a
    text says why they cannot be read, None that they were not asked for), `writes` the trail's
    events of its writing, `sealed` what does not agree with the seal
    (`custody.core.case.sealing`), `dated` S3's date of it where that is known.
    """
    mine = [e for e in envelopes if _is_about(e, version)]
    strays = [e for e in envelopes if not _is_about(e, version)]
    records, _ = split_envelopes(mine, ())
    facts = VersionFacts(version, tuple(writes), tuple(records), None)
    outcome, reason = (
        _doubt(facts, strays, sealed) or _another_time(facts, dated) or _compare(facts, found)
    )
    return CheckedVersion(
        version,
        outcome,
        reason,
        facts.record,
        found if isinstance(found, HashedVersion) else None,
        facts.write,
    )


def _doubt(
    facts: VersionFacts, strays: Sequence[ReadEnvelope], sealed: Sequence[str]
) -> tuple[Outcome, str] | None:
    """Why what is kept about the version is not to be believed, or None if it is."""
    for stray in strays:
        trouble = stray.trouble or "it is about another object version, or another day"
        return (
            Outcome.BAD_SIGNATURE,
            f"In the place of its record lies {stray.stored.key}, which is none: {trouble}.",
        )
    if facts.record is None:
        return Outcome.UNRECORDED, " ".join(["There is no record of it.", *sealed])
    policy = _anybody_may_write(facts)
    judgement = judge(facts, policy)
    outcome = _DOUBTS.get(judgement.verdict)
    if outcome:
        return outcome, reasons.of_version(judgement, facts, policy)
    return (Outcome.NOT_AS_SEALED, " ".join(sealed)) if sealed else None


def _another_time(facts: VersionFacts, dated: datetime | None) -> tuple[Outcome, str] | None:
    """Whether the record speaks of a write at another time than its witnesses do.

    S3 dates a version by when its upload began. A record whose times were invented would let a key
    that was replaced sign today.
    """
    assert facts.record is not None  # noqa: S101 - without one there is doubt
    said = facts.record.claim.event.time
    if facts.record.claim.made_at < said - _SKEW:
        return Outcome.CONFLICT, f"Its record says it was made before the write of {said}."
    if dated is not None and said < dated - _SKEW:
        return Outcome.CONFLICT, f"Its record speaks of a write at {said}; S3 dates it {dated}."
    for write in facts.writes:
        if abs(write.time - said) > _SKEW:
            return (
                Outcome.CONFLICT,
                f"Its record speaks of a write at {said}, CloudTrail of one at {write.time}.",
            )
    return None


def _compare(facts: VersionFacts, found: HashedVersion | str | None) -> tuple[Outcome, str]:
    """The bytes against the record."""
    assert facts.record is not None  # noqa: S101 - without one there is doubt
    claim = facts.record.claim
    if not isinstance(claim, LandingRecord):
        return (
            Outcome.UNREADABLE,
            f"Its record says that nobody could hash it: {claim.reason.value} ({claim.answer}).",
        )
    if isinstance(found, str):
        return Outcome.UNREADABLE, found
    if found is None:
        return Outcome.OK, "A trusted key signed its record; no bytes were compared."
    if (found.sha256, found.size_bytes) != (claim.sha256, claim.size_bytes):
        return Outcome.ALTERED, (
            f"Its {found.size_bytes} bytes hash to {found.sha256}; the record says "
            f"{claim.size_bytes} bytes and {claim.sha256}."
        )
    return Outcome.OK, "Its bytes are those of its record, which a trusted key signed."


def _is_about(envelope: ReadEnvelope, version: ObjectVersion) -> bool:
    """Whether it names this version and lies where a record of that write belongs."""
    if envelope.claim is None or envelope.claim.version != version:
        return False
    place = record_key(envelope.claim.event.time, record_id(version))
    return undisplaced_key(envelope.stored.key) == place


def _anybody_may_write(facts: VersionFacts) -> Policy:
    """A policy by which nothing is awaited and every writer is declared: the reader decides who may
    write."""
    writers = tuple(event.who.arn for event in facts.writes)
    return Policy(
        as_of=datetime.max.replace(tzinfo=UTC),
        grace=timedelta(0),
        layers={facts.version.bucket: _LAYER},
        writers={_LAYER: writers},
        recorders=(),
    )
