"""`custody check` of a case: no network, and no byte of it may change."""

import gzip
import hashlib
import io
import json
import os
import shutil
import socket
import warnings
import zipfile
from dataclasses import replace
from pathlib import Path

import boto3
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from tests.support.audited import RAW, RING, run
from tests.support.cases import Members, repack
from tests.support.trail_history import LAYOUT
from tests.support.transparency import OTHER_SIGNER

from custody.cli.commands.check import check
from custody.cli.output import Output
from custody.core.case.key_ring import KeyRing
from custody.core.case.manifest import KEYS, MANIFEST, Manifest
from custody.core.lineage.trust import Trust


@pytest.fixture
def offline_now(small, gold, monkeypatch):
    """Once the cases are made, neither a socket nor a client of AWS can be."""

    def never(*_: object, **__: object) -> None:
        raise AssertionError("check must not go anywhere")

    monkeypatch.setattr(socket, "socket", never)
    monkeypatch.setattr(socket, "getaddrinfo", never)
    monkeypatch.setattr(boto3, "client", never)
    monkeypatch.setattr(boto3.session.Session, "client", never)


@pytest.fixture
def small(cases: Path, tmp_path: Path) -> Path:
    """The case of one landed file, with its bytes."""
    return Path(shutil.copy(cases / "small.zip", tmp_path))


@pytest.fixture
def gold(cases: Path, tmp_path: Path) -> Path:
    """The case of a file of gold, with its bytes."""
    return Path(shutil.copy(cases / "gold.zip", tmp_path))


def test_a_case_of_gold_is_checked_down_to_what_landed(gold, offline_now):
    found = run("check", "--json", gold)
    assert found.status == 0
    objects = found.of_kind("object")
    assert [item["outcome"] for item in objects] == ["ok"] * 4
    assert objects[0]["sha256_found"] == hashlib.sha256(b"gold").hexdigest()
    assert {item["principal_arn"] for item in objects} == {
        "arn:aws:iam::111122223333:user/crm-export"
    }
    (case,) = found.of_kind("case")
    assert (case["good"], case["keys_compared"], case["unsealed"]) == (True, False, [])
    assert [checkpoint["size"] for checkpoint in case["checkpoints"]] == [6]
    assert {key["sha256"] for key in case["keys"]} == {name.sha256 for name in RING.names()}


def test_people_are_told_which_keys_to_compare_unless_they_gave_them(gold, cases):
    told = run("check", gold)
    assert "Compare them with those you know" in told.out
    assert f"the account is {LAYOUT.account_id}" in told.out
    assert RING.names()[0].sha256 in told.out
    pinned = run("check", gold, "--keys", cases / "keys.json")
    assert (pinned.status, "Compare" in pinned.out) == (0, False)


def test_no_byte_of_a_case_can_change(small, offline_now):
    """Every byte, and every bit position of some."""
    good = small.read_bytes()
    assert run("check", small).status == 0
    output, unnoticed = Output(as_json=True), []
    with small.open("r+b", buffering=0) as file:
        for i, byte in enumerate(good):
            os.pwrite(file.fileno(), bytes([byte ^ 1 << i % 8]), i)
            if check([small], None, output):
                unnoticed.append(i)
            os.pwrite(file.fileno(), bytes([byte]), i)
    assert unnoticed == []
    assert small.read_bytes() == good


