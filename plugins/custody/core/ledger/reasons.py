"""The sentences that explain verdicts: what a ledger row gives as its `verdict_reason`.

What is decided is decided elsewhere; nothing here chooses a verdict. The sentences are stored and
paged, so changing one changes what readers search for.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Final

from custody.core.ledger.claims import claimed_id
from custody.core.ledger.facts import VersionFacts
from custody.core.ledger.kinds.removals import Removal, RemovalGround
from custody.core.ledger.policy import Policy
from custody.core.ledger.rows import LedgerRow
from custody.core.ledger.verdicts import Ground, Judgement, Verdict
from custody.core.records.model import UnreadableRecord
from custody.core.trail.control_changes import ControlChange
from custody.core.trail.events import TrailEvent
from custody.core.trail.management_events import ManagementEvent
from custody.core.trail.principals import Call

_UNPROVEN: Final = ", says a log file that no digest vouches for yet"


# --- Versions -------------------------------------------------------------------------------------


_SENTENCES: Final[Mapping[Ground, str]] = {
    Ground.RECORD_BY_OTHERS: (
        "A record of this version was written by {described}, who is not the recorder; the object "
        "was written by {writer}."
    ),
    Ground.WRITTEN_TWICE: (
        "{events} CloudTrail events claim to have written this version: {event_ids}."
    ),
    Ground.OTHER_REQUEST: (
        "CloudTrail says request {request_id} wrote this version, the record says "
        "{recorded_request_id}."
    ),
    Ground.OTHER_CALLER: (
        "CloudTrail says {arn} ({principal_id}) wrote this version from {source_ip}, the record "
        "says {recorded_principal} did from {recorded_ip}."
    ),
    Ground.FEWER_BYTES: "CloudTrail saw {bytes_in} bytes arrive, the record says {recorded_size}.",
    Ground.RECORD_AWAITED: (
        "Written by {arn}; its record may still arrive within {grace} of the write."
    ),
    Ground.RECORD_LATE: (
        "Written by {arn}; the recorder was told of it and has noted that its record is late."
    ),
    Ground.RECORD_LOCKED: (
        "Written by {arn}; its record cannot be read while a key of the platform is away."
    ),
    Ground.EVENT_AWAITED: (
        "Recorded; its CloudTrail event may still arrive within {delivery} of the write."
    ),
    Ground.NO_RECORD: (
        "{arn} wrote this version with {call} and no record of it exists {grace} later."
    ),
    Ground.NO_EVENT: (
        "No CloudTrail event shows this write; the record names {uploader} as the uploader."
    ),
    Ground.UNREADABLE: "{arn} wrote this version with {call} and nobody can hash it: {refusal}.",
    Ground.UNDECLARED_WRITER: (
        "{described} wrote this version and is not one of the declared writers of {place}."
    ),
    Ground.AGREEMENT: "CloudTrail and the record agree: written by {arn}.",
}

_FORGED: Final = (
    "No CloudTrail event shows anybody writing this version; its record was written by "
    "{described}, who is not the recorder."
)
"""Of `Ground.NO_EVENT`, where somebody other than the recorder wrote the record."""

_ANNOUNCED: Final = (
    "No CloudTrail event shows this write, and nobody can hash what it wrote: {refusal}; the "
    "announcement names {uploader} as the uploader."
)
"""Of `Ground.NO_EVENT`, where nothing but what the recorder was told speaks of the write."""


def of_version(judgement: Judgement, facts: VersionFacts, policy: Policy) -> str:
    """Why an object version has the verdict of `judgement`."""
    ground = judgement.ground
    if ground in _COMPOSED:
        return _COMPOSED[ground](facts)
    sentence = _SENTENCES[ground]
    if ground is Ground.NO_EVENT and judgement.call is not None:
        sentence = _FORGED
    elif ground is Ground.NO_EVENT and facts.is_only_announced:
        sentence = _ANNOUNCED
    return sentence.format(
        grace=policy.grace_text,
        delivery=policy.delivery_text,
        place=policy.place_of(facts.version.bucket, facts.version.key),
        uploader=facts.claimed_arn or "nobody",
        **_of_call(judgement.call or facts.write),
        **_of_evidence(facts),
    )


def _of_call(call: TrailEvent | None) -> dict[str, object]:
    if call is None:
        return {}
    return {
        "arn": call.who.arn,
        "described": call.who.described,
        "principal_id": call.who.id,
        "source_ip": call.source_ip,
        "call": call.name,
        "request_id": call.request_id,
        "bytes_in": call.bytes_in,
    }


def _of_evidence(facts: VersionFacts) -> dict[str, object]:
    proven = facts.proven_writes
    known: dict[str, object] = {
        "events": len(proven),
        "event_ids": ", ".join(sorted(event.event_id for event in proven)),
    }
    if facts.write is not None:
        known["writer"] = facts.write.who.arn
    if facts.records:
        claim = (facts.contradicted or facts.records[0]).claim
        known["recorded_request_id"] = claim.event.request_id
        known["recorded_principal"] = claimed_id(claim) or "nobody"
        known["recorded_ip"] = claim.event.source_ip
        known["recorded_size"] = claim.size_bytes
    if facts.record is not None and isinstance(facts.record.claim, UnreadableRecord):
        refused = facts.record.claim
        known["refusal"] = f"{refused.reason.value} ({refused.answer})"
    return known


def _bad_record(facts: VersionFacts) -> str:
    bad, write = facts.bad_record, facts.undeclared_record_write
    assert bad is not None  # noqa: S101 - it is what decided
    reason = f"The record {bad.key} is not to be believed: {bad.trouble}"
    return reason + (f"; it was written by {write.who.described}." if write else ".")


def _records_disagree(facts: VersionFacts) -> str:
    listed = ", ".join(f"{sha256[:12]} ({size} bytes)" for sha256, size in facts.contents)
    reason = f"{len(facts.records)} records disagree about this version: {listed}"
    if (by_others := facts.undeclared_record_write) is not None:
        reason += f"; one was written by {by_others.who.described}, who is not the recorder"
    if (write := facts.proven_write) is not None:
        reason += f"; the object was written by {write.who.arn}"
    return reason + "."


def _record_displaced(facts: VersionFacts) -> str:
    reason = (
        "The recorder found something that is not its record in the place of this version's record"
    )
    write = facts.undeclared_record_write
    return reason + (f", written by {write.who.described}." if write else ".")


def _record_early(facts: VersionFacts) -> str:
    early = facts.early_record
    assert early is not None  # noqa: S101 - it is what decided
    return (
        f"The record {early.key} was stored at {_moment(early.stored_at)}, and tells of a write at "
        f"{_moment(early.claim.event.time)}: S3 announces none before."
    )


def _unproven(facts: VersionFacts) -> str:
    recorded = "recorded" if facts.records else "not recorded"
    if facts.write is None:
        return (
            f"Without a write, but {recorded}; no digest vouches yet for the log file that says "
            "who wrote the record."
        )
    return (
        f"Written by {facts.write.who.arn} and {recorded}; no digest vouches yet for every log "
        "file that tells of it."
    )


_COMPOSED: Final[Mapping[Ground, Callable[[VersionFacts], str]]] = {
    Ground.BAD_RECORD: _bad_record,
    Ground.RECORDS_DISAGREE: _records_disagree,
    Ground.RECORD_DISPLACED: _record_displaced,
    Ground.RECORD_EARLY: _record_early,
    Ground.UNPROVEN: _unproven,
}


# --- Removals -------------------------------------------------------------------------------------


def of_removing_call(event: TrailEvent, version_id: str) -> str:
    """What an event of the trail removed."""
    what = (
        f"hid this object behind the delete marker {version_id}; its versions remain"
        if event.delete_marker
        else "deleted this version for good"
    )
    return f"{event.who.described} {what}{'' if event.proven else _UNPROVEN}."


def of_hidden_object(removal: Removal, marked_at: datetime) -> str:
    """How an object came to be hidden behind a delete marker."""
    what = f"This object was hidden behind a delete marker at {marked_at:%H:%M:%S}"
    return what + _how(removal)


def of_missing_version(removal: Removal) -> str:
    """How a version that is on record came to be missing."""
    return "This version is gone" + _how(removal)


def _how(removal: Removal) -> str:
    call = removal.call
    unknown = "; no event of the days that were read shows who did it"
    if removal.ground is RemovalGround.BATCH_CALL:
        return (
            f"{unknown}. DeleteObjects names no objects in CloudTrail; these called it on the "
            f"bucket and may have: {_possible(removal.possible)}."
        )
    if call is None:
        return f"{unknown}."
    who = call.who.described
    match removal.ground:
        case RemovalGround.UNPROVEN_CALL:
            return f"; {call.who.arn} called {call.name} at {_when(call)}{_UNPROVEN}."
        case RemovalGround.LIFECYCLE_RULES:
            return (
                f"{unknown}. S3 removes things by a bucket's lifecycle rules without an event; "
                f"{who} set them at {_when(call)}."
            )
    return f": {who} called {call.name} on it at {_when(call)}."


def _possible(calls: Iterable[Call]) -> str:
    """Everybody who made one of these calls, with the time of his last."""
    last = {call.who.described: call for call in sorted(calls, key=lambda call: call.time)}
    return "; ".join(f"{who} (last at {_when(call)})" for who, call in sorted(last.items()))


def of_batch_removal(event: TrailEvent) -> str:
    """A call that removed things and does not say which."""
    return (
        f"{event.who.described} called DeleteObjects on this bucket, and has nothing to clear "
        f"away there{'' if event.proven else _UNPROVEN}. CloudTrail does not tell what it removed: "
        "the audit finds what is gone."
    )


# --- Bytes and versions at rest -------------------------------------------------------------------


def of_reading(
    verdict: Verdict,
    sha256: str | None,
    trouble: str | None,
    on_record: Collection[str],
    swept_at: datetime | None = None,
) -> str:
    """What reading a version's bytes again showed: their hash, or the `trouble` in its place.

    Of a version without a record, what is on record is what the sweep found at `swept_at`.
    """
    match verdict:
        case Verdict.REMOVED:
            return f"S3 does not hand out these bytes any more ({trouble})."
        case Verdict.VERIFIED:
            return "The bytes at rest are those of the record."
    if sha256 is None:
        return f"The bytes at rest are not those on record: {trouble}."
    recorded = " or ".join(sorted(on_record))
    source = "the record" if swept_at is None else f"the sweep of {_moment(swept_at)}"
    return f"The bytes at rest hash to {sha256}; {source} says {recorded}."


def of_altered_file(named: str) -> str:
    """A file that has other bytes than the run which wrote it named."""
    return (
        "The bytes of this file are not those that the run which wrote it named (SHA-256 "
        f"{named}). It was left out; what it held of checks was checked anew."
    )


def of_unrecorded_at_rest(stored_at: datetime) -> str:
    """A version that a bucket holds and no record tells of."""
    return f"This version has been here since {_moment(stored_at)} and no record of it exists."


# --- Everything else ------------------------------------------------------------------------------


def of_undeclared_write(call: TrailEvent, place: str) -> str:
    """A write to a `place` that nobody records; it is empty where nobody is declared."""
    declared = f"is not one of those who write to {place}" if place else "nobody does"
    unproven = "" if call.proven else _UNPROVEN
    return f"{call.who.described} wrote this version and {declared}{unproven}."


def of_early_record(write: TrailEvent) -> str:
    """A record that was filed under a day that had not come."""
    return (
        f"The recorder was told of a write on a day that had not come, and filed its record under "
        f"it at {_when(write)}: S3 did not tell it{'' if write.proven else _UNPROVEN}."
    )


def of_catalog_change(call: ManagementEvent, location: str | None) -> str:
    """A change of the Glue catalog; `location` is what a partition points at since."""
    points = f"; it points at {location[:200]} since" if location else ""
    return (
        f"{call.who.described} called {call.name} on this part of the catalog and is not one "
        f"of those who change it{points}{'' if call.proven else _UNPROVEN}."
    )


def of_control_change(
    call: ManagementEvent, change: ControlChange, name: str, before: ManagementEvent | None
) -> str:
    """A control that somebody changed: what of it, what he asked for, and who had changed it
    before, if that was seen."""
    of_what = f"the {change.aspect} of " if change.aspect else ""
    which = "any " if name == "*" else "the "
    about = f"{of_what}{which}{change.thing} {name.strip('*')}".rstrip()
    reason = f"{call.who.described} called {call.name}, which changes {about}, and is not the "
    reason += f"deployment{'' if call.proven else _UNPROVEN}."
    if change.names is None:
        reason += " CloudTrail does not tell which: it may have been ours."
    if change.asked:
        reason += f" Asked for: {change.asked}."
    if before is not None and before.control is not None:
        reason += f" Before, {before.who.arn} had called {before.name} at {_when(before)}"
        reason += f", asking for: {before.control.asked}." if before.control.asked else "."
    return reason


def of_other_settings(differing: Sequence[str]) -> str:
    """Settings that are not those deployed, where the call that changed them is not known."""
    what = f"they differ in {', '.join(differing)}" if differing else "they cannot be read"
    return (
        f"The settings that Airflow reads are not those that were deployed: {what}. Who changed "
        "them is not known from what was read. It was judged by the deployed ones."
    )


def of_other_recorder(differing: str) -> str:
    """A recorder that is not the deployed one, where the call that changed it is not known."""
    return (
        f"The recorder is not as it was deployed: {differing}. Who changed it is not known from "
        "what was read. What it signed since then proves nothing by itself."
    )


def of_key_away(answer: str) -> str:
    """A key of the deployment's own that cannot be used, whoever did that."""
    return (
        f"S3 does not hand out what is encrypted under this key ({answer}). Nothing of that was "
        "read or sealed; all else was. Who keeps it from being used is not known from that."
    )


