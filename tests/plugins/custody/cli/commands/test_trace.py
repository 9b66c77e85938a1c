"""`custody trace`: from gold to the bytes that landed and who sent them."""

from datetime import timedelta

import pytest
from tests.support.audited import (
    ANALYTICS,
    GOLD,
    GOLD_RUN,
    PROVENANCE,
    RAW,
    SILVER,
    SILVER_RUN,
    A,
    B,
)
from tests.support.trail_history import LAYOUT

from custody.core.lineage.model import statement_key

UPLOADER = "arn:aws:iam::111122223333:user/crm-export"


@pytest.fixture(params=["S3", "copy"])
def audited(platform, tmp_path, request):
    if request.param == "copy":
        platform.copy(tmp_path / "copy")
    return platform


def test_gold_leads_to_the_bytes_that_landed_and_to_their_uploaders(audited):
    found = audited.custody("trace", "--json", f"s3://{ANALYTICS}/{GOLD}")
    assert found.status == 0
    (gold,) = found.of_kind("object")
    assert gold["version_id"] == audited.versions[GOLD].version.version_id
    gold_run, silver_run = found.of_kind("run")
    assert (gold_run["run"], gold_run["sources"]) == (GOLD_RUN.id, [SILVER_RUN.id])
    assert [v["sha256"] for v in silver_run["outputs"]] == [audited.versions[SILVER].sha256]
    landed = found.of_kind("landed")
    assert [(v["key"], v["version_id"], v["sha256"]) for v in landed] == [
        (key, audited.versions[key].version.version_id, audited.versions[key].sha256)
        for key in (A, B)
    ]
    assert {v["principal_arn"] for v in landed} == {UPLOADER}
    assert {v["uploader"] for v in landed} == {"AWS:AIDACRMEXPORT"}


def test_people_get_a_tree(audited):
    found = audited.custody("trace", f"s3://{ANALYTICS}/{GOLD}")
    lines = found.out.splitlines()
    assert lines[0].startswith(f"s3://{ANALYTICS}/{GOLD} version ")
    assert lines[-1] == "traced to 2 object versions that landed; everything agrees"
    assert any(audited.versions[A].sha256 in line for line in lines)
    assert any(str(audited.versions[SILVER]) in line for line in lines)
    assert sum(UPLOADER in line for line in lines) == 4
    assert any("with script sha256 " in line for line in lines)
    assert "\u202e" not in found.out


def test_bronze_is_its_own_origin(audited):
    found = audited.custody("trace", "--json", f"s3://{RAW}/{A}")
    assert found.status == 0
    assert (found.of_kind("run"), found.of_kind("landed")) == ([], [])
    assert found.of_kind("object")[0]["principal_arn"] == UPLOADER


def test_without_the_trail_the_record_alone_names_the_uploader(audited):
    found = audited.custody("trace", "--json", "--no-trail", f"s3://{ANALYTICS}/{GOLD}")
    assert found.status == 0
    assert {v["principal_arn"] for v in found.of_kind("landed")} == {None}


def test_a_write_that_the_trail_does_not_show_is_a_finding(platform):
    for item in platform.s3.list_objects_v2(Bucket=LAYOUT.bucket)["Contents"]:
        if "writes0123456789" in item["Key"]:
            platform.s3.delete_object(Bucket=LAYOUT.bucket, Key=item["Key"])
    found = platform.custody("trace", f"s3://{ANALYTICS}/{GOLD}")
    assert found.status == 1
    assert found.out.count("CloudTrail shows no event of this write") == 4


@pytest.mark.parametrize("run", [GOLD_RUN, SILVER_RUN])
def test_lineage_that_is_gone_is_a_finding_that_says_where_it_should_be(platform, run):
    platform.s3.delete_object(Bucket=PROVENANCE, Key=statement_key(run))
    found = platform.custody("trace", f"s3://{ANALYTICS}/{GOLD}")
    assert found.status == 1
    assert f"has no statement at {statement_key(run)}" in found.out


def test_a_landed_file_without_a_record_is_a_finding(platform):
    for version in platform.s3.list_object_versions(
        Bucket=PROVENANCE, Prefix=platform.places[0]
    )["Versions"]:  # fmt: skip
        platform.s3.delete_object(
            Bucket=PROVENANCE, Key=version["Key"], VersionId=version["VersionId"]
        )
    found = platform.custody("trace", "--json", f"s3://{ANALYTICS}/{GOLD}")
    assert found.status == 1
    assert [v["outcome"] for v in found.of_kind("landed")] == ["unrecorded", "ok"]


def test_a_landed_version_that_was_deleted_is_still_traced_by_its_record(platform):
    platform.s3.delete_object(Bucket=RAW, Key=A, VersionId=platform.versions[A].version.version_id)
    found = platform.custody("trace", "--json", f"s3://{ANALYTICS}/{GOLD}")
    assert [v["outcome"] for v in found.of_kind("landed")] == ["ok", "ok"]


def test_a_prefix_cannot_be_traced(platform):
    found = platform.custody("trace", f"s3://{ANALYTICS}/gold/")
    assert found.status == 2
    assert "name one object, not a prefix" in found.err


@pytest.mark.parametrize("key", [A, SILVER])
def test_bytes_that_were_altered_behind_an_untouched_file_are_found(platform, tmp_path, key):
    platform.copy(tmp_path / "copy")
    behind = platform.versions[key].version
    (tmp_path / "copy" / behind.bucket / key).write_bytes(b"other")
    found = platform.custody("trace", "--json", f"s3://{ANALYTICS}/{GOLD}")
    assert found.status == 1
    (finding,) = found.of_kind("finding")
    assert finding["reason"].startswith(f"{behind.uri} version {behind.version_id}: altered")
    told = platform.custody("trace", f"s3://{ANALYTICS}/{GOLD}")
    assert (told.status, "altered" in told.out) == (1, True)


@pytest.mark.parametrize("key", [A, SILVER])
def test_bytes_that_are_not_stored_any_more_are_a_gap(platform, key):
    behind = platform.versions[key].version
    platform.s3.delete_object(Bucket=behind.bucket, Key=key, VersionId=behind.version_id)
    command = ("trace", "--json", f"s3://{ANALYTICS}/{GOLD}")
    found = platform.custody(*command)
    assert (found.status, [gap["gap"] for gap in found.of_kind("gap")]) == (1, ["bytes"])
    assert platform.custody(*command, "--waive", "bytes").status == 0


def test_a_statement_that_was_signed_anew_behind_the_sealed_one_is_found(platform):
    place = statement_key(SILVER_RUN)
    lines = platform.envelope(place)
    platform.s3.delete_object(Bucket=PROVENANCE, Key=place, VersionId=latest(platform, place))
    landed = [platform.versions[A], platform.versions[B]]
    platform.times[A] += timedelta(seconds=1)
    platform.state(SILVER_RUN, "silver", landed, [platform.versions[SILVER]])
    assert platform.envelope(place) != lines
    found = platform.custody("trace", f"s3://{ANALYTICS}/{GOLD}")
    assert (found.status, f"The seal holds {place} with SHA-256" in found.out) == (1, True)


def latest(platform, key):
    return platform.s3.head_object(Bucket=PROVENANCE, Key=key)["VersionId"]
