"""Attacks that remove: hidden behind a delete marker, or deleted for good."""

from __future__ import annotations

from tests.attacks.attack import Attack, Detector, Finding, made
from tests.attacks.world import INSIDER, UPLOADER, World


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


@made(INSIDER)
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


ATTACKS = [
    a_file_is_hidden,
    a_file_is_destroyed,
    an_old_version_is_destroyed,
    the_newest_version_is_destroyed,
    a_removal_is_undone,
    a_record_is_hidden,
    a_record_is_destroyed,
]
TO_COME = [
    Attack("deletes many bronze files with one DeleteObjects", INSIDER, Detector.AUDIT),
    Attack("adds a lifecycle rule that expires bronze", INSIDER, Detector.AUDIT),
    Attack("changes the bytes under a stored version, inside S3", "AWS itself", Detector.AUDIT),
]
