"""`custody seal`: the log, the head that is remembered, and who cosigned."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from tests.support.audited import ORIGIN, PROVENANCE, SETTINGS, SIGNER
from tests.support.cosigners import ANNE, BOB, CARL, policy_text
from tests.support.transparency import MemoryLog

from custody.aws.seal.log import seal
from custody.core.seal.entries import RecordEntry
from custody.core.tlog.checkpoint import Checkpoint


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


# Cosigners

AN_HOUR_AGO = datetime.now(UTC).replace(microsecond=0) - timedelta(hours=1)


def checkpoint(platform) -> bytes:
    return platform.s3.get_object(Bucket=PROVENANCE, Key="seal/checkpoint")["Body"].read()


def replace(platform, note: bytes) -> None:
    platform.s3.put_object(Bucket=PROVENANCE, Key="seal/checkpoint", Body=note)


def cosign(platform, *cosigners) -> None:
    note = checkpoint(platform)
    for cosigner in cosigners:
        note = cosigner.sign(note, AN_HOUR_AGO)
    replace(platform, note)


@pytest.fixture
def policy(tmp_path):
    """Of an auditor: two of three must have signed."""
    file = tmp_path / "cosigners.policy"
    file.write_text(policy_text("2"))
    return file


def test_who_cosigned_and_when_is_shown(platform, policy, tmp_path):
    cosign(platform, ANNE, CARL)
    platform.copy(tmp_path / "copy")
    for source in ([], platform.source):
        platform.source = source
        found = platform.custody("seal", "--json", "--policy", policy)
        (summary,) = found.of_kind("summary")
        assert (found.status, summary["cosigned"], summary["findings"]) == (0, True, 0)
        moment = f"{AN_HOUR_AGO:%Y-%m-%dT%H:%M:%SZ}"
        assert {each["name"]: each["time"] for each in found.of_kind("cosigner")} == {
            "anne": moment,
            "bob": None,
            "carl": moment,
        }
    told = platform.custody("seal", "--policy", policy)
    assert "cosigned as the policy asks, by 2 of (anne, bob, carl)" in told.out
    assert moment in told.out


def test_a_quorum_that_is_not_met_is_a_finding_and_the_memory_is_kept(platform, policy, tmp_path):
    head = tmp_path / "checkpoint"
    cosign(platform, ANNE)
    found = platform.custody("seal", "--json", "--policy", policy, "--head", head)
    (finding,) = found.of_kind("finding")
    (summary,) = found.of_kind("summary")
    assert (found.status, finding["problem"], summary["findings"]) == (1, "UNCOSIGNED", 1)
    assert not head.exists()
    told = platform.custody("seal", "--policy", policy)
    assert "not cosigned as the policy asks: the policy asks for 2 of (anne, bob, carl)" in told.out


def test_a_forged_cosignature_is_a_finding(platform, policy):
    cosign(platform, ANNE, BOB)
    other = CARL.signature(b"another checkpoint\n").to_line()
    replace(platform, checkpoint(platform) + other)
    found = platform.custody("seal", "--policy", policy)
    assert (found.status, "the cosignature of carl does not match" in found.out) == (1, True)


def test_without_a_policy_cosignatures_are_passed_over_and_that_is_said(platform):
    cosign(platform, ANNE)
    found = platform.custody("seal", "--json")
    (summary,) = found.of_kind("summary")
    assert (found.status, summary["cosigned"]) == (0, None)
    assert "whether others are shown another log cannot be told" in found.err


def test_the_policy_of_the_deployment_counts_unless_the_auditor_has_his_own(platform, policy):
    settings = platform.folder / "with-policy.json"
    settings.write_text(json.dumps(SETTINGS | {"cosigning_policy": policy_text("any")}))
    cosign(platform, BOB)
    found = platform.custody("seal", "--settings", settings)
    assert (found.status, "what the account's settings say now" in found.err) == (0, True)
    assert platform.custody("seal", "--settings", settings, "--policy", policy).status == 1
    settings.write_text(json.dumps(SETTINGS | {"cosigning_policy": "quorum nobody\n"}))
    broken = platform.custody("seal", "--settings", settings)
    assert (broken.status, "cosigning policy, line 1" in broken.err) == (2, True)


def test_a_policy_that_cannot_be_read_checks_nothing(platform, policy, tmp_path):
    assert platform.custody("seal", "--policy", tmp_path / "none").status == 2
    policy.write_text("quorum anne\n")
    found = platform.custody("seal", "--policy", policy)
    assert (found.status, "line 1: no line before defines 'anne'" in found.err) == (2, True)


def test_an_insider_who_shows_two_auditors_two_logs_is_found(platform, policy, tmp_path):
    """He can sign for the log. One auditor sees what those outside saw; the other a log that is
    whole, signed, and begins with nothing that he could remember. Only the policy tells them apart.
    """
    cosign(platform, ANNE, BOB, CARL)
    assert platform.custody("seal", "--policy", policy, "--head", tmp_path / "one").status == 0

    forged = MemoryLog()
    forged.append(b'{"entry":%d}' % number for number in range(8))
    erase_seal(platform)
    for path, content in forged.files.items():
        platform.s3.put_object(Bucket=PROVENANCE, Key=f"seal/{path}", Body=content)
    replace(platform, Checkpoint(ORIGIN, 8, forged.tree.root).sign(SIGNER))

    other = tmp_path / "other"
    assert platform.custody("seal", "--head", other).status == 0, "he alone sees nothing wrong"
    other.unlink()
    found = platform.custody("seal", "--policy", policy, "--head", other)
    assert (found.status, "not cosigned as the policy asks" in found.out) == (1, True)
    assert not other.exists()
