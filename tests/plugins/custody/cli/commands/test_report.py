"""`custody report`: one file of what was signed, and a status that says whether all is well."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from botocore.exceptions import ClientError
from tests.support.audited import GOLD, PROVENANCE, RAW, SIGNER, A, Platform, kms_of
from tests.support.consoles import SCRIPT, removed
from tests.support.judging_runs import BASIS, PARTS, REPORT, RUN
from tests.support.moto_aws import PRIVATE_KEY

from custody.aws.runs.keeping import keep_run
from custody.core.paging.found import Found
from custody.reading.deployment import Deployment


def state(platform: Platform) -> str:
    """A run of this hour that found a removal; the fingerprint."""
    now = datetime.now(UTC).replace(microsecond=0)
    at = f"{now - timedelta(hours=2):%Y-%m-%dT%H:%M:%SZ}"
    found = removed(SCRIPT, event_time=at)
    report = replace(REPORT, found=Found((found,)).to_document())
    run = replace(RUN, as_of=now, start=now - timedelta(hours=4), end=now)
    parts = {**PARTS, "report": report.to_bytes()}
    keep_run(platform.s3, PROVENANCE, run, BASIS, parts, signer=SIGNER, key_arn="k")
    return found.fingerprint


@pytest.fixture(autouse=True)
def key_of_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Deployment, "kms", staticmethod(lambda _: kms_of(PRIVATE_KEY)))


def test_the_report_tells_who_has_taken_a_finding_on(platform: Platform, tmp_path: Path) -> None:
    fingerprint, target = state(platform), tmp_path / "report.html"
    platform.custody("findings", "ack", fingerprint, "--reason", "asked <the shop>")
    platform.custody("report", "--days", "2", "-o", target)
    page = target.read_text(encoding="utf-8")
    assert 'data-of="answer"><span class="tag resolved">acknowledged</span>' in page
    assert "asked &lt;the shop&gt;" in page


def test_a_report_for_whom_the_key_of_answers_is_withheld_says_so(
    platform: Platform, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(_: str) -> None:
        raise ClientError({"Error": {"Code": "AccessDeniedException"}}, "GetPublicKey")

    monkeypatch.setattr(Deployment, "kms", staticmethod(refused))
    target = tmp_path / "report.html"
    state(platform)
    made = platform.custody("report", "--days", "2", "-o", target, "--json")
    (summary,) = made.of_kind("summary")
    assert (made.status, summary["stand"]) == (1, 1)
    assert "GetPublicKey" in summary["unanswered"]
    page = target.read_text(encoding="utf-8")
    assert "Whether anybody has taken them on is not told" in page
    assert 'data-of="answer"' not in page


def test_the_report_tells_what_stands(platform: Platform, tmp_path: Path) -> None:
    fingerprint, target = state(platform), tmp_path / "report.html"
    made = platform.custody("report", "--days", "2", "-o", target, "--json")
    assert made.status == 1
    (summary,) = made.of_kind("summary")
    assert (summary["findings"], summary["stand"], summary["well"]) == (1, 1, False)
    assert "Every hour is judged until" in summary["late"]
    page = target.read_text(encoding="utf-8")
    assert f'id="f-{fingerprint}"' in page
    assert "<script" not in page
    assert "http-equiv=" in page


@pytest.mark.parametrize("days", ["0", "91", "x", "٣"])
def test_a_period_of_another_form_is_refused(platform: Platform, days: str, tmp_path: Path) -> None:
    with pytest.raises(SystemExit) as refused:
        platform.custody("report", "--days", days, "-o", tmp_path / "report.html")
    assert refused.value.code == 2


def test_of_a_copy_there_is_no_report(platform: Platform, tmp_path: Path) -> None:
    made = platform.custody("report", "--from", tmp_path, "-o", tmp_path / "report.html")
    assert made.status == 2
    assert "leave --from out" in made.err


def test_the_life_of_one_object_is_a_file_by_itself(platform: Platform, tmp_path: Path) -> None:
    target, place = tmp_path / "a.html", f"s3://{RAW}/{A}"
    made = platform.custody("report", place, "-o", target, "--json")
    assert made.status == 0, made.out + made.err
    (summary,) = made.of_kind("summary")
    assert (summary["object"], summary["well"], summary["stand"]) == (place, True, 0)
    page = target.read_text(encoding="utf-8")
    for said in ("are those of the record", "says CloudTrail", " of 6</td>", GOLD):
        assert said in page
    assert "<script" not in page
    assert not re.search(r'(?:href|src|action)="[^#]', page)


def test_the_life_of_an_object_whose_bytes_are_others_is_not_well(
    platform: Platform, tmp_path: Path
) -> None:
    version = platform.versions[A]
    platform.s3.put_object(Bucket=RAW, Key="incoming/b", Body=b"other")
    made = platform.custody("report", f"s3://{RAW}/incoming/b", "-o", tmp_path / "b.html", "--json")
    assert made.status == 1
    assert "There is no record of it" in (tmp_path / "b.html").read_text(encoding="utf-8")
    assert platform.custody("report", f"s3://{RAW}/none", "-o", tmp_path / "c.html").status == 2
    named = ("--version-id", version.version.version_id)
    again = ("report", f"s3://{RAW}/{A}", "-o", tmp_path / "d.html")
    assert platform.custody(*again, *named, "--no-trail").status == 0
