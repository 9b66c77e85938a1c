"""The seal is kept: checked against what is remembered, then appended to, if it holds."""

import pytest
from tests.plugins.custody.aws.seal.test_log import SIGNER, contents, files, record, records, write
from tests.support.s3_answers import encrypt_anew
from tests.support.transparency import OTHER_SIGNER, signer

from custody.aws.s3.listing import latest_version_id
from custody.aws.seal.keeping import LocatedDefect, SealKept, keep_seal, version_of
from custody.aws.seal.log import seal_history, seal_reader
from custody.core.seal.check import (
    COSIGNED,
    REMEMBERED,
    SealDefect,
    SealDefectKind,
    check_seal,
)
from custody.core.seal.layout import append_path
from custody.core.tlog.signed_note import NoteSigner, RenewedKey
from custody.objects import ObjectVersion


def keep(s3, bucket, entries, remembered=None, sample=None):
    return keep_seal(s3, bucket, entries, signer=SIGNER, remembered=remembered, sample=sample)


def problems(kept: SealKept):
    return [(located.defect.kind, located.defect.path) for located in kept.defects]


def read(s3, bucket, path):
    return seal_reader(s3, bucket)(path)


def test_the_first_seal_begins_the_log(s3, provenance):
    kept = keep(s3, provenance, records(1, 2))
    assert (kept.defects, kept.sealed.appended) == ((), 2)
    assert kept.head == read(s3, provenance, "checkpoint")
    assert contents(s3, provenance) == records(1, 2)


def test_each_seal_goes_on_from_the_head_remembered(s3, provenance):
    head = keep(s3, provenance, records(1)).head
    kept = keep(s3, provenance, records(1, 2), remembered=head)
    assert (kept.defects, kept.sealed.appended) == ((), 1)
    assert kept.head != head


NEW = signer(b"\x05" * 32, SIGNER.key.name)
"""Another key of the log than it began with."""


def renewed() -> NoteSigner:
    """The new key, which took over from the first."""
    return NoteSigner(RenewedKey(NEW.key.name, NEW.key.public_key, (SIGNER.key,)), NEW.sign)


def test_a_new_key_goes_on_with_the_log_and_pages_nobody(s3, provenance):
    """Whoever has both keys checks all of it from the head that he kept, as `custody seal` does."""
    head = keep(s3, provenance, records(1)).head
    now = renewed()
    for entries in ([], records(1, 2), records(3)):
        kept = keep_seal(s3, provenance, entries, signer=now, remembered=head)
        assert problems(kept) == []
    read_file, history = seal_reader(s3, provenance), seal_history(s3, provenance)
    for keys, defects in ((now.key.all, 0), ((SIGNER.key,), 1)):
        found = check_seal(read_file, history, origin=SIGNER.key.name, keys=keys, remembered=head)
        assert len(found.defects) == defects
        assert found.checkpoint is None or found.checkpoint.size == 3
    # The head that was remembered since is signed by the new key alone.
    assert problems(keep_seal(s3, provenance, [], signer=NEW, remembered=kept.head)) == []


def test_a_key_that_the_deployment_does_not_name_as_a_former_one_is_told(s3, provenance):
    head = keep(s3, provenance, records(1)).head
    kept = keep_seal(s3, provenance, records(2), signer=NEW, remembered=head)
    assert (SealDefectKind.BAD_CHECKPOINT, "checkpoint") in problems(kept)
    assert kept.sealed is None


def test_nothing_to_seal_is_no_defect(s3, provenance):
    assert keep(s3, provenance, []) == SealKept((), keep(s3, provenance, []).sealed, None)
    head = keep(s3, provenance, records(1)).head
    assert keep(s3, provenance, [], remembered=head).head == head


def test_a_log_that_went_back_is_told_and_stands_where_it_stood(s3, provenance):
    older = keep(s3, provenance, records(1)).head
    head = keep(s3, provenance, records(2), remembered=older).head
    write(s3, provenance, "checkpoint", older)
    put_back = latest_version_id(s3, provenance, "seal/checkpoint")

    kept = keep(s3, provenance, records(3), remembered=head)
    assert problems(kept) == [(SealDefectKind.ROLLBACK, "checkpoint")]
    assert kept.defects[0].version_id == put_back
    assert contents(s3, provenance) == records(1, 2, 3)
    assert kept.head == read(s3, provenance, "checkpoint")
    assert keep(s3, provenance, [], remembered=kept.head).defects == ()


def erase(s3, bucket, path):
    """Remove every version, as only who can bypass the lock may."""
    found = s3.list_object_versions(Bucket=bucket, Prefix=f"seal/{path}")
    for version in found.get("Versions", []):
        s3.delete_object(Bucket=bucket, Key=version["Key"], VersionId=version["VersionId"])


def test_a_log_that_cannot_be_brought_forward_is_not_forked_by_our_own_hand(s3, provenance):
    older = keep(s3, provenance, records(1)).head
    head = keep(s3, provenance, records(2), remembered=older).head
    write(s3, provenance, "checkpoint", older)
    erase(s3, provenance, append_path(1))

    kept = keep(s3, provenance, records(3), remembered=head)
    assert problems(kept) == [(SealDefectKind.ROLLBACK, "checkpoint")]
    assert (kept.sealed, kept.head) == (None, None)
    assert read(s3, provenance, "checkpoint") == older


def test_a_log_that_was_erased_is_not_begun_anew(s3, provenance):
    head = keep(s3, provenance, records(1)).head
    erase(s3, provenance, "")
    kept = keep(s3, provenance, records(2), remembered=head)
    assert problems(kept) == [(SealDefectKind.ROLLBACK, "checkpoint")]
    assert kept.defects[0].version_id == "null"
    assert (kept.sealed, read(s3, provenance, "checkpoint")) == (None, None)


