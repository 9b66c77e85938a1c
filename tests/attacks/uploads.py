"""Attacks on what lands: by people who may not, past the recorder, or under another's name."""

from __future__ import annotations

import json
from typing import Any

from botocore.exceptions import ClientError
from tests.attacks.attack import Finding, made
from tests.attacks.world import FOLDER, INSIDER, UPLOADER, World, lifted

from rehearsal import tampering
from rehearsal.landing import DATASET


def _unexpected(world: World, bucket: str, key: str, answer: Any) -> list[Finding]:
    version = str(answer["VersionId"])
    return [Finding("UNEXPECTED_PRINCIPAL", bucket, key, version, world.arn(INSIDER))]


def _puts(world: World, bucket: str, key: str, body: bytes) -> list[Finding]:
    """What is found when the insider lifts a bucket's policy and puts an object."""
    with lifted(world, bucket) as s3:
        put = s3.put_object(Bucket=bucket, Key=key, Body=body)
    return _unexpected(world, bucket, key, put)


OF_ONE_DATASET = "crm-export"
"""Who uploads customers, and nothing else."""


@made(INSIDER)
def insider_uploads(world: World) -> list[Finding]:
    """lifts the policy of bronze and uploads a file"""
    key = f"{FOLDER}/by-insider.csv"
    return _puts(world, world.raw, key, b"customer_id\nC-666\n")


@made(INSIDER)
def insider_overwrites(world: World) -> list[Finding]:
    """overwrites an uploader's file with other bytes"""
    landed = world.recorded("overwritten.csv")
    return _puts(world, world.raw, landed.key, b"customer_id\nother\n")


@made(INSIDER)
def insider_overwrites_with_the_same_bytes(world: World) -> list[Finding]:
    """overwrites an uploader's file with the same bytes"""
    landed = world.recorded("same-bytes.csv", b"customer_id\nsame\n")
    return _puts(world, world.raw, landed.key, b"customer_id\nsame\n")


@made(INSIDER)
def insider_copies(world: World) -> list[Finding]:
    """copies one bronze file to the name of another"""
    landed, key = world.recorded("copied.csv"), f"{FOLDER}/copy.csv"
    with lifted(world, world.raw) as s3:
        put = s3.copy_object(
            Bucket=world.raw, Key=key, CopySource={"Bucket": world.raw, "Key": landed.key}
        )
    return _unexpected(world, world.raw, key, put)


@made(INSIDER)
def insider_restores_an_old_version(world: World) -> list[Finding]:
    """puts an old version of a file back by copying it over the current one"""
    old = world.recorded("restored.csv", b"customer_id\nold\n")
    world.recorded("restored.csv", b"customer_id\nnew\n")
    source = {"Bucket": world.raw, "Key": old.key, "VersionId": old.version_id}
    with lifted(world, world.raw) as s3:
        put = s3.copy_object(Bucket=world.raw, Key=old.key, CopySource=source)
    return _unexpected(world, world.raw, old.key, put)


@made(INSIDER)
def insider_uploads_in_parts(world: World) -> list[Finding]:
    """uploads a file in parts"""
    key = f"{FOLDER}/in-parts.csv"
    with lifted(world, world.raw) as s3:
        where = {"Bucket": world.raw, "Key": key}
        upload = s3.create_multipart_upload(**where)["UploadId"]
        part = s3.upload_part(**where, UploadId=upload, PartNumber=1, Body=b"customer_id\nC-1\n")
        put = s3.complete_multipart_upload(
            **where,
            UploadId=upload,
            MultipartUpload={"Parts": [{"PartNumber": 1, "ETag": part["ETag"]}]},
        )
    return _unexpected(world, world.raw, key, put)


@made(INSIDER)
def insider_uploads_far_ahead(world: World) -> list[Finding]:
    """uploads a file under a day ten years ahead, which no run for a day will read"""
    key = f"incoming/{DATASET}/dt=2036-11-03/far-ahead.csv"
    return _puts(world, world.raw, key, b"customer_id\nC-1\n")


@made(INSIDER)
def insider_uploads_under_no_day(world: World) -> list[Finding]:
    """uploads a file under no day and no dataset"""
    key = "loose.csv"
    return _puts(world, world.raw, key, b"customer_id\nC-1\n")


@made(INSIDER)
def insider_makes_a_folder(world: World) -> list[Finding]:
    """makes a folder in bronze, with bytes under a key that ends with a slash"""
    key = f"{FOLDER}/folder/"
    return _puts(world, world.raw, key, b"customer_id\nC-1\n")


@made(INSIDER)
def insider_writes_silver(world: World) -> list[Finding]:
    """puts a part file into silver, as if a run had written it"""
    key = "silver/customers/dt=2026-11-03/run=jr_forged/part-0.parquet"
    return _puts(world, world.processed, key, b"PAR1")


@made(INSIDER)
def insider_writes_gold(world: World) -> list[Finding]:
    """puts a part file into gold, as if a run had written it"""
    key = "gold/customers_by_country_month/dt=2026-11-03/run=jr_forged/part-0.parquet"
    return _puts(world, world.analytics, key, b"PAR1")


@made(INSIDER)
def insider_plants_a_page_note(world: World) -> list[Finding]:
    """plants the note that a finding has been paged already, to silence its page"""
    key = "pages/findings/0000000000000000.json"
    return _puts(world, world.analytics, key, b"{}")


@made(INSIDER)
def insider_plants_a_publication(world: World) -> list[Finding]:
    """plants a publication, so that readers of a day are shown another run"""
    key = "publications/customers/dt=2026-11-03/999999.json"
    return _puts(world, world.analytics, key, b"{}")