def test_nothing_can_be_added_or_taken_away(small):
    good = small.read_bytes()
    commented, doubled, extra = io.BytesIO(good), io.BytesIO(good), io.BytesIO(good)
    with zipfile.ZipFile(commented, "a") as archive:
        archive.comment = b"see also"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with zipfile.ZipFile(doubled, "a") as archive:
            archive.writestr(KEYS, b"{}")
    with zipfile.ZipFile(extra, "a") as archive:
        archive.writestr("more.txt", b"unlisted")
    for changed in (
        good + b"\0",
        b"\0" + good,
        good[:-1],
        good[: len(good) // 2],
        b"",
        b"PK",
        good + good,
        commented.getvalue(),
        doubled.getvalue(),
        extra.getvalue(),
    ):
        small.write_bytes(changed)
        assert run("check", small).status == 1


@pytest.mark.parametrize("compression", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_the_same_members_in_another_archive_are_no_case(small, compression):
    with zipfile.ZipFile(small) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(small, "w", compression) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    assert run("check", small).status == 1


def test_an_unlisted_member_is_refused_in_a_canonical_archive_too(small):
    def add(members: Members) -> None:
        members["more.txt"] = b"x"

    repack(small, add, manifest=False)
    found = run("check", small)
    assert (found.status, "not those of its manifest: more.txt" in found.out) == (1, True)
    repack(small, lambda members: members.pop("more.txt") and None)
    assert run("check", small).status == 0
    repack(small, add)
    assert run("check", small).status == 1


@pytest.mark.parametrize("name", [KEYS, "content/1.bin", "records/1.json", "logs/1.json.gz"])
def test_a_member_that_is_not_that_of_the_manifest_is_named(gold, name):
    def add_a_byte(members: Members) -> None:
        members[name] += b"\n"

    repack(gold, add_a_byte, manifest=False)
    found = run("check", gold)
    assert (found.status, f"{name} is not the one of its manifest" in found.out) == (1, True)


@pytest.mark.parametrize(
    ("member", "finding"),
    [
        ("content/1.bin", "hash to"),
        ("records/1.json", "In the place of its record"),
        ("proofs/1.tlog-proof", "does not prove"),
        ("lineage/1.json", "envelope"),
        ("digests/1.json.gz", "proves nothing"),
        ("logs/1.json.gz", "cannot be read"),
    ],
)
def test_a_forged_member_is_found_by_what_it_says(gold, member, finding):
    """Also by one who makes the manifest fit."""

    def forge(members: Members) -> None:
        members[member] = b"forged"

    repack(gold, forge)
    found = run("check", gold)
    assert found.status == 1
    assert finding in found.out


def test_a_log_file_that_no_digest_vouches_for_is_found_although_it_reads_well(gold):
    def forge(members: Members) -> None:
        told = gzip.decompress(members["logs/1.json.gz"])
        members["logs/1.json.gz"] = gzip.compress(told.replace(b"crm-export", b"mallory"))

    repack(gold, forge)
    found = run("check", gold)
    assert found.status == 1
    assert "no digest of the case vouches for these bytes" in found.out
    assert "mallory" not in found.out


def test_statements_of_a_job_that_is_not_trusted_are_bad(gold):
    def drop(members: Members) -> None:
        ring = KeyRing.parse(members[KEYS])
        nobody = replace(ring, lineage=replace(ring.lineage, builders=frozenset()))
        members[KEYS] = nobody.to_json()

    repack(gold, drop)
    found = run("check", gold)
    assert (found.status, "whose lineage is not trusted" in found.out) == (1, True)


@pytest.mark.parametrize(
    ("part", "finding"),
    [
        ("objects", "no good record of"),
        ("lineage", "has no statement"),
        ("logs", "no event of its write"),
    ],
)
def test_what_was_left_out_is_missed(gold, part, finding):
    def leave_out(members: Members) -> None:
        document = json.loads(members[MANIFEST])
        place = document["trail"] if part == "logs" else document
        dropped = place[part].pop()
        for name in ("member", "proof"):
            for item in [dropped, *dropped.get("records", [])]:
                members.pop(item.get(name, ""), None)
        members[MANIFEST] = json.dumps(document).encode()

    repack(gold, leave_out)
    found = run("check", gold)
    assert found.status == 1
    assert finding in found.out.replace("\n", " ")


def test_somebody_elses_keys_are_good_only_to_who_does_not_compare_them(small, cases):
    stranger = ec.generate_private_key(ec.SECP256R1()).public_key()

    def swap(members: Members) -> None:
        ring = KeyRing.parse(members[KEYS])
        forged = replace(ring, lineage=Trust({"arn:forged": stranger}, frozenset({"arn:job"})))
        members[KEYS] = replace(forged, seal=(*ring.seal, OTHER_SIGNER.key)).to_json()

    repack(small, swap)
    assert run("check", small).status == 0
    found = run("check", small, "--keys", cases / "keys.json")
    assert found.status == 1
    assert found.out.count("is not among those trusted") == 3


def test_a_record_signed_by_a_stranger_is_bad_although_he_left_the_key_out(small):
    def drop(members: Members) -> None:
        members[KEYS] = replace(KeyRing.parse(members[KEYS]), records={}).to_json()

    repack(small, drop)
    found = run("check", small)
    assert (found.status, "bad signature" in found.out) == (1, True)


def test_several_files_are_all_checked(small, gold, tmp_path):
    bad = tmp_path / "bad.zip"
    bad.write_bytes(b"bad")
    found = run("check", small, bad, gold)
    assert found.status == 1
    assert f"{small}: good" in found.out
    assert f"{bad}: BAD" in found.out
    assert f"{gold}: good" in found.out
    assert run("check", tmp_path / "none.zip").status == 2


def test_the_manifest_is_not_believed(small):
    def lie(members: Members) -> None:
        manifest = Manifest.parse(members[MANIFEST])
        (subject,) = manifest.objects
        other = replace(subject.version, key="incoming/b.csv")
        lied = replace(manifest, objects=(replace(subject, version=other),))
        members[MANIFEST] = lied.to_bytes()

    repack(small, lie)
    assert run("check", small).status == 1


def test_what_was_not_sealed_or_taken_along_is_said_and_has_to_be_waived(platform, tmp_path):
    platform.put(RAW, "incoming/new", b"x")
    case = tmp_path / "new.zip"
    made = platform.custody("export", f"s3://{RAW}/incoming/new", "-o", case, "--no-trail")
    assert made.status == 0
    found = run("check", case)
    assert (found.status, "not sealed when the case was made" in found.out) == (1, True)
    gaps = ["trail", "bytes", "proof"]
    told = run("check", "--json", case).of_kind("gap")
    assert [(gap["gap"], gap["waived"]) for gap in told] == [(gap, False) for gap in gaps]
    waive = [word for gap in gaps for word in ("--waive", gap)]
    for number in range(3):
        assert run("check", case, *waive[: 2 * number]).status == 1
    waived = run("check", case, *waive)
    assert waived.status == 0
    assert waived.out.count("waived: ") == 3
