"""Audit what stands: the trail, every version at rest, and the seal.

The rules are those of `custody.core.ledger.at_rest`, `custody.core.trail.digest_chain` and
`custody.core.seal.check`; what brings their evidence together is here.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

import boto3
from pyspark import SparkContext
from pyspark.rdd import RDD
from pyspark.sql import SparkSession

from custody.aws.kms.seal_key import kms_signer
from custody.aws.records.evidence import (
    KeyRange,
    StoredVersion,
    read_record,
    stored_versions,
    trusted_keys,
)
from custody.aws.s3.at_rest import audited_versions, read_back
from custody.aws.s3.heads import head_key, recall, remember, standing_version
from custody.aws.seal.content import record_entry, verdict_files
from custody.aws.seal.keeping import LocatedDefect, SealKept, keep_seal, version_of
from custody.aws.trail.proof import ProvenTrail, prove_onward
from custody.core.ledger.at_rest import (
    HeldVersion,
    ObjectAtRest,
    RecordedVersion,
    Removers,
    identity_of,
    is_in_sample,
    recorded_version,
    row_of_reading,
    rows_at_rest,
)
from custody.core.ledger.attribution import trail_rows
from custody.core.ledger.defects import dated_defect
from custody.core.ledger.policy import Policy
from custody.core.ledger.rows import LedgerRow, row_of_call
from custody.core.ledger.seal_rows import seal_row
from custody.core.ledger.verdicts import Verdict
from custody.core.lineage.model import LINEAGE_PREFIX
from custody.core.records.checking import TrustedKey
from custody.core.records.landing import RECORD_PREFIX
from custody.core.seal.entries import RecordEntry, SealEntry
from custody.core.seal.layout import log_origin
from custody.core.trail.events import TrailEvent
from custody.core.trail.management_events import LifecycleSet, ManagementEvent
from custody.objects import UNVERSIONED, ObjectVersion
from custody.settings import Settings
from custody.spark.ledger import verdict_entries, write_rows
from custody.spark.startup import CLIENTS, kms_client, s3_client
from custody.spark.trail import Told, latest, read_logs, told_by

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

log = logging.getLogger(__name__)

# One request each: enough of them at once to hide the waiting.
RECORDS_PER_SLICE = 512
NAMES_PER_SLICE = 50_000

RECORD_FOLDERS = (RECORD_PREFIX, LINEAGE_PREFIX)
TRAIL_HEAD, SEAL_HEAD = "trail.json", "seal"

Met = tuple[str, tuple[Iterable[HeldVersion], Iterable[StoredVersion]]]
Object = tuple[str, str]


@dataclass(frozen=True, slots=True)
class AuditRequest:
    """What to audit: as things stand at ``as_of`` (whole seconds), one in ``sample_days`` of the
    versions, and ``days`` of the trail's events, records and verdicts, the last of them today."""

    as_of: datetime
    grace: timedelta
    sample_days: int
    days: int

    @classmethod
    def of(cls, parameters: Mapping[str, Any]) -> AuditRequest:
        """Read what `dags/custody_audit.py` sends."""
        as_of = datetime.fromisoformat(parameters["as_of"]).astimezone(UTC)
        return cls(
            as_of=as_of.replace(microsecond=0),
            grace=timedelta(minutes=parameters["grace_minutes"]),
            sample_days=parameters["sample_days"],
            days=parameters["days"],
        )

    @property
    def recent(self) -> tuple[date, ...]:
        """The last ``days`` days, in request."""
        today = self.as_of.date()
        return tuple(today - timedelta(days=n) for n in reversed(range(self.days)))

    @property
    def since(self) -> datetime:
        """Where the first of them begins."""
        return datetime.combine(self.recent[0], datetime.min.time(), UTC)


# --- At rest --------------------------------------------------------------------------------------


