"""One object that is unreadable, malformed, encrypted anew or gone is one finding, and all the
others are judged: in each job, in the part of it that reads objects.

Ten thousand of them every night (`make test-thorough`), some dozens otherwise.
"""

from __future__ import annotations

import gzip
import json
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from botocore.exceptions import ClientError
from tests.support.contracts import deployed_contracts
from tests.support.landing_zone import LANDED_AT, PROVENANCE, RAW, LandingZone, MemoryS3
from tests.support.thoroughness import THOROUGH
from tests.support.trail_history import LAYOUT, NOON, History, MemoryStore
from tests.support.trail_records import put

from custody.aws.records.custody_gate import Gate
from custody.aws.s3.listing import StoredVersion
from custody.aws.trail.log_reading import named_log, read_log_file
from custody.aws.trail.logs import NamedLog
from custody.core.datasets.columns import Column
from custody.core.datasets.landed.parts import WHOLE
from custody.core.ledger.kinds.at_rest import RecordedVersion
from custody.core.ledger.kinds.keys import KeyAway
from custody.core.ledger.policy import Policy
from custody.core.lineage.model import LINEAGE_PREFIX, HashedObject, Lineage, Run, statement_key
from custody.core.lineage.statement import to_statements
from custody.core.lineage.trust import LineageKeys
from custody.core.records.model import LandingRecord
from custody.core.seal.entries import RecordEntry
from custody.core.trail.digests.document import parse_digest
from custody.core.trail.events import TrailEvent
from custody.core.trail.log_files import read_log
from custody.objects import ObjectVersion
from custody.spark.audit.sealing import hashed
from custody.spark.audit.versions import read_versions
from custody.spark.reconcile.checking import read_records, read_statements
from custody.spark.silver.lines import read_lines
from custody.spark.silver.shares import FilePart

MANY = 10_000 if THOROUGH else 40
OWN, OTHERS = (f"arn:aws:kms:us-east-1:111122223333:key/{name}" for name in ("own", "others"))
JOB = "arn:aws:glue:us-east-1:111122223333:job/to-silver"
OWN_KEYS = frozenset({"own"})
AWAY = KeyAway("own", "KMS.DisabledException")
POLICY = Policy(
    as_of=NOON,
    grace=timedelta(0),
    layers={RAW: "bronze"},
    writers={},
    recorders=(),
    named={"key": OWN_KEYS},
)
CONTRACT = replace(
    next(one for one in deployed_contracts() if one.dataset == "customers"),
    columns=(Column("customer_id", "string"),),
    deduplication_order=(),
    max_rejected_share=Decimal(1),
)


class Stubborn(MemoryS3):
    """A bucket in which one object was encrypted anew under a key (`used`) that nobody may use."""

    def __init__(self, objects: Any, key: str, used: str = OTHERS) -> None:
        super().__init__(objects)
        self.key, self.used = key, used

    def get_object(self, **asked: Any) -> dict[str, Any]:
        if asked["Key"] == self.key:
            error = {"Code": "KMS.DisabledException", "Message": "no"}
            answer = {"Error": error, "ResponseMetadata": {"HTTPStatusCode": 400}}
            raise ClientError(answer, "GetObject")  # type: ignore[arg-type]
        return super().get_object(**asked)

    def head_object(self, **_: Any) -> dict[str, Any]:
        return {"SSEKMSKeyId": self.used}


@pytest.fixture(scope="module")
def zone() -> LandingZone:
    zone = LandingZone()
    for number in range(MANY):
        zone.land(f"incoming/customers/dt=2026-11-01/{number:05}.csv", b"customer_id\nC-1\n")
    return zone


def stored(zone: LandingZone, bucket: str) -> list[StoredVersion]:
    return [
        StoredVersion(ObjectVersion(bucket, key, version), LANDED_AT, "e", 1)
        for (of, key), versions in sorted(zone.s3.objects.items())
        if of == bucket and not key.startswith(LINEAGE_PREFIX)
        for version, _ in versions
    ]


Bucket = Callable[[LandingZone, StoredVersion], MemoryS3]


def named(value: object) -> str:
    return getattr(value, "__name__", str(value))


def encrypted_anew(zone: LandingZone, one: StoredVersion) -> MemoryS3:
    return Stubborn(zone.s3.objects, one.version.key)


