"""`custody prove`, and `custody check` of what it wrote."""

import socket

import pytest
from tests.support.audited import PROVENANCE, RAW, A, B, run

from custody.core.case.key_ring import KeyRing


@pytest.fixture(params=["S3", "copy"])
def audited(platform, tmp_path, request):
    if request.param == "copy":
        platform.copy(tmp_path / "copy")
    return platform


@pytest.fixture
def proof(platform, tmp_path):
    path = tmp_path / "a.tlog-proof"
    assert platform.custody("prove", f"s3://{RAW}/{A}", "-o", path).status == 0
    return path


def test_a_proof_says_what_it_proves(audited, tmp_path):
    path, keys = tmp_path / "a.tlog-proof", tmp_path / "keys.json"
    made = audited.custody("prove", "--json", f"s3://{RAW}/{A}", "-o", path)
    assert (made.status, made.of_kind("proof")[0]["sealed"]) == (0, True)
    found = run("check", "--json", "--keys", keys, *about(audited), path)
    (told,) = found.of_kind("proof")
    assert found.status == 0
    assert told["entry"].encode() == audited.entry(audited.places[0]).to_bytes()
    assert told["checkpoint"]["size"] == 6


def about(platform, key=A):
    """What the proof has to be about."""
    version = platform.versions[key].version
    return ("--about", version.uri, "--version-id", version.version_id)


def test_a_proof_about_something_else_or_nothing_that_was_said_is_not_good(platform, proof):
    check = ("check", "--keys", platform.folder / "keys.json")
    unsaid = run(*check, proof)
    assert (unsaid.status, "is a proof and no case" in unsaid.err) == (2, True)
    assert run(*check, *about(platform)[:2], proof).status == 2
    other = run(*check, *about(platform, B), proof)
    assert (other.status, "which is not about" in other.out) == (1, True)


def test_no_byte_of_a_proof_can_change(platform, proof, tmp_path, monkeypatch):
    monkeypatch.setattr(socket, "socket", None)
    good, changed, keys = proof.read_bytes(), tmp_path / "changed", tmp_path / "keys.json"
    for i in range(len(good)):
        changed.write_bytes(good[:i] + bytes([good[i] ^ 1]) + good[i + 1 :])
        assert run("check", "--keys", keys, *about(platform), changed).status == 1, i
    for other in (good + b"\n", good[:-1], good + good):
        changed.write_bytes(other)
        assert run("check", "--keys", keys, *about(platform), changed).status == 1


def test_a_proof_needs_keys(platform, proof, tmp_path):
    assert run("check", proof).status == 2
    empty = tmp_path / "empty.json"
    empty.write_bytes(KeyRing().to_json())
    assert run("check", "--keys", empty, *about(platform), proof).status == 1


def test_what_is_not_sealed_is_not_proven(platform, tmp_path):
    platform.put(RAW, "incoming/new", b"x")
    found = platform.custody("prove", f"s3://{RAW}/incoming/new", "-o", tmp_path / "p")
    assert (found.status, "is not sealed" in found.out) == (1, True)
    assert not (tmp_path / "p").exists()


def test_without_a_record_there_is_nothing_to_prove(platform, tmp_path):
    platform.put(RAW, "incoming/new", b"x", recorded=False)
    found = platform.custody("prove", f"s3://{RAW}/incoming/new", "-o", tmp_path / "p")
    assert (found.status, "There is no record of it" in found.err) == (2, True)


def test_a_seal_that_cannot_be_trusted_is_a_finding(platform, tmp_path):
    platform.s3.put_object(Bucket=PROVENANCE, Key="seal/checkpoint", Body=b"x")
    command = ("prove", f"s3://{RAW}/{A}", "-o", tmp_path / "p")
    found = platform.custody(*command)
    assert (found.status, "custody seal" in found.out) == (1, True)
    (finding,) = platform.custody(*command, "--json").of_kind("finding")
    assert "custody seal" in finding["reason"]
