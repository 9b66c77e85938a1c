"""`custody seal`: the log, and the head that is remembered."""

import pytest
from tests.support.audited import ORIGIN, PROVENANCE, SIGNER

from custody.aws.seal.log import seal
from custody.core.seal.entries import RecordEntry


@pytest.fixture(params=["S3", "copy"])
def audited(platform, tmp_path, request):
    if request.param == "copy":
        platform.copy(tmp_path / "copy")
    return platform


def test_a_whole_log_is_well_and_its_checkpoint_is_remembered(audited, tmp_path):
    head = tmp_path / "checkpoint"
    first = audited.custody("seal", "--json", "--head", head)
    (summary,) = first.of_kind("summary")
    assert (first.status, summary["origin"], summary["size"]) == (0, ORIGIN, 6)
    assert head.read_bytes().startswith(f"{ORIGIN}\n6\n".encode())
    assert not summary["compared"]
    again = audited.custody("seal", "--head", head)
    assert (again.status, "consistent with the remembered head" in again.out) == (0, True)


def test_a_log_that_went_back_is_found_and_the_memory_is_kept(platform, tmp_path):
    head = tmp_path / "checkpoint"
    old = platform.s3.get_object(Bucket=PROVENANCE, Key="seal/checkpoint")["Body"].read()
    more = RecordEntry("provenance/incoming/dt=2026-11-01/x.json", "ab" * 32)
    seal(platform.s3, PROVENANCE, [more], signer=SIGNER)
    assert platform.custody("seal", "--head", head).status == 0
    remembered = head.read_bytes()
    platform.s3.put_object(Bucket=PROVENANCE, Key="seal/checkpoint", Body=old)
    found = platform.custody("seal", "--json", "--head", head)
    assert found.status == 1
    assert [finding["problem"] for finding in found.of_kind("finding")] == ["ROLLBACK"]
    assert head.read_bytes() == remembered


def erase_seal(platform):
    for version in platform.s3.list_object_versions(Bucket=PROVENANCE, Prefix="seal/")["Versions"]:
        platform.s3.delete_object(
            Bucket=PROVENANCE, Key=version["Key"], VersionId=version["VersionId"]
        )


@pytest.mark.parametrize("is_copy", [False, True])
def test_before_the_first_audit_nothing_is_sealed_yet(platform, tmp_path, is_copy):
    erase_seal(platform)
    if is_copy:
        platform.copy(tmp_path / "copy")
    found = platform.custody("seal", "--head", tmp_path / "checkpoint")
    assert found.status == 2
    assert "nothing is sealed yet" in found.err
    assert not (tmp_path / "checkpoint").exists()


def test_a_checkpoint_that_was_deleted_is_a_defect(platform):
    platform.s3.delete_object(Bucket=PROVENANCE, Key="seal/checkpoint")
    found = platform.custody("seal", "--json")
    assert found.status == 1
    assert [finding["problem"] for finding in found.of_kind("finding")] == ["BAD_CHECKPOINT"]


def test_a_changed_tile_is_named(platform):
    platform.s3.put_object(Bucket=PROVENANCE, Key="seal/tile/0/000.p/6", Body=b"\0" * 192)
    found = platform.custody("seal")
    assert found.status == 1
    assert "tile/0/000.p/6" in found.out
