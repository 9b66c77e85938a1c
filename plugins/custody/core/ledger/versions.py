"""The ledger of one object: its versions, the evidence about each, and the verdicts.

`rows_of` is the one definition of the ledger. The reconciliation runs it over the history of every
object of a window, the tests over what a case holds.

Events and records are matched by bucket, key and version. An event that does not name its version
is given the one that its request id has in the records. `null` (a bucket without versions) names
no version, so there the request id alone tells writes apart. Completing an upload a second time
succeeds and writes nothing (a client that missed the answer asks again), so all such events of one
upload are about one version.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from custody.core.ledger import reasons
from custody.core.ledger.claims import claimed_id
from custody.core.ledger.facts import StoredRecord, VersionFacts
from custody.core.ledger.kinds.control_changes import altered_in_place
from custody.core.ledger.kinds.removals import is_expected_removal
from custody.core.ledger.kinds.undeclared import unhashed_write_rows
from custody.core.ledger.policy import Policy
from custody.core.ledger.rows import LedgerRow, fingerprint, named_by_request, row_of_call
from custody.core.ledger.verdicts import Ground, Judgement, Verdict, judge
from custody.core.lineage.model import is_statement_key
from custody.core.records.model import LandingRecord, Record
from custody.core.records.names import RECORD_PREFIX, record_id
from custody.core.trail.events import TrailEvent
from custody.core.trail.principals import Principal
from custody.objects import UNVERSIONED, ObjectVersion


@dataclass(frozen=True, slots=True)
class ObjectHistory:
    """The evidence about one object: the trail's events (each once, but for reads) and the records
    about its versions."""

    bucket: str
    key: str
    events: tuple[TrailEvent, ...]
    records: tuple[StoredRecord, ...]


_CLAIMED: Final = frozenset({Verdict.UNWITNESSED, Verdict.PENDING})
"""Verdicts about a write that no event shows, as the record tells of it: by whom is a claim."""


class VersionName(NamedTuple):
    """What tells a version of an object from its others: its id, and the request that wrote it
    where the id is `null` and names none."""

    version_id: str
    request_id: str | None

    @classmethod
    def of(cls, version_id: str, request_id: str | None) -> VersionName:
        return cls(version_id, request_id if version_id == UNVERSIONED else None)


def histories(
    events: Sequence[TrailEvent], records: Sequence[StoredRecord]
) -> Iterator[ObjectHistory]:
    """Events and records, put together object by object."""
    by_object: defaultdict[tuple[str, str], tuple[list[TrailEvent], list[StoredRecord]]] = (
        defaultdict(lambda: ([], []))
    )
    for event in events:
        if event.key is not None:
            by_object[event.bucket, event.key][0].append(event)
    for record in records:
        by_object[record.claim.version.bucket, record.claim.version.key][1].append(record)
    for (bucket, key), (some_events, some_records) in sorted(by_object.items()):
        yield ObjectHistory(bucket, key, tuple(some_events), tuple(some_records))


def rows_of(
    history: ObjectHistory,
    policy: Policy,
    identities: Mapping[str, Principal],
    noted: Collection[str] = (),
    locked: Collection[str] = (),
) -> Iterator[LedgerRow]:
    """The ledger's rows of one object in a bucket of the platform.

    `identities` are the principals the trail shows anywhere in what was read, by principal id;
    `noted` are the ids of the records that the recorder has noted as late, `locked` of those that
    lie under a key of the deployment's own that is away.
    """
    if history.records or policy.layers.get(history.bucket) in policy.writers:
        for facts in versions_of(history, identities, noted, locked):
            yield _version_row(facts, policy)
    elif not _is_read_first(history, policy):
        for event in history.events:
            yield from unhashed_write_rows(event, policy)
    for event in history.events:
        if event.is_removal and not is_expected_removal(event, policy):
            yield _removal_row(event, policy)
        elif not event.is_removal and not event.is_write:
            yield from altered_in_place(event, policy)


def _is_read_first(history: ObjectHistory, policy: Policy) -> bool:
    """Whether what an object says decides before who wrote it: that of a record, or of a lineage
    statement (`custody.core.ledger.kinds.lineage`)."""
    return policy.layers.get(history.bucket) == "provenance" and (
        history.key.startswith(RECORD_PREFIX) or is_statement_key(history.key)
    )


def versions_of(
    history: ObjectHistory,
    identities: Mapping[str, Principal],
    noted: Collection[str] = (),
    locked: Collection[str] = (),
) -> Iterator[VersionFacts]:
    """The evidence about each version of an object."""
    seen = sorted(history.records, key=lambda r: (r.key, repr(r)))
    writes = writes_by_version(history.events, [record.claim for record in seen])
    records: defaultdict[VersionName, list[StoredRecord]] = defaultdict(list)
    for record in seen:
        records[name_in(record.claim)].append(record)
    for name in sorted(writes.keys() | records.keys(), key=str):
        found = tuple(records[name])
        claimed = claimed_id(found[0].claim) if found else None
        version = ObjectVersion(history.bucket, history.key, name.version_id)
        yield VersionFacts(
            version=version,
            writes=tuple(writes.get(name, ())),
            records=found,
            claimed=identities.get(claimed) if claimed else None,
            noted_late=bool(noted) and not found and record_id(version) in noted,
            record_locked=bool(locked) and not found and record_id(version) in locked,
        )


def writes_by_version(
    events: Sequence[TrailEvent], claims: Sequence[Record]
) -> dict[VersionName, list[TrailEvent]]:
    """Group the writes among an object's `events` (each once) by the version they wrote.

    `claims` are the records about the object: of two that name one request, the first counts.
    """
    written = sorted((e for e in events if e.is_write), key=lambda e: e.event_id)
    versions = _version_ids(written, claims)
    writes: defaultdict[VersionName, list[TrailEvent]] = defaultdict(list)
    for event in written:
        version = versions.get(event.event_id, UNVERSIONED)
        writes[VersionName.of(version, event.request_id)].append(event)
    return dict(writes)


def name_in(claim: Record) -> VersionName:
    """The version that a record is about."""
    return VersionName.of(claim.version.version_id, claim.event.request_id)


def _version_ids(writes: Sequence[TrailEvent], claims: Sequence[Record]) -> dict[str, str]:
    """The version each event wrote, by event id, where it, a record or an event of the same upload
    names it."""
    of_request = {
        claim.event.request_id: claim.version.version_id
        for claim in reversed(claims)
        if claim.version.version_id != UNVERSIONED
    }
    named = {
        event.event_id: version
        for event in writes
        if (version := _own_version(event) or of_request.get(event.request_id or ""))
    }
    of_upload = {
        event.upload_id: named[event.event_id]
        for event in writes
        if event.upload_id is not None and event.event_id in named
    }
    again = {e.event_id: of_upload[e.upload_id] for e in writes if e.upload_id in of_upload}
    return again | named


def _own_version(event: TrailEvent) -> str | None:
    return event.version_id if event.version_id != UNVERSIONED else None


def _version_row(facts: VersionFacts, policy: Policy) -> LedgerRow:
    judgement = judge(facts, policy)
    call = judgement.call
    # Who forged a record is told with his own call, and with what he wrote.
    forged = call if call is not None and call is not facts.write else None
    record = (forged and facts.record_of(forged)) or _record_judged(judgement, facts)
    claim = record.claim if record else None
    told = call or facts.write
    if told is not None:
        time, name, request_id = told.time, told.name, told.request_id
    else:
        assert record is not None  # noqa: S101 - VersionFacts holds at least one of the two
        time, name = record.event_time, record.claim.event.name
        request_id = record.claim.event.request_id
    version = facts.version
    claimed = None
    if call is None and judgement.verdict in _CLAIMED and not facts.is_only_announced:
        claimed = facts.claimed_arn
    return LedgerRow(
        event_time=time,
        event_name=name,
        bucket=version.bucket,
        object_key=version.key,
        version_id=version.version_id,
        principal_arn=call.who.arn if call else claimed,
        principal_type=call.who.type
        if call
        else facts.claimed.type
        if claimed and facts.claimed
        else None,
        source_ip=told.source_ip if told else claim.event.source_ip if claim else None,
        user_agent=told.user_agent if told else None,
        request_id=request_id,
        event_id=told.event_id if told else None,
        sha256=claim.sha256 if isinstance(claim, LandingRecord) else None,
        size_bytes=claim.size_bytes if claim else None,
        hashed_at=claim.hashed_at if isinstance(claim, LandingRecord) else None,
        key_id=record.key_id if record else None,
        pipeline_layer=policy.layers.get(version.bucket),
        verdict=judgement.verdict.value,
        verdict_reason=reasons.of_version(judgement, facts, policy),
        fingerprint=fingerprint(judgement.verdict, named_by_request(version, facts.request_id)),
        record_key=forged.key if forged else record.key if record else None,
        log_key=told.log if told else None,
        digest_key=told.digest if told else None,
    )


def _record_judged(judgement: Judgement, facts: VersionFacts) -> StoredRecord | None:
    """The record that a verdict is about: of several, the one that cannot be true."""
    if judgement.ground in (Ground.OTHER_REQUEST, Ground.OTHER_CALLER):
        return facts.contradicted
    if judgement.ground is Ground.RECORD_EARLY:
        return facts.early_record
    return facts.record


def _removal_row(event: TrailEvent, policy: Policy) -> LedgerRow:
    assert event.key is not None  # noqa: S101 - see is_expected_removal
    version = ObjectVersion(event.bucket, event.key, event.version_id or UNVERSIONED)
    return row_of_call(
        Verdict.REMOVED if event.proven else Verdict.PENDING,
        reasons.of_removing_call(event, version.version_id),
        version,
        time=event.time,
        policy=policy,
        call=event,
    )
