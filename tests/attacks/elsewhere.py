"""Attacks where nobody looks by himself: among the records of no window, on code and results."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from tests.attacks.attack import Finding, made
from tests.attacks.recorder import announce, call_of
from tests.attacks.world import INSIDER, World, lifted

from custody.aws.s3.heads import head_key
from custody.core.formats.timestamps import format_utc
from custody.core.records.names import RECORD_PREFIX, record_key
from rehearsal.observing import query

AHEAD = timedelta(days=2)


def _written(world: World, bucket: str, key: str, body: bytes = b"x") -> Finding:
    with lifted(world, bucket) as s3:
        version = s3.put_object(Bucket=bucket, Key=key, Body=body)["VersionId"]
    return Finding("UNEXPECTED_PRINCIPAL", bucket, key, str(version), world.arn(INSIDER))


# Among the records


@made(INSIDER)
def a_record_is_filed_two_days_ahead(world: World) -> list[Finding]:
    """signs a record of a file nobody wrote and files it two days ahead of now"""
    model = world.invented(world.record_of(world.land("model-10.csv")), "in-two-days.csv")
    then = datetime.now(UTC) + AHEAD
    record = replace(model, event=replace(model.event, time=then), hashed_at=then)
    world.put_record(world.place_of(record), record)
    about = record.version
    by = world.arn(INSIDER)
    return [Finding("UNWITNESSED", about.bucket, about.key, about.version_id, by)]


@made(INSIDER)
def a_record_is_filed_under_a_day_long_past(world: World) -> list[Finding]:
    """files a copy of a record under a day that no run reads any more"""
    landed = world.recorded("replayed-long-ago.csv")
    day = f"dt={datetime.now(UTC):%Y-%m-%d}"
    place = world.place(landed).replace(day, "dt=2026-01-01")
    world.put_record(place, world.envelope_of(landed))
    return [world.finding("CONFLICT", landed, INSIDER)]


@made(INSIDER)
def something_is_filed_under_no_day(world: World) -> list[Finding]:
    """puts an object among the records under no day"""
    put = _written(world, world.provenance, f"{RECORD_PREFIX}notes.json")
    return [replace(put, verdict="BAD_SIGNATURE")]


@made(INSIDER)
def a_folder_is_made_among_the_records(world: World) -> list[Finding]:
    """makes a folder among the records, whose key ends with a slash"""
    return [_written(world, world.provenance, f"{RECORD_PREFIX}dt=2026-01-01/", b"")]


@made(INSIDER)
def a_record_is_replaced_for_a_moment(world: World) -> list[Finding]:
    """replaces a record for a moment, and removes his own by DeleteObjects, which names nothing"""
    place = world.place(world.recorded("replaced-for-a-moment.csv"))
    put = _written(world, world.provenance, place)
    with lifted(world, world.provenance) as s3:
        s3.delete_objects(
            Bucket=world.provenance,
            Delete={"Objects": [{"Key": place, "VersionId": put.version_id}]},
            BypassGovernanceRetention=True,
        )
    return [put, Finding("REMOVED", world.provenance, "*", "null", world.arn(INSIDER))]


@made(INSIDER, call="SetQueueAttributes")
def a_message_is_of_a_day_to_come(world: World) -> list[Finding]:
    """sends the recorder a message of a recorded file, as of the day after tomorrow"""
    landed = world.recorded("announced-ahead.csv")
    record = world.record_of(landed)
    then = record.event.time + AHEAD
    announce(world, landed, record.etag, call_of(record) | {"eventTime": format_utc(then)})
    place = record_key(then, world.place(landed).rpartition("/")[2].removesuffix(".json"))
    version = world.s3.head_object(Bucket=world.provenance, Key=place)["VersionId"]
    return [Finding("CONFLICT", world.provenance, place, version, None)]


# Code and query results


@made(INSIDER)
def the_code_is_overwritten(world: World) -> list[Finding]:
    """overwrites the code that the jobs run, under its own hash, and puts it back"""
    bucket = world.platform.settings["artifacts_bucket"]
    location = world.platform.settings["code_location"]
    key = f"{location.removeprefix(f's3://{bucket}/')}/custody.zip"
    honest = world.s3.get_object(Bucket=bucket, Key=key)["Body"].read()
    return [_written(world, bucket, key), _written(world, bucket, key, honest)]


@made(INSIDER)
def a_result_is_overwritten(world: World) -> list[Finding]:
    """overwrites the result of a query, and deletes it for good"""
    bucket = world.platform.settings["athena_results_bucket"]
    query(world.platform, "SELECT 1")
    newest = max(
        world.s3.list_objects_v2(Bucket=bucket)["Contents"], key=lambda item: item["LastModified"]
    )
    put = _written(world, bucket, newest["Key"], b'"nothing"\n')
    world.destroy(bucket, newest["Key"], put.version_id)
    return [put, replace(put, verdict="REMOVED")]


@made(INSIDER)
def something_is_put_beside_the_code(world: World) -> list[Finding]:
    """puts a module of his own beside the bundle, under a hash that it has not"""
    bucket = world.platform.settings["artifacts_bucket"]
    named = hashlib.sha256(json.dumps(world.began.isoformat()).encode()).hexdigest()
    return [_written(world, bucket, f"{named}/custody.zip")]


# Removed by calls that name nothing


def _removed_in_a_batch(world: World, bucket: str, key: str) -> list[Finding]:
    """He puts an object, and removes it by DeleteObjects: it is the call that is found."""
    put = _written(world, bucket, key)
    with lifted(world, bucket) as s3:
        s3.delete_objects(
            Bucket=bucket,
            Delete={"Objects": [{"Key": key, "VersionId": put.version_id}]},
            BypassGovernanceRetention=True,
        )
    return [put, Finding("REMOVED", bucket, "*", "null", world.arn(INSIDER))]


@made(INSIDER)
def silver_is_removed_in_a_batch(world: World) -> list[Finding]:
    """puts a part file into silver, and removes it by DeleteObjects, which names nothing"""
    key = "silver/customers/dt=2026-11-03/run=jr_batch/part-0.parquet"
    return _removed_in_a_batch(world, world.processed, key)


@made(INSIDER)
def gold_is_removed_in_a_batch(world: World) -> list[Finding]:
    """puts a part file into gold, and removes it by DeleteObjects, which names nothing"""
    key = "gold/customers_by_country_month/dt=2026-11-03/run=jr_batch/part-0.parquet"
    return _removed_in_a_batch(world, world.analytics, key)


@made(INSIDER)
def code_is_removed_in_a_batch(world: World) -> list[Finding]:
    """puts something among the code, and removes it by DeleteObjects, which names nothing"""
    return _removed_in_a_batch(world, world.platform.settings["artifacts_bucket"], "for-a-moment")


@made(INSIDER)
def results_are_removed_in_a_batch(world: World) -> list[Finding]:
    """puts something among the query results, and removes it by DeleteObjects"""
    bucket = world.platform.settings["athena_results_bucket"]
    return _removed_in_a_batch(world, bucket, "for-a-moment.csv")


# What a run remembers


@made(INSIDER)
def a_head_is_turned_back(world: World) -> list[Finding]:
    """puts back an older head, which says how far the trail was proven"""
    key = head_key("trail.json")
    found = world.s3.list_object_versions(Bucket=world.analytics, Prefix=key)["Versions"]
    oldest = min(found, key=lambda version: version["LastModified"])
    where = {"Bucket": world.analytics, "Key": key, "VersionId": oldest["VersionId"]}
    return [_written(world, world.analytics, key, world.s3.get_object(**where)["Body"].read())]


ATTACKS = [
    a_record_is_filed_two_days_ahead,
    a_record_is_filed_under_a_day_long_past,
    something_is_filed_under_no_day,
    a_folder_is_made_among_the_records,
    a_record_is_replaced_for_a_moment,
    a_message_is_of_a_day_to_come,
    the_code_is_overwritten,
    a_result_is_overwritten,
    something_is_put_beside_the_code,
    silver_is_removed_in_a_batch,
    gold_is_removed_in_a_batch,
    code_is_removed_in_a_batch,
    results_are_removed_in_a_batch,
    a_head_is_turned_back,
]
