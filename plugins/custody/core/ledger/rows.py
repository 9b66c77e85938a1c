"""The ledger of one object: its versions, what both witnesses say of each, and the verdicts.

`rows_of` is the one definition of the ledger. The reconciliation runs it over the history of every
object of a window, the auditor's command line over a copy of the buckets.

The witnesses meet on bucket, key and version. An event that does not name its version is given the
one its request id has in the records. ``null`` (a bucket without versions) names no version, so
there the request id alone tells writes apart. Completing an upload a second time succeeds and
writes nothing (a client that missed the answer asks again), so all such events of one upload are
about one version.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from custody.core.ledger.policy import Policy
from custody.core.ledger.verdicts import (
    Judgement,
    SeenRecord,
    Verdict,
    VersionFacts,
    claimed_id,
    judge,
)
from custody.core.lineage.model import is_statement_key
from custody.core.records.landing import RECORD_PREFIX, LandingRecord
from custody.core.trail.defects import TrailDefect, TrailDefectKind
from custody.core.trail.events import TrailEvent
from custody.core.trail.management_events import CatalogChanged, ManagementEvent
from custody.core.trail.principals import Call, Principal
from custody.objects import UNVERSIONED

CATALOG: Final = "AwsDataCatalog"
"""Stands for a bucket in rows about the Glue catalog: Athena's name of it, and no bucket's."""


@dataclass(frozen=True, slots=True)
class ObjectHistory:
    """All that both witnesses say of one object: the trail's events (each once, writes and
    removals) and the records about its versions."""

    bucket: str
    key: str
    events: tuple[TrailEvent, ...]
    records: tuple[SeenRecord, ...]


@dataclass(frozen=True, slots=True)
class IllegibleRecord:
    """An object in the place of a record that is no envelope of a landing record.

    ``trouble`` says what is wrong with it, ``stored_at`` when it was stored; ``outsider`` is the
    trail's event of somebody other than the recorder writing it.
    """

    bucket: str
    place: str
    version_id: str
    stored_at: datetime
    trouble: str
    outsider: TrailEvent | None


@dataclass(frozen=True, slots=True)
class Outage:
    """A stretch in which the trail logged or proved nothing: from ``since`` (None: not known) to
    ``until`` (None: it lasts)."""

    since: datetime | None
    until: datetime | None


@dataclass(frozen=True, slots=True)
class DatedDefect:
    """Something wrong with the trail: an object of it (``version_id`` is ``"null"`` for one that is
    not there), when, why in one sentence, and the digest that shows it; ``outage`` if it was
    switched off."""

    bucket: str
    key: str
    version_id: str
    time: datetime
    reason: str
    digest_key: str | None = None
    outage: Outage | None = None


@dataclass(frozen=True, slots=True)
class LedgerRow:
    """One write or removal of an object version, or one record without a write.

    The fields are the columns of the table ``reconciliation``; ``record_key``, ``log_key`` and
    ``digest_key`` name the evidence: the record, the log file that holds the event, and the digest
    that vouches for that file (or, for a defect of the trail that no event explains, shows it).
    """

    event_time: datetime
    event_name: str | None
    bucket: str
    object_key: str
    version_id: str
    principal_arn: str | None
    principal_type: str | None
    source_ip: str | None
    user_agent: str | None
    request_id: str | None
    event_id: str | None
    sha256: str | None
    size_bytes: int | None
    hashed_at: datetime | None
    key_id: str | None
    pipeline_layer: str | None
    verdict: str
    verdict_reason: str
    fingerprint: str
    record_key: str | None
    log_key: str | None
    digest_key: str | None


def fingerprint(verdict: str, bucket: str, key: str, version_id: str) -> str:
    """What makes two findings the same one: the verdict and the object version.

    ``version_id`` is whatever tells the version from the key's others: where it is not named, the
    request that wrote it.
    """
    text = "\n".join((verdict, bucket, version_id, key))
    return hashlib.sha256(text.encode("utf-8")).hexdigest()


def rows_of(
    history: ObjectHistory, policy: Policy, identities: Mapping[str, Principal]
) -> Iterator[LedgerRow]:
    """The ledger's rows of one object in a bucket of the platform.

    ``identities`` are the principals the trail shows anywhere in what was read, by principal id.
    """
    if history.records or policy.layers.get(history.bucket) in policy.writers:
        for facts in _versions(history, identities):
            yield _row(facts, judge(facts, policy), policy)
    elif policy.layers.get(history.bucket) == "provenance" and not (
        history.key.startswith(RECORD_PREFIX)
        # What a lineage statement says decides first: `custody.core.ledger.lineage_checks`.
        or is_statement_key(history.key)
    ):
        for event in history.events:
            yield from written_beside_the_records(event, policy)
    for event in history.events:
        if not event.is_write and not _explained(event, policy):
            yield _removal(event, policy)


def written_beside_the_records(event: TrailEvent, policy: Policy) -> Iterator[LedgerRow]:
    """The row of a write to the provenance bucket, beside the records, by somebody who is no
    declared writer of the prefix.

    Nobody hashes what lies there: it is signed, and whoever reads it verifies that.
    """
    if not event.is_write or event.key is None:
        return
    prefix = max(
        (p for p in policy.prefix_writers if event.key.startswith(p)), key=len, default=None
    )
    writers = policy.prefix_writers[prefix] if prefix is not None else ()
    if event.who.is_one_of(writers):
        return
    keeps = f"is not one of those who write to {prefix}" if prefix else "nobody does"
    yield _unexpected(
        f"{event.who.described} wrote this version and {keeps}",
        event,
        policy,
        bucket=event.bucket,
        key=event.key,
        version_id=event.version_id or UNVERSIONED,
    )


def catalog_rows(call: ManagementEvent, policy: Policy) -> Iterator[LedgerRow]:
    """The rows of a change of our database in the Glue catalog by somebody who has no part in it:
    one for each partition, else for each table, else for the database."""
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
        points = f"; it points at {location[:200]} since" if location else ""
        yield _unexpected(
            f"{call.who.described} called {call.name} on this part of the catalog and is not one "
            f"of those who change it{points}",
            call,
            policy,
            bucket=CATALOG,
            key=name.rstrip("/"),
            version_id=UNVERSIONED,
        )


def _unexpected(
    reason: str, call: Call, policy: Policy, *, bucket: str, key: str, version_id: str
) -> LedgerRow:
    verdict = Verdict.UNEXPECTED_PRINCIPAL if call.proven else Verdict.PENDING
    unproven = "" if call.proven else ", says a log file that no digest vouches for yet"
    row = row_of_call(
        verdict,
        f"{reason}{unproven}.",
        bucket=bucket,
        key=key,
        version_id=version_id,
        time=call.time,
        policy=policy,
        culprit=call,
    )
    named = _of_request(version_id, call.request_id or call.event_id)
    return replace(row, fingerprint=fingerprint(verdict, bucket, key, named))


def _of_request(version_id: str, request_id: str | None) -> str:
    """A name of a version for its fingerprint: else two unnamed ones of a key were one finding."""
    return f"{UNVERSIONED} of request {request_id}" if version_id == UNVERSIONED else version_id


def _versions(
    history: ObjectHistory, identities: Mapping[str, Principal]
) -> Iterator[VersionFacts]:
    seen = sorted(history.records, key=lambda r: (r.place, repr(r)))
    written = sorted((e for e in history.events if e.is_write), key=lambda e: e.event_id)
    versions = _named_versions(written, seen)
    writes: defaultdict[tuple[str, str | None], list[TrailEvent]] = defaultdict(list)
    records: defaultdict[tuple[str, str | None], list[SeenRecord]] = defaultdict(list)
    for event in written:
        version = versions.get(event.event_id, UNVERSIONED)
        writes[_identity(version, event.request_id)].append(event)
    for record in seen:
        claim = record.claim
        records[_identity(claim.version_id, claim.event.request_id)].append(record)
    for version, request_id in sorted(writes.keys() | records.keys(), key=str):
        found = tuple(records[version, request_id])
        claimed = claimed_id(found[0].claim) if found else None
        yield VersionFacts(
            bucket=history.bucket,
            key=history.key,
            version_id=version,
            writes=tuple(writes[version, request_id]),
            records=found,
            claimed=identities.get(claimed) if claimed else None,
        )


def _named_versions(writes: Sequence[TrailEvent], records: Sequence[SeenRecord]) -> dict[str, str]:
    """The version each event wrote, by event id, where it or another witness names it."""
    of_request = {
        record.claim.event.request_id: record.claim.version_id
        for record in reversed(records)
        if record.claim.version_id != UNVERSIONED
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


def _identity(version_id: str, request_id: str | None) -> tuple[str, str | None]:
    return version_id, request_id if version_id == UNVERSIONED else None


def _row(facts: VersionFacts, judgement: Judgement, policy: Policy) -> LedgerRow:
    write, record = facts.write, facts.record
    claim = record.claim if record else None
    if write is not None:
        time, name, request_id = write.time, write.name, write.request_id
    else:
        assert record is not None  # noqa: S101 - VersionFacts holds at least one of the two
        time, name = record.event_time, record.claim.event.name
        request_id = record.claim.event.request_id
    named = _of_request(facts.version_id, request_id)
    return LedgerRow(
        event_time=time,
        event_name=name,
        bucket=facts.bucket,
        object_key=facts.key,
        version_id=facts.version_id,
        principal_arn=judgement.principal_arn,
        principal_type=judgement.principal_type,
        source_ip=judgement.source_ip,
        user_agent=judgement.user_agent,
        request_id=request_id,
        event_id=write.event_id if write else None,
        sha256=claim.sha256 if isinstance(claim, LandingRecord) else None,
        size_bytes=claim.size_bytes if claim else None,
        hashed_at=claim.hashed_at if isinstance(claim, LandingRecord) else None,
        key_id=record.key_id if record else None,
        pipeline_layer=policy.layers.get(facts.bucket),
        verdict=judgement.verdict.value,
        verdict_reason=judgement.reason,
        fingerprint=fingerprint(judgement.verdict, facts.bucket, facts.key, named),
        record_key=record.place if record else None,
        log_key=write.log if write else None,
        digest_key=write.digest if write else None,
    )


def is_working_file(key: str) -> bool:
    """Whether a key is one that Spark clears away itself: its working folder, a folder marker.

    No part file that holds published rows lies in a folder of this name.
    """
    return "/_temporary/" in key or key.endswith(("/", "_$folder$"))


def _explained(removal: TrailEvent, policy: Policy) -> bool:
    """Whether a removal is nothing to tell of here: a layer's writer clearing its working files.

    ``DeleteObjects`` names no keys: what it removed is found by comparing versions (the audit).
    What is removed from the trail's own bucket is for the proof of the trail to tell.
    """
    layer = policy.layers.get(removal.bucket, "trail")
    if removal.key is None or layer == "trail":
        return True
    return is_working_file(removal.key) and removal.who.is_one_of(policy.writers.get(layer, ()))


def _removal(event: TrailEvent, policy: Policy) -> LedgerRow:
    assert event.key is not None  # noqa: S101 - see _explained
    version = event.version_id or UNVERSIONED
    what = (
        f"hid this object behind the delete marker {version}; its versions remain"
        if event.delete_marker
        else "deleted this version for good"
    )
    verdict, reason = Verdict.REMOVED, f"{event.who.described} {what}."
    if not event.proven:
        verdict = Verdict.PENDING
        reason = f"{reason[:-1]}, says a log file that no digest vouches for yet."
    return row_of_call(
        verdict,
        reason,
        bucket=event.bucket,
        key=event.key,
        version_id=version,
        time=event.time,
        policy=policy,
        culprit=event,
    )


def dated_defect(defect: TrailDefect, time: datetime) -> DatedDefect:
    """What the validator found, as of ``time``."""
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


def trail_row(defect: DatedDefect, policy: Policy, culprit: Call | None) -> LedgerRow:
    """The row of something wrong with the trail itself; ``culprit`` is who touched the object, or
    who switched the trail."""
    reason = defect.reason
    if culprit is not None and not culprit.proven:
        culprit = None
    if culprit is not None:
        it = "the trail" if isinstance(culprit, ManagementEvent) else "it"
        reason = (
            f"{reason} {culprit.who.described} called {culprit.name} on {it} at "
            f"{culprit.time:%H:%M:%S}."
        )
    row = row_of_call(
        Verdict.TRAIL_BROKEN,
        reason,
        bucket=defect.bucket,
        key=defect.key,
        version_id=defect.version_id,
        time=defect.time,
        policy=policy,
        culprit=culprit,
    )
    return row if culprit is not None else replace(row, digest_key=defect.digest_key)


def illegible_row(record: IllegibleRecord, policy: Policy) -> LedgerRow:
    """The row of an envelope that names no object version: it is about itself."""
    outsider = record.outsider if record.outsider and record.outsider.proven else None
    reason = f"This record cannot be read: {record.trouble}."
    if outsider is not None:
        reason = (
            reason[:-1] + f"; it was written by {outsider.who.described}, who is not the recorder."
        )
    return row_of_call(
        Verdict.BAD_SIGNATURE,
        reason,
        bucket=record.bucket,
        key=record.place,
        version_id=record.version_id,
        time=outsider.time if outsider else record.stored_at,
        policy=policy,
        culprit=outsider,
    )


def row_of_call(
    verdict: Verdict,
    reason: str,
    *,
    bucket: str,
    key: str,
    version_id: str,
    time: datetime,
    policy: Policy,
    culprit: Call | None,
) -> LedgerRow:
    """A row about what somebody's call did to an object, not about a version's two witnesses."""
    return LedgerRow(
        event_time=time,
        event_name=culprit.name if culprit else None,
        bucket=bucket,
        object_key=key,
        version_id=version_id,
        principal_arn=culprit.who.arn if culprit else None,
        principal_type=culprit.who.type if culprit else None,
        source_ip=culprit.source_ip if culprit else None,
        user_agent=culprit.user_agent if culprit else None,
        request_id=culprit.request_id if culprit else None,
        event_id=culprit.event_id if culprit else None,
        sha256=None,
        size_bytes=None,
        hashed_at=None,
        key_id=None,
        pipeline_layer="catalog" if bucket == CATALOG else policy.layers.get(bucket),
        verdict=verdict.value,
        verdict_reason=reason,
        fingerprint=fingerprint(verdict, bucket, key, version_id),
        record_key=key if verdict is Verdict.BAD_SIGNATURE else None,
        log_key=culprit.log if culprit else None,
        digest_key=culprit.digest if culprit else None,
    )


def histories(
    events: Sequence[TrailEvent], records: Sequence[SeenRecord]
) -> Iterator[ObjectHistory]:
    """Events and records, put together object by object."""
    by_object: defaultdict[tuple[str, str], tuple[list[TrailEvent], list[SeenRecord]]] = (
        defaultdict(lambda: ([], []))
    )
    for event in events:
        if event.key is not None:
            by_object[event.bucket, event.key][0].append(event)
    for record in records:
        by_object[record.claim.bucket, record.claim.key][1].append(record)
    for (bucket, key), (some_events, some_records) in sorted(by_object.items()):
        yield ObjectHistory(bucket, key, tuple(some_events), tuple(some_records))
