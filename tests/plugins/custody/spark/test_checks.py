"""The tables of checks have the fields of what is kept in them, in order; a run names its files."""

from __future__ import annotations

import hashlib
from dataclasses import fields
from typing import Any

import pytest
from pyspark.sql import SparkSession
from tests.support.landing_zone import MemoryS3

from custody.core.lineage.checking import LineageCheck
from custody.core.records.check_table import RecordCheck
from custody.core.runs.files import WrittenFile
from custody.spark.checks import LINEAGE_CHECK, RECORD_CHECK, intact, written_by_this_run

ANALYTICS = "custody-test-analytics"
FOLDER = "record_checks/dt=2026-11-01/judged=2026-11-01/run=jr_1/"


@pytest.mark.parametrize(
    ("schema", "kind"), [(RECORD_CHECK, RecordCheck), (LINEAGE_CHECK, LineageCheck)]
)
def test_a_check_is_written_field_by_field(schema: Any, kind: type) -> None:
    assert schema.names == [field.name for field in fields(kind)]
    optional = [field.name for field in fields(kind) if "None" in str(field.type)]
    assert [column.name for column in schema if column.nullable] == optional


def folder_of(s3: MemoryS3, *names: str) -> list[WrittenFile]:
    """Files of a run, each once in the bucket."""
    for name in names:
        s3.put(ANALYTICS, f"{FOLDER}{name}", name.encode(), "v1")
    return [
        WrittenFile(f"{FOLDER}{name}", "v1", hashlib.sha256(name.encode()).hexdigest())
        for name in names
    ]


def test_a_run_names_the_files_that_it_alone_wrote(spark: SparkSession) -> None:
    s3 = MemoryS3()
    first, _ = folder_of(s3, "a.parquet", "b.parquet")
    folder_of(s3, "_SUCCESS", "_temporary/0/c.parquet")
    s3.put(ANALYTICS, f"{FOLDER}b.parquet", b"by another", "v2")
    context = spark.sparkContext
    assert written_by_this_run(context, ANALYTICS, [FOLDER, "record_checks/"], lambda: s3) == [
        first
    ]


def test_a_file_with_other_bytes_than_named_is_altered_and_one_that_is_gone_is_passed_over(
    spark: SparkSession,
) -> None:
    s3 = MemoryS3()
    good, other, gone = folder_of(s3, "a.parquet", "b.parquet", "c.parquet")
    s3.objects[ANALYTICS, other.key] = [("v1", b"changed inside S3")]
    del s3.objects[ANALYTICS, gone.key]
    found = intact(spark.sparkContext, ANALYTICS, [good, other, gone], lambda: s3)
    assert found == ([good], [other])
    assert intact(spark.sparkContext, ANALYTICS, [], lambda: s3) == ([], [])