@made(INSIDER)
def insider_edits_what_was_found(world: World) -> list[Finding]:
    """puts other words over what a run found of its day's quality, so that less is usual"""
    key = "quality/results/dt=2026-11-03/run=jr_insider/silver_customers.json"
    return _puts(world, world.analytics, key, b"{}")


@made(UPLOADER)
def uploader_writes_gold(world: World) -> list[Finding]:
    """writes into gold, after the insider has let him by the bucket's policy"""
    key = "gold/customers_by_country_month/dt=2026-11-03/run=jr_uploader/part-0.parquet"
    return _writes(world, UPLOADER, world.arn(UPLOADER), world.analytics, key)


@made(OF_ONE_DATASET)
def uploader_writes_another_dataset(world: World) -> list[Finding]:
    """writes into a dataset that is not his: refused, and after the insider has let him, found"""
    key = "incoming/orders/dt=2026-11-03/not-his.csv"
    said = "ok"
    try:
        world.client("s3", OF_ONE_DATASET).put_object(Bucket=world.raw, Key=key, Body=b"PAR1")
    except ClientError as error:
        said = error.response["Error"]["Code"]
    assert said == "AccessDenied", said
    return _writes(world, OF_ONE_DATASET, world.arn(OF_ONE_DATASET), world.raw, key)


@made("airflow")
def airflow_writes_gold(world: World) -> list[Finding]:
    """writes a part file into gold, where it may write pages alone, after the insider let it"""
    key = "gold/customers_by_country_month/dt=2026-11-03/run=jr_airflow/part-0.parquet"
    role = world.client("iam").get_role(RoleName=f"{world.workgroup}-airflow")["Role"]["Arn"]
    return _writes(world, "airflow", role, world.analytics, key)


def _writes(world: World, principal: str, arn: str, bucket: str, key: str) -> list[Finding]:
    """Somebody whom the insider lets by the bucket's policy puts a file there."""
    allow = {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"AWS": arn},
                "Action": "s3:PutObject",
                "Resource": f"arn:aws:s3:::{bucket}/*",
            }
        ],
    }
    with lifted(world, bucket) as s3:
        s3.put_bucket_policy(Bucket=bucket, Policy=json.dumps(allow))
        put = world.client("s3", principal).put_object(Bucket=bucket, Key=key, Body=b"PAR1")
    version = str(put["VersionId"])
    return [Finding("UNEXPECTED_PRINCIPAL", bucket, key, version, world.arn(principal))]


@made(INSIDER)
def insider_assumes_the_writers_role(world: World) -> list[Finding]:
    """lets himself assume Glue's role and writes into silver under its name"""
    key = "silver/customers/dt=2026-11-03/run=jr_assumed/part-0.parquet"
    s3 = world.as_role(f"{world.workgroup}-glue")("s3")
    put = s3.put_object(Bucket=world.processed, Key=key, Body=b"PAR1")
    return _unexpected(world, world.processed, key, put)


@made(INSIDER)
def insider_assumes_it_elsewhere(world: World) -> list[Finding]:
    """lets himself assume Glue's role at another region's endpoint and writes into silver"""
    key = "silver/customers/dt=2026-11-03/run=jr_elsewhere/part-0.parquet"
    sts = world.client("sts", region=world.layouts[-1].region)
    s3 = world.as_role(f"{world.workgroup}-glue", sts=sts)("s3")
    put = s3.put_object(Bucket=world.processed, Key=key, Body=b"PAR1")
    return _unexpected(world, world.processed, key, put)


@made(INSIDER)
def insider_assumes_the_judges_role(world: World) -> list[Finding]:
    """lets himself assume the role that judges and writes verdicts of a run that never was"""
    key = f"reconciliation/run=jr_assumed/dt={world.began:%Y-%m-%d}/hour=00/part-0.parquet"
    s3 = world.as_role(f"{world.workgroup}-audit")("s3")
    put = s3.put_object(Bucket=world.analytics, Key=key, Body=b"PAR1")
    return _unexpected(world, world.analytics, key, put)


@made(INSIDER, call="CreateAccessKey")
def notifications_are_cut(world: World) -> list[Finding]:
    """removes the bucket's notifications while a file lands"""
    with world.without_notifications():
        landed = world.land("past-the-recorder.csv")
    return [world.finding("UNRECORDED", landed, UPLOADER)]


@made(INSIDER, call="PutEventSelectors")
def an_event_is_kept_out_of_the_trail(world: World) -> list[Finding]:
    """narrows the trail's event selectors while an honest file lands"""
    trail, name = world.client("cloudtrail"), world.platform.settings["trail_name"]
    before = trail.get_event_selectors(TrailName=name)["AdvancedEventSelectors"]
    blind = [tampering.looking_away_from(world.raw, selector) for selector in before]
    trail.put_event_selectors(TrailName=name, AdvancedEventSelectors=blind)
    try:
        landed = world.land("untrailed.csv")
    finally:
        trail.put_event_selectors(TrailName=name, AdvancedEventSelectors=before)
    return [world.finding("UNWITNESSED", landed, UPLOADER)]


ATTACKS = [
    insider_uploads,
    insider_overwrites,
    insider_overwrites_with_the_same_bytes,
    insider_copies,
    insider_restores_an_old_version,
    insider_uploads_in_parts,
    insider_uploads_far_ahead,
    insider_uploads_under_no_day,
    insider_makes_a_folder,
    insider_writes_silver,
    insider_writes_gold,
    insider_plants_a_page_note,
    insider_plants_a_publication,
    insider_edits_what_was_found,
    uploader_writes_gold,
    uploader_writes_another_dataset,
    airflow_writes_gold,
    insider_assumes_the_writers_role,
    insider_assumes_it_elsewhere,
    insider_assumes_the_judges_role,
    notifications_are_cut,
    an_event_is_kept_out_of_the_trail,
]