def of_causes(causes: Sequence[tuple[LedgerRow, int]], total: int) -> str:
    """Those of `total` controls that are told: a call that changed each, and how many did."""
    told = "; ".join(
        f"{cause.principal_arn} called {cause.event_name} on {cause.object_key} at "
        f"{_moment(cause.event_time)}{f' ({calls} calls)' if calls > 1 else ''}"
        for cause, calls in causes
    )
    more = f"; and {total - len(causes)} more" if total > len(causes) else ""
    return f" Controls that bear on it were changed: {told}{more}."


def of_altered_version(event: TrailEvent) -> str:
    """What somebody did to a version in place."""
    unproven = "" if event.proven else _UNPROVEN
    return (
        f"{event.who.described} called {event.name} on this version, which alters it where it "
        f"lies; nobody is declared to{unproven}."
    )


def of_trail_defect(defect: str, call: Call | None) -> str:
    """A defect of the trail, and the proven call behind it."""
    if call is None:
        return defect
    it = "the trail" if isinstance(call, ManagementEvent) else "it"
    return f"{defect} {call.who.described} called {call.name} on {it} at {call.time:%H:%M:%S}."


def of_malformed_record(trouble: str, write: TrailEvent | None) -> str:
    """An object among the records that is none, and the proven event of its writing."""
    reason = f"This record cannot be read: {trouble}"
    if write is None:
        return reason + "."
    return f"{reason}; it was written by {write.who.described}, who is not the recorder."


def of_bad_statement(trouble: str, write: TrailEvent | None) -> str:
    """A lineage statement that is not to be believed, and the proven event of its writing."""
    reason = f"This lineage statement must not be believed: {trouble}"
    return reason + (f"; it was written by {write.who.described}." if write else ".")


def of_seal_defect(problem: str, detail: str, call: TrailEvent | None) -> str:
    """A defect of the seal, and the proven call behind it."""
    reason = f"The seal does not hold: {problem} ({detail})"
    if call is None:
        return reason + "."
    return f"{reason}; {call.who.arn} called {call.name} on it at {_when(call)}."


def _when(call: Call) -> str:
    return _moment(call.time)


def _moment(time: datetime) -> str:
    return f"{time:%Y-%m-%d %H:%M:%S}"
