"""What the seal takes in."""

import hashlib
from datetime import UTC, date, datetime

import boto3
from tests.support.moto_aws import REGION, make_bucket

from custody.aws.catalog import Pointer, point_partitions
from custody.aws.s3.listing import StoredVersion
from custody.aws.seal.content import record_entry, verdict_files
from custody.core.seal.entries import RecordEntry
from custody.objects import ObjectVersion

KEY = "provenance/incoming/dt=2026-11-01/x.json"


def test_a_record_is_sealed_by_the_hash_of_the_very_version(s3, provenance):
    first = s3.put_object(Bucket=provenance, Key=KEY, Body=b"first")["VersionId"]
    s3.put_object(Bucket=provenance, Key=KEY, Body=b"second")
    stored = StoredVersion(ObjectVersion(provenance, KEY, first), datetime(2026, 11, 1, tzinfo=UTC))
    assert record_entry(s3, stored) == RecordEntry(KEY, hashlib.sha256(b"first").hexdigest())


def test_the_files_of_verdicts_are_those_that_readers_see(s3):
    bucket = make_bucket(s3, "custody-test-analytics")
    glue = boto3.client("glue", region_name=REGION)
    glue.create_database(DatabaseInput={"Name": "db"})
    glue.create_table(
        DatabaseName="db",
        TableInput={
            "Name": "reconciliation",
            "PartitionKeys": [{"Name": name, "Type": "string"} for name in ("dt", "hour")],
            "StorageDescriptor": {"Columns": [], "Location": f"s3://{bucket}/"},
        },
    )
    hours = [("2026-10-31", "23"), ("2026-11-01", "00"), ("2026-11-02", "05"), ("2026-11-03", "00")]
    for run in (1, 2):
        pointers = []
        for dt, hour in hours:
            folder = f"reconciliation/run={run}/dt={dt}/hour={hour}/"
            for name in ("a.parquet", "_SUCCESS"):
                s3.put_object(Bucket=bucket, Key=folder + name, Body=b"")
            pointers.append(Pointer((dt, hour), f"s3://{bucket}/{folder}"))
        point_partitions(glue, "db", "reconciliation", pointers)
    found = verdict_files(s3, glue, "db", date(2026, 11, 1), date(2026, 11, 2))
    assert sorted(found) == [
        f"s3://{bucket}/reconciliation/run=2/dt=2026-11-01/hour=00/a.parquet",
        f"s3://{bucket}/reconciliation/run=2/dt=2026-11-02/hour=05/a.parquet",
    ]
