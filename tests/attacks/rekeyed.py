"""Attacks on evidence that stays where it is, and is encrypted anew, in place, with a key that is
then switched off: nobody can read it any more. No job fails of it.

That he did it is found by his calls; what the evidence was for is found by what is left.
"""

from __future__ import annotations

from tests.attacks.attack import Finding, Job, Outcome, made
from tests.attacks.world import INSIDER, World

from custody.aws.seal.log import read_checkpoint
from custody.core.runs.model import RUN_PREFIX
from custody.core.seal.layout import CHECKPOINT_PATH, SEAL_PREFIX
from custody.core.tlog.tiles import tile_path


def _of_the_last_run(world: World, ending: str) -> str:
    """What the last reconciliation stated, by how the key ends."""
    run = next(ran.id for ran in reversed(world.runs) if ran.job is Job.RECONCILE)
    found = world.s3.list_objects_v2(Bucket=world.provenance, Prefix=RUN_PREFIX)["Contents"]
    (key,) = (str(one["Key"]) for one in found if str(one["Key"]).endswith(f"/{run}{ending}"))
    return key


@made(INSIDER)
def the_last_link_cannot_be_read(world: World) -> list[Finding]:
    """encrypts the last run's statement, with its link of the chain, anew, and switches the key off

    The run before is the last one then, and what this one judged is judged again.
    """
    return [world.encrypt_anew(world.provenance, _of_the_last_run(world, ".json"))]


@made(INSIDER)
def a_report_cannot_be_read(world: World) -> list[Finding]:
    """encrypts what the last run reported anew, and switches the key off"""
    return [world.encrypt_anew(world.provenance, _of_the_last_run(world, ".report.json"))]


def _of_the_seal(world: World, path: str) -> Outcome:
    """A file of the seal; it is back once the audit has seen it."""
    key = SEAL_PREFIX + path
    honest = world.s3.head_object(Bucket=world.provenance, Key=key)["SSEKMSKeyId"]
    changed = world.encrypt_anew(world.provenance, key)
    where = changed.bucket, changed.key, changed.version_id
    world.settle()
    world.undo.append(lambda: world.encrypt(*where, honest))
    return Outcome((Finding("BAD_SIGNATURE", *where, world.arn(INSIDER)),), (), (changed,))


@made(INSIDER)
def a_tile_cannot_be_read(world: World) -> Outcome:
    """encrypts a tile of the seal anew, and switches the key off"""
    checkpoint = read_checkpoint(world.s3, world.provenance)
    assert checkpoint is not None
    size = int(checkpoint.body.splitlines()[1])
    return _of_the_seal(world, tile_path(0, 0, min(size, 256)))


@made(INSIDER)
def the_checkpoint_cannot_be_read(world: World) -> Outcome:
    """encrypts the checkpoint of the seal anew, and switches the key off"""
    return _of_the_seal(world, CHECKPOINT_PATH)


ATTACKS = [the_last_link_cannot_be_read, a_report_cannot_be_read]