def at_rest(
    held: RDD[HeldVersion],
    places: RDD[StoredVersion],
    keys: Mapping[str, TrustedKey],
    removers: Mapping[str, Removers],
    policy: Policy,
    *,
    noncurrent: timedelta,
    sample_days: int,
    s3_client: Callable[[], S3Client],
) -> RDD[LedgerRow]:
    """The rows of everything the buckets hold, and of everything on record that they do not.

    ``places`` are the stored objects in the places of records, ``removers`` what the trail tells
    of each bucket. The bytes of the day's sample are read on the workers, with clients of
    ``s3_client``.
    """
    context, day = held.context, policy.as_of.date()
    known = context.broadcast(dict(removers))
    met = (
        held.filter(lambda version: not version.is_marker)
        .map(lambda version: (version.identity, version))
        .cogroup(
            places.flatMap(
                lambda stored: [(found, stored)] if (found := identity_of(stored.key)) else []
            )
        )
        .persist()
    )
    missing = (
        met.filter(lambda pair: not list(pair[1][0]))
        .mapPartitions(lambda pairs: _recorded(pairs, keys, s3_client))
        .map(lambda pair: ((pair[1].bucket, pair[1].key), pair[1]))
        .filter(lambda pair: pair[0][0] in policy.layers)
    )
    standing = met.flatMap(
        lambda pair: [
            ((version.bucket, version.key), (version, bool(list(pair[1][1]))))
            for version in pair[1][0]
        ]
    ).union(
        held.filter(lambda version: version.is_marker).map(
            lambda marker: ((marker.bucket, marker.key), (marker, True))
        )
    )
    compared = standing.cogroup(missing).flatMap(
        lambda pair: rows_at_rest(
            _object(pair[0], *pair[1]), known.value.get(pair[0][0], Removers()), policy, noncurrent
        )
    )
    read = (
        met.filter(lambda pair: list(pair[1][0]) and list(pair[1][1]))
        .filter(lambda pair: is_in_sample(pair[0], day, sample_days))
        # Spread anew: a few large objects must not wait for each other.
        .repartition(context.defaultParallelism * 4)
        .mapPartitions(lambda pairs: _recorded(pairs, keys, s3_client))
        .mapPartitions(lambda pairs: _read(pairs, policy, s3_client))
    )
    return context.union([compared, read])


def _object(
    name: Object,
    standing: Iterable[tuple[HeldVersion, bool]],
    missing: Iterable[RecordedVersion],
) -> ObjectAtRest:
    held = list(standing)
    return ObjectAtRest(
        bucket=name[0],
        key=name[1],
        held=tuple(version for version, _ in held),
        unrecorded=frozenset(version.version_id for version, recorded in held if not recorded),
        missing=tuple(missing),
    )


def _recorded(
    pairs: Iterable[Met], keys: Mapping[str, TrustedKey], s3_client: Callable[[], S3Client]
) -> Iterator[tuple[str, RecordedVersion]]:
    """What the records of each version say, of those that say anything to be believed."""
    s3 = s3_client()
    for identity, (_, places) in pairs:
        found = recorded_version((read_record(s3, place, keys) for place in places), identity)
        if found is not None:
            yield identity, found


def _read(
    pairs: Iterable[tuple[str, RecordedVersion]], policy: Policy, s3_client: Callable[[], S3Client]
) -> Iterator[LedgerRow]:
    """The row of each version's bytes."""
    s3 = s3_client()
    for _, recorded in pairs:
        if recorded.sha256s:
            reading = read_back(s3, recorded.bucket, recorded.key, recorded.version_id)
            row = row_of_reading(recorded, reading, policy)
            if row is not None:
                yield row


# --- The seal -------------------------------------------------------------------------------------


