"""`custody verify`, against S3 and against a copy."""

from dataclasses import replace
from datetime import timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from tests.support.audited import GOLD, PROVENANCE, RAW, SIGNER, A, B, Platform
from tests.support.moto_aws import refusal

from custody.aws.seal.log import seal
from custody.core.records.names import conflict_key
from custody.reading.sources import S3Source


def outcomes(platform: Platform, *args: str) -> dict[str, str]:
    found = platform.custody("verify", "--json", *args)
    versions = found.of_kind("version")
    (summary,) = found.of_kind("summary")
    assert summary["versions"] == len(versions)
    well = all(version["outcome"] == "ok" for version in versions)
    assert found.status == (0 if well else 1)
    return {version["version_id"]: version["outcome"] for version in versions}


@pytest.fixture(params=["S3", "copy"])
def audited(platform, tmp_path, request):
    if request.param == "copy":
        platform.copy(tmp_path / "copy")
    return platform


def test_an_honest_prefix_is_well_and_every_version_is_named(audited):
    landed = [v.version.version_id for v in audited.versions.values() if v.version.bucket == RAW]
    assert outcomes(audited, f"s3://{RAW}/incoming/") == dict.fromkeys(landed, "ok")


def test_one_version_is_told_in_full(audited):
    version = audited.versions[A]
    found = audited.custody("verify", "--json", f"s3://{RAW}/{A}")
    (told,) = found.of_kind("version")
    assert told["version_id"] == version.version.version_id
    assert told["sha256"] == told["sha256_found"] == version.sha256
    assert (told["uploader"], told["source_ip"]) == ("AWS:AIDACRMEXPORT", "203.0.113.7")


def test_people_get_a_table_without_the_control_characters_of_keys(audited):
    found = audited.custody("verify", f"s3://{RAW}/")
    assert "2 versions; ok: 2" in found.out
    assert r"\u202e[red]" in found.out.replace("\n", "")
    assert "\u202e" not in found.out


def test_nothing_there_is_no_answer(audited):
    found = audited.custody("verify", f"s3://{RAW}/incoming/nothing")
    assert (found.status, found.out) == (2, "")
    assert f"there is nothing at s3://{RAW}/incoming/nothing" in found.err


def test_an_overwrite_is_two_versions_each_with_its_record(platform):
    old = platform.versions[A].version.version_id
    new = platform.put(RAW, A, b"newer").version.version_id
    assert outcomes(platform, f"s3://{RAW}/{A}") == {old: "ok", new: "ok"}
    assert outcomes(platform, f"s3://{RAW}/{A}", "--version-id", old) == {old: "ok"}
    assert platform.custody("verify", f"s3://{RAW}/{A}", "--version-id", "v").status == 2


def test_a_key_that_another_one_begins_with_is_that_key_alone(platform):
    platform.put(RAW, f"{A}.bak", b"x", recorded=False)
    assert set(outcomes(platform, f"s3://{RAW}/{A}").values()) == {"ok"}
    beginning = ("--prefix", f"s3://{RAW}/{A[:-1]}")
    assert sorted(outcomes(platform, *beginning).values()) == ["ok", "unrecorded"]
    found = platform.custody("verify", f"s3://{RAW}/{A[:-1]}")
    assert (found.status, "a prefix ends with a slash" in found.err) == (2, True)


def test_an_object_named_like_a_folder_hides_nothing_below_it(platform):
    """Whoever may land a file could otherwise choose what an auditor's command looks at."""
    platform.put(RAW, "incoming", b"x")
    platform.put(RAW, "incoming/", b"y", recorded=False)
    found = platform.custody("verify", f"s3://{RAW}/incoming")
    assert (found.status, found.out) == (2, "")
    assert "the beginning of others" in found.err
    below = outcomes(platform, f"s3://{RAW}/incoming/")
    assert sorted(below.values()) == ["ok", "ok", "unrecorded"]
    planted = platform.versions["incoming"].version.version_id
    one = outcomes(platform, f"s3://{RAW}/incoming", "--version-id", planted)
    assert one == {planted: "ok"}


def test_a_file_of_a_copy_that_was_deleted_or_made_a_link_is_missed(platform, tmp_path):
    platform.copy(tmp_path / "copy")
    (tmp_path / "copy" / RAW / A).unlink()
    assert sorted(outcomes(platform, f"s3://{RAW}/").values()) == ["ok", "unreadable"]
    (tmp_path / "copy" / RAW / A).symlink_to(tmp_path / "copy" / RAW / B)
    assert sorted(outcomes(platform, f"s3://{RAW}/").values()) == ["ok", "unreadable"]


def test_a_record_that_was_deleted_from_a_copy_is_missed(platform, tmp_path):
    disputed = platform.put(RAW, "incoming/4", b"x")
    other = replace(disputed, sha256="1" * 64)
    beside = conflict_key(platform.places[-1], other.sha256)
    platform.record(other, 1, platform.times["incoming/4"], place=beside)
    platform.copy(tmp_path / "copy")
    (tmp_path / "copy" / PROVENANCE / beside).unlink()
    found = outcomes(platform, f"s3://{RAW}/incoming/4")
    assert list(found.values()) == ["bad signature"]


def test_versions_that_no_copy_holds_are_a_gap_that_can_be_waived(platform, tmp_path):
    platform.put(RAW, A, b"newer")
    platform.copy(tmp_path / "copy")
    found = platform.custody("verify", "--json", f"s3://{RAW}/incoming/")
    assert (found.status, found.of_kind("gap")) == (
        1,
        [{"kind": "gap", "gap": "superseded", "waived": False,
          "reason": "1 versions, overwritten or deleted, are in the bucket and in no copy"}],
    )  # fmt: skip
    waived = platform.custody("verify", "--waive", "superseded", f"s3://{RAW}/incoming/")
    assert waived.status == 0
    assert "waived: superseded: 1 versions" in waived.out