def gone(zone: LandingZone, one: StoredVersion) -> MemoryS3:
    name = one.version.bucket, one.version.key
    return MemoryS3({k: v for k, v in zone.s3.objects.items() if k != name})


def malformed(zone: LandingZone, one: StoredVersion) -> MemoryS3:
    name = one.version.bucket, one.version.key
    return MemoryS3({**zone.s3.objects, name: [(one.version.version_id, b"{")]})


def under_an_own_key(zone: LandingZone, one: StoredVersion) -> MemoryS3:
    return Stubborn(zone.s3.objects, one.version.key, OWN)


@pytest.mark.parametrize(
    ("bucket", "told", "away"),
    [
        (encrypted_anew, 1, None),
        (malformed, 1, None),
        (gone, 0, None),
        (under_an_own_key, 1, "own"),
    ],
    ids=named,
)
def test_the_reconciliation_reads_every_other_record(
    zone: LandingZone, bucket: Bucket, told: int, away: str | None
) -> None:
    records = stored(zone, PROVENANCE)
    s3 = bucket(zone, records[MANY // 2])
    read = list(read_records(records, zone.keys, lambda: s3, OWN_KEYS))
    assert Counter(envelope.trouble is None for envelope in read) == Counter(
        {True: MANY - 1} | ({False: told} if told else {})
    )
    assert {envelope.key_away for envelope in read} - {None} == ({away} if away else set())


@pytest.mark.parametrize(
    ("bucket", "away"), [(encrypted_anew, []), (gone, []), (under_an_own_key, [AWAY])], ids=named
)
def test_the_audit_seals_every_other_record(
    zone: LandingZone, bucket: Bucket, away: list[KeyAway]
) -> None:
    records = stored(zone, PROVENANCE)
    s3 = bucket(zone, records[MANY // 2])
    found = list(hashed(records, lambda: s3, OWN_KEYS))
    assert [one for one in found if isinstance(one, KeyAway)] == away
    assert len({one.key for one in found if isinstance(one, RecordEntry)}) == MANY - 1


def recorded(zone: LandingZone) -> list[tuple[str, RecordedVersion]]:
    envelopes = read_records(stored(zone, PROVENANCE), zone.keys, lambda: zone.s3)
    claims = [envelope.claim for envelope in envelopes]
    return [
        ("", RecordedVersion(claim.version, NOON, NOON, frozenset({claim.sha256}), 1, None, ""))
        for claim in claims
        if isinstance(claim, LandingRecord)
    ]


@pytest.mark.parametrize(
    ("bucket", "verdict"),
    [
        (encrypted_anew, "ALTERED"),
        (malformed, "ALTERED"),
        (gone, "REMOVED"),
        (under_an_own_key, "CONTROL_CHANGED"),
    ],
    ids=named,
)
def test_the_audit_reads_every_other_version(
    zone: LandingZone, bucket: Bucket, verdict: str
) -> None:
    s3 = bucket(zone, stored(zone, RAW)[MANY // 2])
    rows = list(read_versions(recorded(zone), POLICY, lambda: s3))
    assert Counter(row.verdict for row in rows) == {"VERIFIED": MANY - 1, verdict: 1}


def test_an_own_key_that_is_away_is_one_finding_that_accuses_nobody(zone: LandingZone) -> None:
    """However much is encrypted under it."""

    class Locked(Stubborn):
        def get_object(self, **asked: Any) -> dict[str, Any]:
            self.key = asked["Key"]
            return super().get_object(**asked)

    s3 = Locked(zone.s3.objects, "", OWN)
    rows = list(read_versions(recorded(zone), POLICY, lambda: s3))
    assert len(rows) == MANY
    (row,) = set(rows)
    assert (row.bucket, row.object_key) == ("AwsControl", "kms/key/own/state")
    assert row.principal_arn is None
    assert set(hashed(stored(zone, PROVENANCE), lambda: s3, OWN_KEYS)) == {AWAY}


@pytest.mark.parametrize(
    ("bucket", "code"),
    [
        (encrypted_anew, "custody.unreadable"),
        (malformed, "custody.altered"),
        (gone, "custody.unreadable"),
    ],
    ids=named,
)
def test_silver_is_built_of_every_other_file(zone: LandingZone, bucket: Bucket, code: str) -> None:
    files = stored(zone, RAW)
    assert broken_files(zone, files, bucket(zone, files[MANY // 2])) == [code]


@pytest.mark.parametrize(
    ("bucket", "code"),
    [
        (encrypted_anew, "custody.bad_signature"),
        (malformed, "custody.bad_signature"),
        (gone, "custody.unrecorded"),
    ],
    ids=named,
)
def test_silver_is_built_of_every_file_but_the_one_whose_record_is_no_good(
    zone: LandingZone, bucket: Bucket, code: str
) -> None:
    s3 = bucket(zone, stored(zone, PROVENANCE)[MANY // 2])
    assert broken_files(zone, stored(zone, RAW), s3) == [code]


def broken_files(zone: LandingZone, files: list[StoredVersion], s3: MemoryS3) -> list[str]:
    """Why files are left out; the rows of all others are there."""
    parts = [FilePart(number, file, WHOLE) for number, file in enumerate(files)]
    day, gate = date(2026, 11, 1), Gate(PROVENANCE, zone.keys)
    batches = read_lines(parts, gate, CONTRACT, day, lambda: s3)
    lines = [line for batch in batches for line in batch.to_pylist()]
    reasons = [line["closing"]["file_reason"] for line in lines if line["closing"] is not None]
    broken = [reason.partition(":")[0] for reason in reasons if reason is not None]
    assert len(reasons) == len(files)
    assert sum(line["source_line"] is not None for line in lines) == len(files) - len(broken)
    return broken


@pytest.fixture(scope="module")
def written(zone: LandingZone) -> list[TrailEvent]:
    """The writing of as many lineage statements, which lie beside the records."""
    events = []
    for number in range(MANY):
        run = Run("2026-11-01", f"jr_{number:05}")
        name = f"silver/customers/dt={run.dt}/run={run.id}/part-0.parquet"
        made = HashedObject(ObjectVersion("processed", name, "v1"), "c1" * 32)
        lineage = Lineage(run, JOB, {}, NOON, NOON, {"dt": run.dt}, (), (), (made,))
        zone.s3.put(PROVENANCE, statement_key(run), zone.sign(to_statements(lineage)[0]), "v1")
        event = put(
            eventID=run.id,
            requestParameters={"bucketName": PROVENANCE, "key": statement_key(run)},
        )
        events += read_log(json.dumps({"Records": [event]}).encode(), log="log", proven=True).events
    return events


@pytest.mark.parametrize(
    ("bucket", "told"), [(encrypted_anew, 1), (malformed, 1), (gone, 0)], ids=named
)
def test_the_reconciliation_checks_every_other_lineage_statement(
    zone: LandingZone, written: list[TrailEvent], bucket: Bucket, told: int
) -> None:
    one = written[MANY // 2]
    assert one.key is not None
    stored_one = StoredVersion(ObjectVersion(PROVENANCE, one.key, "v1"), LANDED_AT)
    s3 = bucket(zone, stored_one)
    keys = LineageKeys({name: key.der for name, key in zone.keys.items()}, frozenset({JOB}))
    checks = list(read_statements(written, keys, lambda: s3))
    assert Counter(check.trouble is None for check in checks) == Counter(
        {True: MANY - 1} | ({False: told} if told else {})
    )


@pytest.mark.parametrize("fault", ["refused", "malformed", "gone"])
def test_both_jobs_read_every_other_log_file(fault: str) -> None:
    history = History(MemoryStore(), logs_per_hour=9).hours(-(-MANY // 9))
    store = history.store
    listed = {stored.key: stored for stored in store.list("")}
    logs = [
        named_log(LAYOUT.region, NamedLog(log, digest, listed[log.key]), wanted=True)
        for digest in history.digests
        for log in parse_digest(gzip.decompress(store.current(digest).body or b"")).log_files
    ]
    one = logs[len(logs) // 2].key
    if fault == "refused":
        store.refused.add(one)
    elif fault == "malformed":
        store.rewrite(one, b"rubbish")
    else:
        store.purge(one)
    read = [read_log_file(store, log) for log in logs]
    assert [log.file.key for log in read if log.defect is not None] == [one]
    assert sum(log.content is not None for log in read) == len(logs) - 1 >= MANY - 1