def record_entries(
    context: SparkContext, records: Sequence[StoredVersion], s3_client: Callable[[], S3Client]
) -> list[SealEntry]:
    """The records as the seal keeps them: where each lies and the hash of its envelope."""
    slices = max(1, len(records) // RECORDS_PER_SLICE)
    found: list[SealEntry] = (
        context.parallelize(records, slices)
        .mapPartitions(lambda some: _hashed(some, s3_client))
        .collect()
    )
    return found


def _hashed(
    records: Iterable[StoredVersion], s3_client: Callable[[], S3Client]
) -> Iterator[RecordEntry]:
    s3 = s3_client()
    for stored in records:
        yield record_entry(s3, stored)


# --- Running --------------------------------------------------------------------------------------


def defect_rows(
    trail: ProvenTrail,
    seal_defects: Sequence[LocatedDefect],
    told: Told,
    policy: Policy,
    settings: Settings,
    s3: S3Client,
) -> list[LedgerRow]:
    """The rows of what is wrong with the trail, the seal, and the heads remembered."""
    analytics, provenance = settings.analytics_bucket, settings.provenance_bucket
    defects = [dated_defect(defect, policy.as_of) for defect in trail.report.defects]
    head = (analytics, head_key(SEAL_HEAD))
    placed = [
        (located.defect, version_of(s3, located, bucket=provenance, head=head))
        for located in seal_defects
    ]
    sealer = (settings.auditor,)
    touched = latest(told.events, ((defect.bucket, defect.key) for defect in defects))
    undeclared = latest(
        told.events.filter(lambda event: not event.who.is_one_of(sealer)),
        ((version.bucket, version.key) for _, version in placed),
    )
    rows = trail_rows(defects, told.calls, touched, policy)
    rows += [
        seal_row(defect, version, policy, undeclared.get((version.bucket, version.key)))
        for defect, version in placed
    ]
    if trail.trouble is not None:
        key = head_key(TRAIL_HEAD)
        rows.append(
            row_of_call(
                Verdict.BAD_SIGNATURE,
                f"The head of the trail that was remembered cannot be used: {trail.trouble}. The "
                "trail was proven from its beginning.",
                ObjectVersion(analytics, key, standing_version(s3, analytics, key) or UNVERSIONED),
                time=policy.as_of,
                policy=policy,
                call=None,
            )
        )
    return rows


def by_bucket(
    removals: Iterable[TrailEvent], calls: Iterable[ManagementEvent]
) -> dict[str, Removers]:
    """What may have removed things in each bucket."""
    removed = defaultdict[str, list[TrailEvent]](list)
    rules = defaultdict[str, list[ManagementEvent]](list)
    for event in removals:
        removed[event.bucket].append(event)
    for call in calls:
        if isinstance(call.about, LifecycleSet):
            rules[call.about.bucket].append(call)
    return {
        bucket: Removers(tuple(removed[bucket]), tuple(rules[bucket]))
        for bucket in {*removed, *rules}
    }


def sliced(context: SparkContext, items: Sequence[Any], per_slice: int) -> RDD[Any]:
    return context.parallelize(items, max(1, len(items) // per_slice))


def run(
    spark: SparkSession,
    settings: Settings,
    request: AuditRequest,
    output: str,
) -> dict[str, int]:
    """Audit, write the rows to the URI ``output``, and remember the heads; return verdict counts.

    Versions are listed before records are: a record that comes in between finds its version.
    """
    context, s3 = spark.sparkContext, s3_client()
    analytics, provenance = settings.analytics_bucket, settings.provenance_bucket
    policy = settings.policy(as_of=request.as_of, grace=request.grace)
    trail = prove_onward(
        s3,
        boto3.client("cloudtrail", config=CLIENTS),
        settings,
        as_of=request.as_of,
        since=request.since,
        remembered=recall(s3, analytics, TRAIL_HEAD),
    )
    report = trail.report
    log.info("%d digests proven, %d defects", report.digests_verified, len(report.defects))
    held = list(audited_versions(s3, settings))
    ranges = (KeyRange(folder, "", "") for folder in RECORD_FOLDERS)
    records = [stored for names in ranges for stored in stored_versions(s3, provenance, names)]
    kept = seal_recent(spark, settings, request, s3, records)
    told = told_by(read_logs(context, trail.logs, s3_client), policy)
    found = at_rest(
        sliced(context, held, NAMES_PER_SLICE),
        sliced(context, [r for r in records if r.key.startswith(RECORD_PREFIX)], NAMES_PER_SLICE),
        trusted_keys(kms_client(settings.signing_key_arn), settings),
        by_bucket(told.events.filter(lambda event: not event.is_write).collect(), told.calls),
        policy,
        noncurrent=settings.noncurrent_version_days,
        sample_days=request.sample_days,
        s3_client=s3_client,
    )
    defects = defect_rows(trail, kept.defects, told, policy, settings, s3)
    counts = write_rows(
        spark,
        context.union([found, sliced(context, defects, NAMES_PER_SLICE)]),
        as_of=request.as_of,
        window=(request.since, request.as_of),
        output=output,
    )
    # Once what was found is written: a head that moves on must not leave a defect behind.
    if not report.defects and report.head is not None:
        remember(s3, analytics, TRAIL_HEAD, report.head.to_json().encode())
    if kept.head is not None:
        remember(s3, analytics, SEAL_HEAD, kept.head)
    return counts


def seal_recent(
    spark: SparkSession,
    settings: Settings,
    request: AuditRequest,
    s3: S3Client,
    records: Sequence[StoredVersion],
) -> SealKept:
    """Check the seal against the head remembered, and seal the last days' records and verdicts."""
    provenance, seal_key = settings.provenance_bucket, settings.seal_key_arn
    folders = tuple(f"{folder}dt={day}/" for folder in RECORD_FOLDERS for day in request.recent)
    recent = [stored for stored in records if stored.key.startswith(folders)]
    glue = boto3.client("glue", config=CLIENTS)

    def entries() -> Iterator[SealEntry]:
        yield from record_entries(spark.sparkContext, recent, s3_client)
        files = verdict_files(s3, glue, settings.database, request.recent[0], request.recent[-1])
        yield from verdict_entries(spark, files)

    kept = keep_seal(
        s3,
        provenance,
        entries(),
        signer=kms_signer(kms_client(seal_key), seal_key, log_origin(provenance)),
        remembered=recall(s3, settings.analytics_bucket, SEAL_HEAD),
        sample=(request.as_of.toordinal() % request.sample_days, request.sample_days),
    )
    if kept.sealed is not None:
        log.info("sealed %d new entries", kept.sealed.appended)
    for located in kept.defects:
        log.error("the seal does not hold: %s: %s", located.defect.path, located.defect.reason)
    return kept


def audit(settings: Settings, request: AuditRequest, *, run_id: str) -> None:
    """Audit a deployment and write the rows to where the run ``run_id`` writes."""
    output = f"s3://{settings.analytics_bucket}/audit/run={run_id}/"
    spark = SparkSession.builder.appName("audit").getOrCreate()
    counts = run(spark, settings, request, output)
    log.info("as of %s: %s; %s", request.as_of, counts or "no rows", output)