def test_each_wrong_is_told_apart(platform):
    stranger = ec.generate_private_key(ec.SECP256R1())
    unrecorded = platform.put(RAW, "incoming/1", b"x", recorded=False)
    forged = platform.put(RAW, "incoming/2", b"x", recorded=False)
    platform.record(forged, 1, platform.times["incoming/2"], key=stranger)
    altered = platform.put(RAW, "incoming/3", b"x", recorded=False)
    platform.record(replace(altered, sha256="0" * 64), 1, platform.times["incoming/3"])
    disputed = platform.put(RAW, "incoming/4", b"x")
    other = replace(disputed, sha256="1" * 64)
    beside = conflict_key(platform.places[-1], other.sha256)
    platform.record(other, 1, platform.times["incoming/4"], place=beside)
    found = outcomes(platform, f"s3://{RAW}/incoming/")
    files = (unrecorded, forged, altered, disputed)
    assert {item.version.version_id: found[item.version.version_id] for item in files} == {
        unrecorded.version.version_id: "unrecorded",
        forged.version.version_id: "bad signature",
        altered.version.version_id: "altered",
        disputed.version.version_id: "conflict",
    }  # fmt: skip


def test_a_record_that_was_replaced_or_hidden_is_still_read(platform):
    place = platform.places[0]
    platform.s3.put_object(Bucket=PROVENANCE, Key=place, Body=b"{}")
    version = platform.versions[A].version.version_id
    assert outcomes(platform, f"s3://{RAW}/{A}") == {version: "bad signature"}
    platform.s3.delete_object(Bucket=PROVENANCE, Key=place)
    assert outcomes(platform, f"s3://{RAW}/{A}") == {version: "bad signature"}


def test_a_version_that_s3_refuses_does_not_stop_the_others(platform, monkeypatch):
    hidden = platform.versions[A].version.version_id

    def refuse(params, **_):
        asked = str(params["query_string"])
        return refusal("AccessDenied", 403) if hidden in asked else None

    def watched(s3):
        s3.meta.events.register("before-call.s3.GetObject", refuse)
        return S3Source(s3)

    monkeypatch.setattr("custody.reading.deployment.S3Source", watched)
    found = outcomes(platform, f"s3://{RAW}/incoming/")
    assert sorted(found.values()) == ["ok", "unreadable"]
    assert found[hidden] == "unreadable"


def test_bytes_that_changed_in_the_copy_are_altered(platform, tmp_path):
    platform.copy(tmp_path / "copy")
    (tmp_path / "copy" / RAW / A).write_bytes(b"id\n9\n")
    assert sorted(outcomes(platform, f"s3://{RAW}/").values()) == ["altered", "ok"]


def test_gold_has_records_too(audited):
    bucket = audited.versions[GOLD].version.bucket
    assert set(outcomes(audited, f"s3://{bucket}/").values()) == {"ok"}


def remove(platform: Platform, place: str) -> None:
    """Remove a record for good, as one who lifted its lock."""
    head = platform.s3.head_object(Bucket=PROVENANCE, Key=place)
    platform.s3.delete_object(Bucket=PROVENANCE, Key=place, VersionId=head["VersionId"])


def test_a_record_signed_anew_behind_the_sealed_one_is_found(platform):
    """The signing key itself is not enough to rewrite what it signed."""
    place = platform.places[0]
    remove(platform, place)
    bytes_now = platform.versions[A]
    later = platform.times[A] + timedelta(seconds=30)
    assert platform.record(bytes_now, 5, later) == place
    found = platform.custody("verify", f"s3://{RAW}/{A}")
    assert (found.status, f"The seal holds {place} with SHA-256" in found.out) == (1, True)
    assert set(outcomes(platform, f"s3://{RAW}/{A}").values()) == {"not as sealed"}


def test_a_record_written_beside_a_sealed_one_is_found(platform):
    later = platform.times[A] + timedelta(seconds=30)
    platform.record(platform.versions[A], 5, later)
    assert set(outcomes(platform, f"s3://{RAW}/{A}").values()) == {"not as sealed"}


def test_a_sealed_conflict_that_was_removed_is_found(platform):
    other = replace(platform.versions[A], sha256="1" * 64)
    beside = conflict_key(platform.places[0], other.sha256)
    platform.record(other, 5, platform.times[A], place=beside)
    seal(platform.s3, PROVENANCE, [platform.entry(beside)], signer=SIGNER)
    remove(platform, beside)
    found = platform.custody("verify", f"s3://{RAW}/{A}")
    assert (found.status, f"The seal holds {beside}" in found.out) == (1, True)


def test_a_record_of_another_time_than_its_version_is_a_conflict(platform):
    """As a key that was replaced would sign it, dated into its time."""
    planted = platform.put(RAW, "incoming/5", b"x", recorded=False)
    at = platform.times["incoming/5"]
    platform.record(planted, 1, at - timedelta(minutes=20))
    found = set(outcomes(platform, f"s3://{RAW}/incoming/5").values())
    assert found <= {"conflict", "bad signature"}  # it lies under another day around midnight
    assert found


@pytest.mark.parametrize("path", ["seal/checkpoint", "seal/append/0000000000000000000"])
def test_a_seal_of_which_something_is_gone_is_a_finding(platform, path):
    remove(platform, path)
    found = platform.custody("verify", f"s3://{RAW}/{A}")
    assert found.status == 1
    assert f"the seal cannot be used: {path.removeprefix('seal/')}: is missing" in found.out
