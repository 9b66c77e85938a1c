"""`custody check --policy`: who cosigned the checkpoints in a case or a proof."""

from pathlib import Path

import pytest
from tests.support.audited import PROVENANCE, RAW, A, Platform, run
from tests.support.cases import Members, repack
from tests.support.cosigners import ANNE, BOB, policy_text


@pytest.fixture
def cosigned(platform: Platform) -> Platform:
    """The platform, whose seal one of two has cosigned."""
    place = {"Bucket": PROVENANCE, "Key": "seal/checkpoint"}
    note = platform.s3.get_object(**place)["Body"].read()
    platform.s3.put_object(**place, Body=ANNE.sign(note))
    return platform


def policy(folder: Path, quorum: str) -> Path:
    file = folder / f"{quorum}.policy"
    file.write_text(policy_text(quorum, [ANNE, BOB]))
    return file


def test_a_case_and_a_proof_must_be_cosigned_as_the_policy_asks(cosigned, tmp_path):
    """They bear the signatures that were under the checkpoint when they were made."""
    case, proof = tmp_path / "a.zip", tmp_path / "a.tlog-proof"
    version = cosigned.versions[A].version
    assert cosigned.custody("export", version.uri, "-o", case, "--with-bytes").status == 0
    assert cosigned.custody("prove", version.uri, "-o", proof).status == 0
    about = ("--about", version.uri, "--version-id", version.version_id)
    for file in (case, proof):
        asked = ("check", file, "--keys", cosigned.folder / "keys.json", *about)
        assert run(*asked).status == 0
        found = run(*asked, "--json", "--policy", policy(tmp_path, "any"))
        assert found.status == 0
        assert {each["name"] for each in found.of_kind("cosigner") if each["time"]} == {"anne"}
        missed = run(*asked, "--policy", policy(tmp_path, "all"))
        assert (missed.status, "BAD: not cosigned as the policy asks" in missed.out) == (1, True)
        assert "not by bob" in missed.out
    assert run("check", case, "--policy", tmp_path / "none").status == 2


@pytest.mark.parametrize("member", ["proofs/1.tlog-proof", "seal/checkpoint"])
def test_what_is_no_checkpoint_is_bad_for_that_and_no_bug(cosigned, tmp_path, member):
    case = tmp_path / "a.zip"
    uri = f"s3://{RAW}/{A}"
    assert cosigned.custody("export", uri, "-o", case, "--with-bytes").status == 0

    def forge(members: Members) -> None:
        assert member in members
        members[member] = b"c2sp.org/tlog-proof@v1\nindex 0\n\nforged"

    repack(case, forge)
    found = run("check", case, "--policy", policy(tmp_path, "any"))
    assert (found.status, "BAD" in found.out, found.err) == (1, True, "")
