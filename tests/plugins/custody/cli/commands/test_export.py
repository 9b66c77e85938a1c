"""`custody export`: what goes into a case, and how it is written."""

import zipfile

import pytest
from tests.support.audited import ANALYTICS, GOLD, RAW, A, run

from custody.core.case.key_ring import KeyRing
from custody.core.case.manifest import MANIFEST, Manifest


def members(path):
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None
        return {name: archive.read(name) for name in archive.namelist()}


def test_the_same_history_is_the_same_case_from_s3_and_from_a_copy(platform, tmp_path):
    export = ("export", f"s3://{ANALYTICS}/{GOLD}", "--with-bytes", "-o")
    first, second = tmp_path / "first.zip", tmp_path / "second.zip"
    assert platform.custody(*export, first).status == 0
    platform.copy(tmp_path / "copy")
    assert platform.custody(*export, second).status == 0
    assert first.read_bytes() == second.read_bytes()


def test_a_case_of_gold_holds_all_that_is_behind_it(platform, tmp_path):
    case = tmp_path / "gold.zip"
    found = platform.custody("export", "--json", f"s3://{ANALYTICS}/{GOLD}", "-o", case)
    (told,) = found.of_kind("case")
    inside = members(case)
    assert told["members"] == len(inside)
    manifest = Manifest.parse(inside[MANIFEST])
    assert manifest.objects[0].version.key == GOLD
    assert len(manifest.objects) == 4
    assert len(manifest.lineage) == 2
    assert manifest.trail
    # Of three digests and two log files those that tell of the writes.
    assert (len(manifest.trail.digests), len(manifest.trail.logs)) == (1, 1)
    assert "content/1.bin" not in inside
    keys = KeyRing.parse(inside["keys.json"])
    assert len(keys.cloudtrail) == 1
    for item in manifest.objects:
        assert [inside[filed.member] for filed in item.records] == [
            platform.envelope(filed.key) for filed in item.records
        ]


def test_what_is_wrong_is_exported_as_evidence(platform, tmp_path):
    platform.put(RAW, "incoming/new", b"x", recorded=False)
    case = tmp_path / "new.zip"
    made = platform.custody("export", f"s3://{RAW}/incoming/new", "-o", case)
    assert (made.status, "There is no record of it" in made.out) == (1, True)
    found = run("check", case)
    assert (found.status, "There is no record of it" in found.out) == (1, True)


def test_without_the_trail_none_is_taken_along(platform, tmp_path):
    case = tmp_path / "a.zip"
    assert platform.custody("export", f"s3://{RAW}/{A}", "-o", case, "--no-trail").status == 0
    assert Manifest.parse(members(case)[MANIFEST]).trail is None


def test_a_case_that_cannot_be_written_leaves_nothing(platform, tmp_path):
    found = platform.custody("export", f"s3://{RAW}/{A}", "-o", tmp_path / "none/a.zip")
    assert (found.status, "none/a.zip cannot be written" in found.err) == (2, True)
    folder = tmp_path / "folder.zip"
    folder.mkdir()
    assert platform.custody("export", f"s3://{RAW}/{A}", "-o", folder).status == 2
    assert list(tmp_path.glob(".*")) == []


@pytest.mark.parametrize("body", [b"", b"x" * 3_000_000], ids=["empty", "several chunks"])
def test_the_bytes_travel_whole(platform, tmp_path, body):
    platform.put(RAW, "incoming/new", body)
    case = tmp_path / "new.zip"
    platform.custody("export", f"s3://{RAW}/incoming/new", "-o", case, "--no-trail", "--with-bytes")
    assert members(case)["content/1.bin"] == body
    assert run("check", case, "--waive", "trail", "--waive", "proof").status == 0
