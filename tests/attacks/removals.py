"""Attacks on what is stored: hidden behind a delete marker, deleted for good, or changed."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.attacks.attack import Finding, Outcome, made
from tests.attacks.world import FOLDER, INSIDER, UPLOADER, World, lifted


@made(INSIDER)
def a_file_is_hidden(world: World) -> list[Finding]:
    """deletes a bronze file, which hides it behind a delete marker"""
    landed = world.recorded("hidden.csv")
    marker = world.hide(world.raw, landed.key)
    return [Finding("REMOVED", world.raw, landed.key, marker, world.arn(INSIDER))]


@made(INSIDER)
def a_file_is_destroyed(world: World) -> list[Finding]:
    """deletes the only version of a bronze file for good"""
    landed = world.recorded("destroyed.csv")
    world.destroy(world.raw, landed.key)
    return [world.finding("REMOVED", landed, INSIDER)]


@made(INSIDER)
def an_old_version_is_destroyed(world: World) -> list[Finding]:
    """deletes an old version of a bronze file for good"""
    old = world.recorded("old-version.csv", b"customer_id\nold\n")
    world.recorded("old-version.csv", b"customer_id\nnew\n")
    world.destroy(world.raw, old.key, old.version_id)
    return [world.finding("REMOVED", old, INSIDER)]


@made(INSIDER)
def the_newest_version_is_destroyed(world: World) -> list[Finding]:
    """deletes the newest version of a bronze file, so that the old one is current again"""
    world.recorded("rolled-back.csv", b"customer_id\nold\n")
    new = world.recorded("rolled-back.csv", b"customer_id\nnew\n")
    world.destroy(world.raw, new.key, new.version_id)
    return [world.finding("REMOVED", new, INSIDER)]


@made(INSIDER)
def a_removal_is_undone(world: World) -> list[Finding]:
    """hides a bronze file and destroys the delete marker again"""
    landed = world.recorded("hidden-for-a-while.csv")
    marker = world.hide(world.raw, landed.key)
    world.destroy(world.raw, landed.key, marker)
    return [Finding("REMOVED", world.raw, landed.key, marker, world.arn(INSIDER))]


@made(INSIDER)
def a_record_is_hidden(world: World) -> list[Finding]:
    """deletes a record, which hides it behind a delete marker"""
    place = world.place(world.recorded("record-hidden.csv"))
    marker = world.hide(world.provenance, place)
    return [Finding("REMOVED", world.provenance, place, marker, world.arn(INSIDER))]


@made(INSIDER, call="DeleteObject")
def a_record_is_destroyed(world: World) -> list[Finding]:
    """deletes a record for good, past its lock

    The record is a removed object, and the file has no record any more: two things to mend.
    """
    landed = world.recorded("record-destroyed.csv")
    place = world.place(landed)
    version = world.destroy(world.provenance, place)
    return [
        Finding("REMOVED", world.provenance, place, version, world.arn(INSIDER)),
        world.finding("UNRECORDED", landed, UPLOADER),
    ]


@made(INSIDER, call="DeleteObjects")
def files_are_deleted_in_a_batch(world: World) -> Outcome:
    """deletes many bronze files with one DeleteObjects

    Some are hidden, some deleted for good. CloudTrail's event names none of them: whoever made such
    a call may have been it, and is named for the call alone.
    """
    hidden = [world.recorded(f"hidden-in-a-batch-{n}.csv") for n in range(2)]
    gone = [world.recorded(f"destroyed-in-a-batch-{n}.csv") for n in range(2)]
    objects = [
        *({"Key": landed.key} for landed in hidden),
        *({"Key": landed.key, "VersionId": landed.version_id} for landed in gone),
    ]
    with lifted(world, world.raw) as s3:
        answer = s3.delete_objects(
            Bucket=world.raw, Delete={"Objects": objects}, BypassGovernanceRetention=True
        )
    markers = {
        deleted["Key"]: deleted["DeleteMarkerVersionId"]
        for deleted in answer["Deleted"]
        if "VersionId" not in deleted
    }
    found = (
        *(Finding("REMOVED", world.raw, key, marker, None) for key, marker in markers.items()),
        *(world.finding("REMOVED", landed, None) for landed in gone),
    )
    called = Finding("REMOVED", world.raw, "*", "null", world.arn(INSIDER))
    return Outcome(found, found, reconciled=(called,))


@made("AWS itself", call="PutObject", person=UPLOADER)
def bytes_change_at_rest(world: World) -> list[Finding]:
    """changes the bytes under a stored version, inside S3"""
    landed = world.recorded("rotten.csv")
    world.rot(landed)
    return [world.finding("ALTERED", landed, by=None)]


@made(INSIDER, call="UpdateObjectEncryption")
def a_file_is_encrypted_anew(world: World) -> Outcome:
    """encrypts a stored version anew, in place, with a key of his own, and switches that off

    Its id, ETag and dates stay; nobody can read it any more. That he did is found by his call.
    """
    landed = world.recorded("encrypted-anew.csv")
    changed = world.encrypt_anew(world.raw, landed.key, landed.version_id)
    found = (world.finding("ALTERED", landed, by=None),)
    return Outcome(found, found, reconciled=(changed,))


@made(INSIDER, call="PutBucketLifecycle")
def files_expire(world: World) -> list[Finding]:
    """adds a lifecycle rule that expires bronze

    It hides the file; the version behind the marker is locked. S3 acts from within, and leaves no
    event: nobody is named, but who set the rule is, as the cause.
    """
    time.sleep(1)  # CloudTrail tells whole seconds: no DeleteObjects may be as late as this file
    prefix = f"{FOLDER}/expiring-"
    landed = world.recorded("expiring-1.csv")
    rules = world.s3.get_bucket_lifecycle_configuration(Bucket=world.raw)["Rules"]
    mine = {
        "ID": "tidy-up",
        "Status": "Enabled",
        "Filter": {"Prefix": prefix},
        "Expiration": {"Days": 1},
        "NoncurrentVersionExpiration": {"NoncurrentDays": 1},
    }
    _set_rules(world, [*rules, mine])
    try:
        for _ in range(3):
            world.expire(world.raw, as_of=datetime.now(UTC) + timedelta(days=3))
    finally:
        _set_rules(world, rules)
    left = world.s3.list_object_versions(Bucket=world.raw, Prefix=prefix)
    assert [version["VersionId"] for version in left["Versions"]] == [landed.version_id], left
    (marker,) = left["DeleteMarkers"]
    return [
        Finding("REMOVED", world.raw, landed.key, marker["VersionId"], None),
    ]


def _set_rules(world: World, rules: list[Any]) -> None:
    with lifted(world, world.raw) as s3:
        s3.put_bucket_lifecycle_configuration(
            Bucket=world.raw, LifecycleConfiguration={"Rules": rules}
        )


ATTACKS = [
    a_file_is_hidden,
    a_file_is_destroyed,
    an_old_version_is_destroyed,
    the_newest_version_is_destroyed,
    a_removal_is_undone,
    a_record_is_hidden,
    a_record_is_destroyed,
]
AT_REST = [
    files_are_deleted_in_a_batch,
    bytes_change_at_rest,
    a_file_is_encrypted_anew,
    files_expire,
]
