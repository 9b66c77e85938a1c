"""Attacks on the seal. Each has an audit of its own, as a log that is broken hides what else is.

A tile is repaired before the next: nothing is appended to a log with a wrong file in it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from tests.attacks.attack import Finding, Outcome, made
from tests.attacks.world import INSIDER, World, lifted

from custody.aws.kms.seal_key import kms_signer
from custody.aws.s3.heads import head_key
from custody.aws.s3.listing import latest_version_id
from custody.aws.seal.log import seal_reader
from custody.core.seal.layout import CHECKPOINT_PATH, SEAL_PREFIX, log_origin
from custody.core.tlog.checkpoint import Checkpoint
from custody.core.tlog.extension import extend
from custody.core.tlog.merkle import EMPTY_ROOT
from custody.core.tlog.policy import CosigningPolicy
from custody.core.tlog.signed_note import NoteSigner
from custody.core.tlog.tiled_tree import TiledTree
from custody.core.tlog.tiles import tile_path
from custody.core.tlog.witness_protocol import add_checkpoint
from custody.cosigner_client import poster
from rehearsal import tampering


@contextmanager
def _signing(world: World) -> Iterator[NoteSigner]:
    """The insider signs with the seal's key."""
    kms, key = world.client("kms"), world.platform.settings["seal_key_arn"]
    with tampering.granted_signing(kms, key, world.arn(INSIDER)):
        yield kms_signer(kms, key, log_origin(world.provenance))


def _head(world: World) -> TiledTree:
    """The log as it stands."""
    read = seal_reader(world.s3, world.provenance)
    with _signing(world) as signer:
        note = Checkpoint.open(
            read(CHECKPOINT_PATH) or b"", origin=signer.key.name, keys=(signer.key,)
        )
    return TiledTree(note.size, note.root, read)


def _put(world: World, path: str, body: bytes) -> str:
    """The insider puts a file into the log; returns its version."""
    with lifted(world, world.provenance) as s3:
        put = s3.put_object(Bucket=world.provenance, Key=SEAL_PREFIX + path, Body=body)
    return str(put["VersionId"])


def _finding(world: World, verdict: str, path: str, version_id: str) -> Finding:
    return Finding(verdict, world.provenance, SEAL_PREFIX + path, version_id, world.arn(INSIDER))


def _repaired_later(world: World, path: str, version_id: str) -> None:
    """Take a version out of the log once the audit has seen it."""
    world.settle()
    world.undo.append(lambda: world.destroy(world.provenance, SEAL_PREFIX + path, version_id))


@made(INSIDER)
def it_is_rolled_back(world: World) -> Outcome:
    """rolls the seal back to an older checkpoint

    The audit brings it forward again, so that the next finds it whole.
    """
    key = SEAL_PREFIX + CHECKPOINT_PATH
    found = world.s3.list_object_versions(Bucket=world.provenance, Prefix=key)["Versions"]
    oldest = min(found, key=lambda version: version["LastModified"])
    assert not oldest["IsLatest"], "the log has one checkpoint only"
    stored = world.s3.get_object(Bucket=world.provenance, Key=key, VersionId=oldest["VersionId"])
    version = _put(world, CHECKPOINT_PATH, stored["Body"].read())
    return Outcome(
        (_finding(world, "CONFLICT", CHECKPOINT_PATH, version),),
        (),
        (_finding(world, "UNEXPECTED_PRINCIPAL", CHECKPOINT_PATH, version),),
    )


@made(INSIDER)
def a_tile_is_changed(world: World) -> Outcome:
    """changes a tile of the seal

    Taking the forged version out again is a removal of evidence for the reconciliation.
    """
    tree = _head(world)
    path = tile_path(0, 0, min(tree.size, 256))
    body = bytearray(seal_reader(world.s3, world.provenance)(path) or b"")
    body[0] ^= 1
    version = _put(world, path, bytes(body))
    _repaired_later(world, path, version)
    return Outcome(
        (_finding(world, "BAD_SIGNATURE", path, version),),
        (),
        (
            _finding(world, "UNEXPECTED_PRINCIPAL", path, version),
            _finding(world, "REMOVED", path, version),
        ),
    )


@made(INSIDER)
def a_tile_is_deleted(world: World) -> Outcome:
    """deletes a tile of the seal, which hides it behind a delete marker"""
    path = tile_path(0, 0, min(_head(world).size, 256))
    marker = world.hide(world.provenance, SEAL_PREFIX + path)
    _repaired_later(world, path, marker)
    removed = _finding(world, "REMOVED", path, marker)
    return Outcome((_finding(world, "BAD_SIGNATURE", path, marker), removed), (), (removed,))


@made(INSIDER, call="PutKeyPolicy")
def another_log_is_cosigned(world: World) -> Outcome:
    """has entries of his own cosigned behind the seal's, to show them to somebody else

    Who cosigns then signs the true log no more, and says why: nobody can tell who showed him.
    """
    tree, read = _head(world), seal_reader(world.s3, world.provenance)
    forged = extend(tree, [b'{"forged":%d}' % number for number in range(5000)])
    grown = TiledTree(forged.size, forged.root, lambda path: forged.files.get(path) or read(path))
    with _signing(world) as signer:
        note = Checkpoint(signer.key.name, forged.size, forged.root).sign(signer)
    policy = CosigningPolicy.parse(world.platform.settings["cosigning_policy"])
    for cosigner in policy.cosigners.values():
        assert add_checkpoint(note, grown, cosigner, poster(cosigner.url or "")).signatures
    head = (world.analytics, head_key("cosigned"))
    finding = Finding("CONFLICT", *head, latest_version_id(world.s3, *head), None)
    return Outcome((finding,), ())


@made(INSIDER)
def it_is_forked(world: World) -> Outcome:
    """forks the seal: another tree under the same key"""
    tree = _head(world)
    entries = [b'{"forged":true}', *list(tree.entries(1, tree.size)), b'{"forged":1}']
    fork = extend(TiledTree(0, EMPTY_ROOT, {}.get), entries)
    forged = [(path, _put(world, path, body)) for path, body in fork.files.items()]
    with _signing(world) as signer:
        note = Checkpoint(signer.key.name, fork.size, fork.root).sign(signer)
    version = _put(world, CHECKPOINT_PATH, note)
    return Outcome(
        (_finding(world, "CONFLICT", CHECKPOINT_PATH, version),),
        (),
        tuple(
            _finding(world, "UNEXPECTED_PRINCIPAL", *put)
            for put in [*forged, (CHECKPOINT_PATH, version)]
        ),
    )