def test_a_fork_is_told_and_not_continued(s3, provenance, raw):
    other = keep(s3, raw, records(7, 8)).head
    head = keep(s3, provenance, records(1)).head
    for path in ("checkpoint", "tile/0/000.p/2", "tile/entries/000.p/2"):
        write(s3, provenance, path, read(s3, raw, path))
    kept = keep(s3, provenance, [record(3)], remembered=head)
    assert problems(kept) == [(SealDefectKind.FORK, "checkpoint")]
    assert (kept.sealed, kept.head) == (None, None)
    assert read(s3, provenance, "checkpoint") == other


def test_a_checkpoint_of_a_stranger_is_told(s3, provenance):
    head = keep(s3, provenance, records(1)).head
    write(s3, provenance, "checkpoint", OTHER_SIGNER.key.name.encode() + b"\n1\nAAAA\n\n")
    kept = keep(s3, provenance, records(2), remembered=head)
    assert problems(kept) == [(SealDefectKind.BAD_CHECKPOINT, "checkpoint")]
    assert (kept.sealed, kept.head) == (None, None)


@pytest.mark.parametrize("is_remembered", [True, False])
def test_a_hidden_log_is_told_and_not_begun_anew(s3, provenance, is_remembered):
    head = keep(s3, provenance, records(1)).head
    marker = s3.delete_object(Bucket=provenance, Key="seal/checkpoint")["VersionId"]
    kept = keep(s3, provenance, records(2), remembered=head if is_remembered else None)
    told = SealDefectKind.ROLLBACK if is_remembered else SealDefectKind.BAD_CHECKPOINT
    assert problems(kept) == [(told, "checkpoint")]
    assert kept.defects[0].version_id == marker
    assert (kept.sealed, kept.head) == (None, None)


def test_a_log_of_which_every_file_is_hidden_is_not_begun_anew(s3, provenance):
    keep(s3, provenance, records(1))
    for path in files(s3, provenance):
        s3.delete_object(Bucket=provenance, Key=f"seal/{path}")
    kept = keep(s3, provenance, records(2))
    assert problems(kept) == [(SealDefectKind.BAD_CHECKPOINT, "checkpoint")]
    assert (kept.sealed, kept.head) == (None, None)


def test_old_files_are_told_when_their_turn_comes(s3, provenance):
    head = keep(s3, provenance, records(*range(300))).head
    write(s3, provenance, "tile/entries/000", b"\0")
    kept = [keep(s3, provenance, [], remembered=head, sample=(n, 2)) for n in (1, 0)]
    assert [problems(k) for k in kept] == [[], [(SealDefectKind.BAD_TILE, "tile/entries/000")]]
    assert (kept[0].head, kept[1].head) == (head, None)


def test_a_changed_tile_is_told(s3, provenance):
    head = keep(s3, provenance, records(1)).head
    write(s3, provenance, "tile/0/000.p/1", b"\0" * 32)
    kept = keep(s3, provenance, records(2), remembered=head)
    assert set(problems(kept)) == {(SealDefectKind.BAD_TILE, "tile/0/000.p/1")}
    assert kept.head is None


def test_what_stands_in_the_way_of_an_append_is_told(s3, provenance):
    head = keep(s3, provenance, records(1)).head
    write(s3, provenance, "tile/0/000.p/2", b"undeclared")
    kept = keep(s3, provenance, records(2), remembered=head)
    assert problems(kept) == [(SealDefectKind.BAD_TILE, "tile/0/000.p/2")]
    assert kept.defects[0].version_id == latest_version_id(s3, provenance, "seal/tile/0/000.p/2")
    assert (kept.sealed, kept.head) == (None, None)


def test_a_memory_that_cannot_be_read_is_told_and_not_written_over(s3, provenance):
    keep(s3, provenance, records(1))
    kept = keep(s3, provenance, records(2), remembered=b"rubbish")
    assert problems(kept) == [(SealDefectKind.BAD_MEMORY, REMEMBERED)]
    assert (kept.sealed, kept.head) == (None, None)


def test_a_defect_is_about_a_version_of_a_file_or_of_what_is_remembered(s3, provenance, raw):
    head, other = (raw, "audit/heads/seal"), (raw, "audit/heads/cosigned")

    def version(path, version_id):
        located = LocatedDefect(SealDefect(SealDefectKind.BAD_TILE, path, "why"), version_id)
        heads = {REMEMBERED: head, COSIGNED: other}
        return version_of(s3, located, bucket=provenance, heads=heads)

    assert version("checkpoint", "v1") == ObjectVersion(provenance, "seal/checkpoint", "v1")
    assert version(REMEMBERED, "null") == ObjectVersion(*head, "null")
    stands = s3.put_object(Bucket=raw, Key=head[1], Body=b"x")["VersionId"]
    assert version(REMEMBERED, "null") == ObjectVersion(*head, stands)
    assert version(COSIGNED, "null") == ObjectVersion(*other, "null")


@pytest.mark.parametrize("path", ["checkpoint", "tile/0/000.p/2"])
def test_a_file_of_the_log_that_somebody_encrypted_anew_is_one_defect(s3, provenance, path):
    head = keep(s3, provenance, records(1, 2)).head
    encrypt_anew(s3, f"seal/{path}")
    kept = keep(s3, provenance, records(3), remembered=head)
    assert problems(kept) == [(SealDefectKind.BAD_TILE, path)]
    assert kept.sealed is None
