"""The lineage of both jobs, on local Spark: what they read, what they wrote, and nothing else."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from tests.support.customers import BROKEN_FILES, CONTRACT, DT, PREFIX, csv, good
from tests.support.landing_zone import (
    LINEAGE_KEY_ARN,
    PROVENANCE,
    RAW,
    LandingZone,
    MemoryKms,
    MemoryS3,
    token_keys,
)

from custody.aws.lineage.keeping import reader
from custody.aws.records.custody_gate import Gate
from custody.core.datasets.contracts import Contract
from custody.core.lineage.model import HashedObject, Lineage, Material, Run
from custody.core.lineage.trust import BadLineage, NoLineage, Trust
from custody.objects import ObjectVersion
from custody.spark import gold
from custody.spark.contracts import read_contract
from custody.spark.glue_runs import (
    ChangedOutputs,
    GlueRun,
    job_arn,
    record_lineage,
    verified_outputs,
)
from custody.spark.silver import job as silver

# PySpark leaves the socket of every collect() to the garbage collector.
pytestmark = pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning")

PROCESSED = "custody-test-processed"
LOCATIONS = [f"s3://{PROCESSED}/{area}/customers/dt={DT}/run=jr_1/" for area in silver.AREAS]
SILVER = LOCATIONS[0]
MATERIALS = (Material("script", "aa" * 32),)


def version(bucket: str, key: str, version_id: str, body: bytes) -> HashedObject:
    return HashedObject(ObjectVersion(bucket, key, version_id), hashlib.sha256(body).hexdigest())


INPUT = version(RAW, PREFIX + "a.csv", "v1", b"a")


@dataclass
class Job:
    """A run of bronze_to_silver whose outputs lie in a bucket in memory."""

    spark: Any
    s3: MemoryS3
    kms: MemoryKms

    def record(self, job_name: str = "silver-job") -> Lineage:
        s3 = self.s3
        parameters = {
            "dt": str(DT),
            "provenance_bucket": PROVENANCE,
            "lineage_key_arn": LINEAGE_KEY_ARN,
        }
        return record_lineage(
            self.spark,
            GlueRun(job_name, "jr_1", parameters, datetime(2026, 11, 2, tzinfo=UTC), MATERIALS),
            inputs=[INPUT],
            locations=LOCATIONS,
            s3_client=lambda: s3,  # type: ignore[arg-type,return-value]
            kms=self.kms,  # type: ignore[arg-type]
        )

    def verified(self, location: str = SILVER, job_name: str = "silver-job") -> list[HashedObject]:
        s3 = self.s3
        return verified_outputs(
            self.spark,
            location,
            read=reader(s3, PROVENANCE),  # type: ignore[arg-type]
            trust=Trust(
                {LINEAGE_KEY_ARN: self.kms.key.public_key()},
                frozenset({job_arn(LINEAGE_KEY_ARN, job_name)}),
            ),
            s3_client=lambda: s3,  # type: ignore[arg-type,return-value]
        )


@pytest.fixture
def job(spark: Any) -> Job:
    s3 = MemoryS3()
    for location in LOCATIONS:
        key = location.removeprefix(f"s3://{PROCESSED}/")
        s3.put(PROCESSED, f"{key}part-0.parquet", key.encode(), "o1")
        s3.put(PROCESSED, key, b"", "marker")
    s3.put(PROCESSED, SILVER.removeprefix(f"s3://{PROCESSED}/") + "part-1.parquet", b"2", "o2")
    s3.put(PROCESSED, f"silver/customers/dt={DT}/run=jr_2/part-0.parquet", b"other run", "o1")
    return Job(spark, s3, MemoryKms())


def test_inputs_are_what_came_through_the_gate_broken_or_not(
    spark: Any, contract: Contract, tmp_path: Path
) -> None:
    zone = LandingZone()
    body = csv(good())
    zone.land(PREFIX + "good.csv", body, version_id="g1")
    empty, header = BROKEN_FILES["empty"][0], BROKEN_FILES["header"][0]
    zone.land(PREFIX + "empty.csv", empty)
    zone.land(PREFIX + "header.csv", header)
    zone.land(PREFIX + "unrecorded.csv", csv(good(2)), recorded=False)
    zone.land(PREFIX + "altered.csv", csv(good(3)), claims={"sha256": "0" * 64})
    another = ObjectVersion(RAW, PREFIX + "good.csv", "v1")
    zone.land(PREFIX + "borrowed.csv", csv(good(4)), claims={"version": another})
    s3 = zone.s3
    accounts = silver.run(
        spark,
        silver.SilverRun("customers", DT, "jr_1", RAW, PROVENANCE, PROCESSED),
        replace(contract, max_rejected_share=Decimal(1)),
        Gate(PROVENANCE, zone.keys),
        lambda: s3,  # type: ignore[arg-type,return-value]
        lambda area: str(tmp_path / area),
        token_keys(contract),
    )

    assert sorted(silver.read_inputs(accounts, RAW)) == [
        version(RAW, PREFIX + "empty.csv", "v1", empty),
        version(RAW, PREFIX + "good.csv", "g1", body),
        version(RAW, PREFIX + "header.csv", "v1", header),
    ]


def test_the_contract_is_known_by_version_and_bytes(contract: Contract) -> None:
    text = CONTRACT.read_bytes()
    s3 = MemoryS3()
    s3.put("code", "contracts/customers.odcs.yaml", text, "c1")
    uri = "s3://code/contracts/customers.odcs.yaml"

    read, material = read_contract(s3, "s3://code", "customers")  # type: ignore[arg-type]

    assert read == contract
    digest = hashlib.sha256(text).hexdigest()
    assert material == Material("contract", digest, uri, "c1", contract.version)
    s3.put("code", "contracts/orders.odcs.yaml", text, "c2")
    with pytest.raises(ValueError, match="the contract of customers, not of orders"):
        read_contract(s3, "s3://code", "orders")  # type: ignore[arg-type]


def test_a_run_states_every_object_it_wrote(job: Job) -> None:
    lineage = job.record()

    written = [
        (key, version_id, body)
        for (bucket, key), ((version_id, body),) in job.s3.objects.items()
        if bucket == PROCESSED and "run=jr_1" in key and not key.endswith("/")
    ]
    assert lineage.run == Run(str(DT), "jr_1")
    assert lineage.builder_id == "arn:aws:glue:us-east-1:111122223333:job/silver-job"
    assert lineage.platform["spark"] == job.spark.version
    assert (lineage.materials, lineage.inputs) == (MATERIALS, (INPUT,))
    assert lineage.outputs == tuple(sorted(version(PROCESSED, *item) for item in written))
    assert len(lineage.outputs) == 4
    assert lineage.started_on < lineage.finished_on


def test_what_a_run_wrote_is_verified_for_the_next(job: Job) -> None:
    lineage = job.record()

    assert job.verified() == [
        item for item in lineage.outputs if item.version.key.startswith("silver/")
    ]


def test_without_its_lineage_a_run_is_not_read(job: Job) -> None:
    with pytest.raises(NoLineage, match="run jr_1 of 2026-11-01 has no statement"):
        job.verified()
    with pytest.raises(NoLineage, match="not the location of a run"):
        job.verified(f"s3://{PROCESSED}/silver/")


def test_lineage_of_a_builder_that_is_not_the_expected_one_is_not_believed(job: Job) -> None:
    job.record("another-job")
    with pytest.raises(BadLineage, match="job/another-job, whose lineage is not trusted"):
        job.verified()


PART = SILVER.removeprefix(f"s3://{PROCESSED}/") + "part-0.parquet"


@pytest.mark.parametrize(
    ("versions", "problem"),
    [
        ([("o1", b"other bytes")], "2 such differences"),
        ([("o1", PART.encode()), ("o9", PART.encode())], r"version o1, .*stated, but not there"),
        ([], "is stated, but not there"),
    ],
    ids=["bytes swapped", "a new version", "gone"],
)
def test_a_changed_output_stops_the_next_job(
    job: Job, versions: list[tuple[str, bytes]], problem: str
) -> None:
    job.record()
    del job.s3.objects[PROCESSED, PART]
    for version_id, body in versions:
        job.s3.put(PROCESSED, PART, body, version_id)

    with pytest.raises(ChangedOutputs, match=problem):
        job.verified()


def test_an_added_output_stops_the_next_job(job: Job) -> None:
    job.record()
    added = PART.replace("part-0", "part-9")
    job.s3.put(PROCESSED, added, b"forged", "x1")

    with pytest.raises(ChangedOutputs, match=f"{added} .*is there, unstated"):
        job.verified()


def test_gold_notices_when_silver_changes_under_its_hands(job: Job) -> None:
    job.record()
    read = job.verified()
    gold.check_unchanged(job.s3, SILVER, read)  # type: ignore[arg-type]
    job.s3.put(PROCESSED, PART, b"newer", "o9")

    with pytest.raises(ChangedOutputs, match="changed while it was read"):
        gold.check_unchanged(job.s3, SILVER, read)  # type: ignore[arg-type]
