"""Attacks on the trail's digests.

What is deleted for good are digests of moments in which nothing happened: what a missing digest
vouched for is PENDING, and would hide what other attacks must show.
"""

from __future__ import annotations

import gzip
import time
from datetime import timedelta

from tests.attacks.attack import Finding, made
from tests.attacks.world import INSIDER, World


def _quiet(world: World) -> str:
    """A digest of a moment in which nothing happened."""
    world.flush()
    world.digest()
    return world.digest()


def _two(world: World) -> tuple[str, str]:
    """Two digests that follow each other."""
    return world.digest(), world.digest()


def _hidden(world: World, key: str) -> list[Finding]:
    marker = world.hide(world.trail, key)
    return [world.broken(key, marker), world.removed(key, marker)]


def _destroyed(world: World, key: str) -> list[Finding]:
    gone = world.destroy(world.trail, key)
    return [world.broken(key, None), world.removed(key, gone)]


@made(INSIDER)
def a_digest_is_edited(world: World) -> list[Finding]:
    """changes a digest"""
    key = world.digest()
    body, metadata = world.read(key)
    edited = gzip.decompress(body).replace(b'"logFiles":[', b'"logFiles":[ ')
    return [world.broken(key, world.put_in_trail(key, gzip.compress(edited), metadata))]


@made(INSIDER)
def a_digest_loses_its_signature(world: World) -> list[Finding]:
    """puts a digest back without its signature"""
    key = world.digest()
    return [world.broken(key, world.put_in_trail(key, world.read(key)[0]))]


@made(INSIDER)
def a_digest_is_signed_by_another(world: World) -> list[Finding]:
    """puts a digest back with a signature that is not CloudTrail's"""
    key = world.digest()
    body, metadata = world.read(key)
    metadata["signature"] = "ab" * 256
    return [world.broken(key, world.put_in_trail(key, body, metadata))]


@made(INSIDER)
def a_digest_takes_anothers_place(world: World) -> list[Finding]:
    """puts one digest, signature and all, in the place of the next"""
    one, other = _two(world)
    return [world.broken(other, world.put_in_trail(other, *world.read(one)))]


@made(INSIDER)
def two_digests_are_swapped(world: World) -> list[Finding]:
    """exchanges two digests that follow each other"""
    one, other = _two(world)
    first, second = world.read(one), world.read(other)
    return [
        world.broken(one, world.put_in_trail(one, *second)),
        world.broken(other, world.put_in_trail(other, *first)),
    ]


@made(INSIDER)
def a_digest_is_hidden(world: World) -> list[Finding]:
    """deletes a digest, which hides it behind a delete marker"""
    return _hidden(world, world.digest())


@made(INSIDER)
def two_adjacent_digests_are_hidden(world: World) -> list[Finding]:
    """deletes two digests that follow each other"""
    return [found for key in _two(world) for found in _hidden(world, key)]


@made(INSIDER)
def a_digest_is_invented(world: World) -> list[Finding]:
    """adds a digest of his own making between two of CloudTrail's"""
    one = world.digest()
    time.sleep(2)
    other = world.digest()
    body, metadata = world.read(one)
    end = world.layout.digest_name(other).end
    key = world.layout.digest_key(end - timedelta(seconds=1))
    return [world.broken(key, world.put_in_trail(key, body, metadata))]


@made(INSIDER)
def a_stranger_lies_among_the_digests(world: World) -> list[Finding]:
    """puts a file that is no digest among the digests"""
    key = f"{world.digest().rpartition('/')[0]}/notes.txt"
    return [world.broken(key, world.put_in_trail(key, b"notes"))]


@made(INSIDER)
def a_digest_is_destroyed(world: World) -> list[Finding]:
    """deletes a digest for good, past its lock"""
    return _destroyed(world, _quiet(world))


@made(INSIDER)
def a_digest_is_replaced_for_good(world: World) -> list[Finding]:
    """puts another digest in the place of one, and deletes the honest version for good"""
    key = _quiet(world)
    honest = world.s3.head_object(Bucket=world.trail, Key=key)["VersionId"]
    forged = world.put_in_trail(key, gzip.compress(b"{}"))
    world.destroy(world.trail, key, honest)
    return [world.broken(key, forged), world.removed(key, honest)]


@made(INSIDER)
def two_adjacent_digests_are_destroyed(world: World) -> list[Finding]:
    """deletes two digests that follow each other for good"""
    _quiet(world)
    keys = [world.next_digest() for _ in range(3)][1:]
    return [found for key in keys for found in _destroyed(world, key)]


@made(INSIDER)
def a_digest_of_another_region_is_destroyed(world: World) -> list[Finding]:
    """deletes a digest of a region in which nobody works for good"""
    _quiet(world)
    return _destroyed(world, world.digests(world.layouts[-1])[-1])


BESIDE_THE_HONEST = [
    a_digest_is_edited,
    a_digest_loses_its_signature,
    a_digest_is_signed_by_another,
    a_digest_takes_anothers_place,
    two_digests_are_swapped,
    a_digest_is_hidden,
    two_adjacent_digests_are_hidden,
    a_digest_is_invented,
    a_stranger_lies_among_the_digests,
]
FOR_GOOD = [
    a_digest_is_destroyed,
    a_digest_is_replaced_for_good,
    two_adjacent_digests_are_destroyed,
    a_digest_of_another_region_is_destroyed,
]
