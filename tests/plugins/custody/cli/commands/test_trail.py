"""`custody trail`: findings, and the head that is remembered."""

from datetime import datetime, timedelta

import pytest
from tests.support.audited import Platform, write_json
from tests.support.trail_history import LAYOUT

from custody.core.trail.heads import Heads
from custody.core.trail.report import Head


@pytest.fixture(params=["S3", "copy"])
def audited(platform, tmp_path, request):
    if request.param == "copy":
        platform.copy(tmp_path / "copy")
    return platform


def test_an_honest_trail_is_proven_and_its_head_is_remembered(audited, tmp_path):
    head = tmp_path / "head.json"
    check = ("trail", "--json", "--as-of", audited.as_of, "--head", head)
    first = audited.custody(*check)
    (summary,) = first.of_kind("summary")
    assert (first.status, summary["digests"], summary["logs"]) == (0, 3, 2)
    assert summary["proven_until"] == audited.as_of.replace("Z", ".000Z")
    remembered = head.read_bytes()
    assert list(Heads.from_json(remembered, LAYOUT).by_region) == [LAYOUT.region]
    _mark_the_day_before(audited)
    again = audited.custody(*check)
    assert (again.status, again.of_kind("summary")[0]["logs"]) == (0, 0)
    assert head.read_bytes() == remembered


def _mark_the_day_before(platform: Platform) -> None:
    """S3 lists what comes behind a KeyMarker, moto only what comes behind the next key."""
    day = datetime.fromisoformat(platform.as_of) - timedelta(days=1)
    for prefix in (LAYOUT.digest_prefix, LAYOUT.log_prefix):
        platform.s3.put_object(Bucket=LAYOUT.bucket, Key=f"{prefix}{day:%Y/%m/%d}", Body=b"")


def test_a_log_that_is_gone_is_a_finding_and_the_head_stays_before_it(platform, tmp_path):
    head = tmp_path / "head.json"
    (log,) = [
        item["Key"]
        for item in platform.s3.list_objects_v2(Bucket=LAYOUT.bucket)["Contents"]
        if "writes0123456789" in item["Key"]
    ]
    platform.s3.delete_object(Bucket=LAYOUT.bucket, Key=log)
    found = platform.custody("trail", "--json", "--as-of", platform.as_of, "--head", head)
    (finding,) = found.of_kind("finding")
    assert (found.status, finding["finding"], finding["key"]) == (1, "log_missing", log)
    at_home = Heads.from_json(head.read_bytes(), LAYOUT).by_region[LAYOUT.region]
    assert at_home.end < platform.times[next(iter(platform.times))]
    told = platform.custody("trail", "--as-of", platform.as_of)
    assert "log_missing" in told.out
    assert "1 findings" in told.out


def test_a_copy_says_when_it_was_made(platform, tmp_path):
    platform.copy(tmp_path / "copy")
    found = platform.custody("trail")
    assert (found.status, "Give --as-of" in found.err) == (2, True)


def test_a_copy_without_metadata_says_what_is_missing(platform, tmp_path):
    platform.copy(tmp_path / "copy")
    (tmp_path / "copy/_metadata").rename(tmp_path / "elsewhere")
    found = platform.custody("trail", "--as-of", platform.as_of)
    assert found.status == 2
    assert "_metadata" in found.err


def test_a_head_of_another_trail_or_none_at_all_is_refused(platform, tmp_path):
    head = tmp_path / "head.json"
    head.write_text("{}")
    found = platform.custody("trail", "--head", head)
    assert found.status == 2
    assert f"{head}: version: is missing" in found.err
    other = Head("another-trail", "key", "0" * 64, "00", platform.times[next(iter(platform.times))])
    head.write_text(other.to_json())
    found = platform.custody("trail", "--head", head)
    assert (found.status, "another trail" in found.err) == (2, True)


def test_a_digest_without_its_metadata_proves_nothing(platform, tmp_path):
    platform.copy(tmp_path / "copy")
    for path in (tmp_path / "copy/_metadata").rglob("*.json"):
        write_json(path, {"Metadata": {}})
    found = platform.custody("trail", "--json", "--as-of", platform.as_of)
    assert found.status == 1
    assert "digest_altered" in {finding["finding"] for finding in found.of_kind("finding")}


def test_no_digest_in_the_time_asked_for_is_no_answer(audited):
    found = audited.custody(
        "trail", "--as-of", audited.as_of, "--since", "2030-01-01T00:00:00Z", "--json"
    )
    assert (found.status, found.out) == (2, "")
    assert "nothing was checked" in found.err
