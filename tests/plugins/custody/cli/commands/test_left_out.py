"""`custody check` of what was left out of a case, exchanged, or never belonged there.

Each case is forged by somebody who makes all else fit, and checked by somebody who pinned the
deployment and its keys.
"""

import gzip
import hashlib
import itertools
import json
import shutil
import tracemalloc
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from tests.support.audited import (
    ANALYTICS,
    GOLD,
    ORIGIN,
    PINS,
    PROVENANCE,
    RAW,
    RING,
    SIGNER,
    A,
    B,
    run,
)
from tests.support.cases import Members, leave_out, members_of, repack, say
from tests.support.moto_aws import KEY_ARN
from tests.support.trail_history import LAYOUT, NOON, History, MemoryStore, log_key

from custody.aws.seal.log import seal
from custody.core.case.key_ring import KeyRing
from custody.core.case.manifest import CASE_V1, KEYS, MANIFEST
from custody.core.case.renewal import renew
from custody.core.records.checking import TrustedKey
from custody.core.records.names import conflict_key
from custody.core.tlog.checkpoint import Checkpoint
from custody.reading.archive import Archive

GAPS = ("deployment", "trail", "proof", "seal", "bytes")
WAIVED = [word for gap in GAPS for word in ("--waive", gap)]


@pytest.fixture
def gold(cases: Path, tmp_path: Path) -> Path:
    """The case of a file of gold, with its bytes."""
    return Path(shutil.copy(cases / "gold.zip", tmp_path))


@pytest.fixture
def pinned(cases: Path) -> tuple[str, str]:
    return ("--keys", str(cases / "keys.json"))


def test_an_honest_case_lacks_nothing(gold, pinned):
    found = run("check", "--json", gold, *pinned)
    assert (found.status, found.of_kind("gap"), found.of_kind("finding")) == (0, [], [])
    about = ("--about", f"s3://{ANALYTICS}/{GOLD}")
    assert run("check", gold, *pinned, *about).status == 0
    told = run("check", gold, *pinned).out.splitlines()[0]
    assert told.startswith(f"{gold}: about s3://{ANALYTICS}/{GOLD} version ")


def forgeries(case: Path) -> dict[str, Callable[[Members], None]]:
    """Every member left out, every member altered, every two of one kind exchanged, and everything
    that the manifest says about them said otherwise."""
    inside = members_of(case)
    names = sorted(inside.keys() - {MANIFEST, KEYS})
    found: dict[str, Callable[[Members], None]] = {}
    for name in names:
        found[f"{name} left out"] = lambda members, name=name: leave_out(members, name)
        found[f"{name} empty"] = lambda members, name=name: members.update({name: b""})
        found[f"{name} altered"] = lambda members, name=name: members.update(
            {name: altered(members[name])}
        )
    for one, other in itertools.combinations(names, 2):
        if one.split("/")[0] == other.split("/")[0] or other == names[-1]:
            found[f"{one} and {other} exchanged"] = lambda members, one=one, other=other: (
                members.update({one: members[other], other: members[one]})
            )
    for path in said(json.loads(inside[MANIFEST])):
        found[f"{path} said otherwise"] = lambda members, path=path: say(
            members, lambda document: say_otherwise(document, path)
        )
    for number in range(len(json.loads(inside[MANIFEST])["objects"])):
        found[f"object {number} left out"] = lambda members, number=number: drop_object(
            members, number
        )
    return found


MEMBERS = {"members", "member", "proof", "content", "checkpoint", "appends"}


def said(part: Any, *path: Any) -> Iterator[tuple[Any, ...]]:
    """Where in a manifest something is said that is no name of a member."""
    if isinstance(part, dict | list):
        for at, item in part.items() if isinstance(part, dict) else enumerate(part):
            if at not in MEMBERS:
                yield from said(item, *path, at)
    else:
        yield path


def say_otherwise(document: Any, path: tuple[Any, ...]) -> None:
    *above, last = path
    for at in above:
        document = document[at]
    document[last] = document[last] + (1 if isinstance(document[last], int) else "x")


