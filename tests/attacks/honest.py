"""What honest people do while others attack: none of it may page, all of it must be VERIFIED."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from tests.attacks import uploading
from tests.attacks.world import FOLDER, UPLOADER, World

from rehearsal.landing import Landed

Deed = Callable[[World], Iterator[Landed]]


def uploads(world: World) -> Iterator[Landed]:
    """three uploaders upload a file each"""
    for principal in ("crm-export", "web-shop", "partner-feed"):
        yield world.land(f"honest-{principal}.csv", by=principal)


def in_a_session(world: World) -> Iterator[Landed]:
    """an uploader that is a role uploads in a session of it"""
    yield uploading.in_a_session(world)


def overwrites(world: World) -> Iterator[Landed]:
    """an uploader corrects a file by uploading it again"""
    yield world.land("corrected.csv", b"customer_id\nwrong\n")
    yield world.land("corrected.csv", b"customer_id\nright\n")


def odd_names(world: World) -> Iterator[Landed]:
    """names that are hard to carry through"""
    for name in ("a b.csv", "a+b%20c.csv", "Zoë Müller.csv", "{{ 1/0 }}.csv", "..csv"):
        yield world.land(name)


def empty(world: World) -> Iterator[Landed]:
    """a file without a byte"""
    yield world.land("empty.csv", b"")


def in_parts(world: World) -> Iterator[Landed]:
    """an uploader uploads in parts"""
    s3 = world.client("s3", UPLOADER)
    where = {"Bucket": world.raw, "Key": f"{FOLDER}/honest-parts.csv"}
    upload, body = s3.create_multipart_upload(**where)["UploadId"], b"customer_id\nC-1\n"
    part = s3.upload_part(**where, UploadId=upload, PartNumber=1, Body=body)
    parts = {"Parts": [{"PartNumber": 1, "ETag": part["ETag"]}]}
    put = s3.complete_multipart_upload(**where, UploadId=upload, MultipartUpload=parts)
    yield Landed(UPLOADER, where["Key"], put["VersionId"], len(body))


def late_events(world: World) -> Iterator[Landed]:
    """CloudTrail delivers late, twice, and out of order"""
    world.turn(delay_seconds=5, reorder_seconds=5, duplicate_probability=1)
    for n in range(5):
        yield world.land(f"late-{n}.csv")
    world.turn(delay_seconds=0, reorder_seconds=0, duplicate_probability=0)


def late_records(world: World) -> Iterator[Landed]:
    """the recorder is away for a moment and catches up"""
    with world.without_subscription():
        for n in range(3):
            yield world.land(f"recorded-late-{n}.csv")


DEEDS: list[Deed] = [
    uploads,
    in_a_session,
    overwrites,
    odd_names,
    empty,
    in_parts,
    late_events,
    late_records,
]