def altered(content: bytes) -> bytes:
    """With another byte in the middle, of what was packed if it is."""
    packed = content.startswith(b"\x1f\x8b")
    changed = bytearray(gzip.decompress(content) if packed else content)
    changed[len(changed) // 2] ^= 1
    return gzip.compress(bytes(changed)) if packed else bytes(changed)


def drop_object(members: Members, number: int) -> None:
    item = json.loads(members[MANIFEST])["objects"][number]
    for filed in item["records"]:
        leave_out(members, filed["member"])
    say(members, lambda document: document["objects"].pop(number))
    if "content" in item:
        members.pop(item["content"])


def test_no_member_can_be_left_out_altered_or_exchanged(gold, pinned):
    """A closed world: whatever is in an honest case has its part in it."""
    honest, unnoticed = gold.read_bytes(), []
    every = forgeries(gold)
    assert len(every) > 130
    for what, forge in every.items():
        gold.write_bytes(honest)
        repack(gold, forge)
        if run("check", gold, *pinned).status == 0:
            unnoticed.append(what)
    assert unnoticed == []


@pytest.mark.parametrize("kind", ["records", "lineage", "seal", "cloudtrail"])
def test_no_key_can_be_left_out_of_a_case_that_is_checked_by_itself(gold, kind):
    def drop(members: Members) -> None:
        document = json.loads(members[KEYS])
        document[kind] = []
        members[KEYS] = json.dumps(document).encode()

    repack(gold, drop)
    assert run("check", gold, *WAIVED).status == 1


def test_a_case_that_does_not_name_its_deployment_has_a_gap(gold, tmp_path):
    def drop(members: Members) -> None:
        members[KEYS] = replace(KeyRing.parse(members[KEYS]), deployment=None).to_json()

    repack(gold, drop)
    found = run("check", "--json", gold)
    assert (found.status, [gap["gap"] for gap in found.of_kind("gap")]) == (1, ["deployment"])
    unpinned = tmp_path / "unpinned.json"
    unpinned.write_bytes(replace(RING, deployment=None).to_json())
    assert run("check", gold, "--keys", unpinned).status == 1
    assert run("check", gold, "--keys", unpinned, "--waive", "deployment").status == 0


def test_what_is_waived_is_shown(gold, pinned):
    repack(gold, lambda members: leave_out(members, "proofs/1.tlog-proof"))
    found = run("check", gold, *pinned, "--waive", "proof")
    assert (found.status, "waived: proof: not proven to be sealed: provenance/" in found.out) == (
        0,
        True,
    )


def test_a_case_made_to_look_like_one_of_earlier_code_has_its_gaps(gold, pinned):
    def downgrade(members: Members) -> None:
        leave_out(members, "seal/appends")
        say(members, lambda document: document.update({"format": CASE_V1}))

    repack(gold, downgrade)
    found = run("check", "--json", gold, *pinned)
    assert (found.status, [gap["gap"] for gap in found.of_kind("gap")]) == (1, ["seal"])
    assert run("check", gold, *pinned, "--waive", "seal").status == 0


@pytest.fixture
def conflicted(platform, tmp_path) -> tuple[Path, str]:
    """The case of a file with two records that disagree, both sealed; and where the second lies."""
    other = replace(platform.versions[A], sha256="1" * 64)
    beside = conflict_key(platform.places[0], other.sha256)
    platform.record(other, 5, platform.times[A], place=beside)
    seal(platform.s3, PROVENANCE, [platform.entry(beside)], signer=SIGNER)
    case = tmp_path / "conflict.zip"
    made = platform.custody("export", f"s3://{RAW}/{A}", "-o", case, "--with-bytes")
    assert made.status == 1
    return case, beside


def records(case: Path) -> list[dict[str, str]]:
    (item,) = json.loads(members_of(case)[MANIFEST])["objects"]
    found: list[dict[str, str]] = item["records"]
    return found


def test_a_case_without_its_conflict_record_is_bad(conflicted, pinned):
    case, beside = conflicted
    (member,) = (filed["member"] for filed in records(case) if filed["key"] == beside)
    repack(case, lambda members: leave_out(members, member))
    found = run("check", case, *pinned)
    assert (found.status, f"The seal holds {beside}" in found.out) == (1, True)


def test_a_conflict_record_renamed_to_the_proper_place_is_bad(conflicted, pinned):
    case, beside = conflicted
    (proper,) = (filed for filed in records(case) if filed["key"] != beside)

    def rename(members: Members) -> None:
        leave_out(members, proper["member"])
        say(members, lambda d: d["objects"][0]["records"][0].update({"key": proper["key"]}))

    repack(case, rename)
    assert run("check", case, *pinned).status == 1
    repack(case, lambda members: leave_out(members, records(case)[0].get("proof", "")))
    found = run("check", case, *pinned, "--waive", "proof", "--waive", "bytes")
    assert (found.status, "The seal holds" in found.out) == (1, True)


def test_two_signed_roots_of_one_size_are_a_finding(gold, pinned):
    """Whoever shows two auditors two logs may not put both into one case."""
    (own,) = {p["size"] for c in run("check", "--json", gold).of_kind("case")
              for p in c["checkpoints"]}  # fmt: skip
    fork = Checkpoint(ORIGIN, own, b"\7" * 32).sign(SIGNER)

    def show_another(members: Members) -> None:
        members["seal/checkpoint"] = fork

    repack(gold, show_another)
    found = run("check", gold, *pinned)
    assert (found.status, "signed 2 different logs of 6 entries" in found.out) == (1, True)


def test_a_trail_of_another_account_is_a_finding(gold, pinned):
    """CloudTrail signs everybody's digests with the same keys."""
    foreign = replace(LAYOUT, account_id="999988887777")

    def exchange(members: Members) -> None:
        log = members["logs/1.json.gz"]
        history = History(MemoryStore(), layout=foreign, logs_per_hour=0)
        key = log_key(NOON + timedelta(minutes=30), layout=foreign)
        named = history.log(NOON + timedelta(minutes=30)) | {
            "s3Object": key,
            "hashValue": hashlib.sha256(gzip.decompress(log)).hexdigest(),
        }
        digest = history.store.current(history.hour(logFiles=[named]))
        members["digests/1.json.gz"] = digest.body or b""
        say(
            members,
            lambda document: document["trail"].update(
                digests=[{"key": history.digests[0], "member": "digests/1.json.gz",
                          "metadata": dict(digest.metadata)}],
                logs=[{"key": key, "member": "logs/1.json.gz"}],
            ),
        )  # fmt: skip

    repack(gold, exchange)
    found = run("check", gold, *pinned)
    assert (found.status, "of another account or trail" in found.out) == (1, True)


@pytest.mark.parametrize(
    ("pins", "what"),
    [
        (replace(PINS, trail="another"), "the trail is custody-test, not another"),
        (replace(PINS, account_id="999988887777"), "the account is"),
        (replace(PINS, buckets={**PINS.buckets, "trail": "other"}), "the trail bucket is"),
        (replace(PINS, buckets={**PINS.buckets, "raw": "other"}), "the raw bucket is"),
    ],
)
def test_a_case_of_another_deployment_is_a_finding(gold, tmp_path, pins, what):
    keys = tmp_path / "other.json"
    keys.write_bytes(replace(RING, deployment=pins).to_json())
    found = run("check", gold, "--keys", keys)
    assert (found.status, what in found.out) == (1, True)
    repack(
        gold,
        lambda members: members.update(
            {KEYS: replace(KeyRing.parse(members[KEYS]), deployment=None).to_json()}
        ),
    )
    assert run("check", gold, "--keys", keys).status == 1


def test_a_case_about_something_else_is_a_finding(gold, pinned):
    other = run("check", gold, *pinned, "--about", f"s3://{RAW}/{A}")
    assert (other.status, f"not s3://{RAW}/{A}" in other.out) == (1, True)
    version = ("--about", f"s3://{ANALYTICS}/{GOLD}", "--version-id", "another")
    assert run("check", gold, *pinned, *version).status == 1
    assert run("check", gold, *pinned, "--version-id", "v").status == 2


def test_another_object_cannot_be_put_into_a_case(cases, gold, pinned):
    """Records of something else are no evidence about this."""

    def add(members: Members) -> None:
        def put_first(document):
            item = document["objects"].pop(
                next(n for n, o in enumerate(document["objects"]) if o["key"] == B)
            )
            document["objects"].insert(0, item)

        say(members, put_first)

    repack(gold, add)
    found = run("check", gold, *pinned, *WAIVED)
    assert (found.status, "has nothing to do with the object" in found.out) == (1, True)


def test_what_a_stranger_packed_is_not_unpacked_without_bound(gold, pinned):
    """What is a thousand times as long, and several times that again when read as JSON."""
    bomb = gzip.compress(b'{"Records":[' + b"[]," * 8_000_000 + b"[]]}")
    assert len(bomb) < 30_000
    for name in ("logs/1.json.gz", "digests/1.json.gz"):
        honest = gold.read_bytes()
        repack(gold, lambda members, name=name: members.update({name: bomb}))
        tracemalloc.start()
        found = run("check", gold, *pinned)
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert (found.status, "unpacks to more than" in found.out) == (1, True)
        assert peak < 8 * 1024 * 1024
        gold.write_bytes(honest)


def test_keys_are_compared_before_anything_that_they_signed_is_read(gold, tmp_path, monkeypatch):
    keys, read = tmp_path / "none.json", Archive.read
    keys.write_bytes(KeyRing().to_json())

    def only_keys(archive: Archive, name: str) -> bytes:
        assert name == KEYS
        return read(archive, name)

    monkeypatch.setattr(Archive, "read", only_keys)
    found = run("check", gold, "--keys", keys)
    assert (found.status, "is not among those trusted" in found.out) == (1, True)


def another_key(name: str, since, until) -> TrustedKey:
    public = ec.generate_private_key(ec.SECP256R1()).public_key()
    der = public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return TrustedKey(name, der, since, until)


def test_an_honest_case_stays_good_across_two_rotations(platform, gold, tmp_path):
    first, keys = RING.records[KEY_ARN], tmp_path / "later.json"
    once, twice = (platform.times[A] + timedelta(days=days) for days in (30, 60))
    first = replace(first, valid_until=once)
    rotated = replace(RING, records={KEY_ARN: first, "k2": another_key("k2", once, None)})
    again = replace(
        RING,
        records={
            KEY_ARN: first,
            "k2": replace(rotated.records["k2"], valid_until=twice),
            "k3": another_key("k3", twice, None),
        },
    )
    trusted, troubles = renew(RING, rotated)
    trusted, more = renew(trusted, again)
    assert troubles == more == []
    keys.write_bytes(trusted.to_json())
    assert run("check", gold, "--keys", keys).status == 0
    proof = tmp_path / "a.tlog-proof"
    assert platform.custody("prove", f"s3://{RAW}/{A}", "-o", proof).status == 0
    version = platform.versions[A].version
    about = ("--about", version.uri, "--version-id", version.version_id)
    assert run("check", proof, "--keys", keys, *about).status == 0


def test_a_record_outside_the_period_that_is_pinned_is_bad(platform, gold, tmp_path):
    """Whatever the case says of the key's period."""
    keys = tmp_path / "later.json"
    ended = replace(RING.records[KEY_ARN], valid_until=platform.times[A] - timedelta(days=1))
    keys.write_bytes(replace(RING, records={KEY_ARN: ended}).to_json())
    found = run("check", gold, "--keys", keys)
    assert (found.status, "outside the period of its key" in found.out) == (1, True)
