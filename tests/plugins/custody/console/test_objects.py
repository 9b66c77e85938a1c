"""One object's life and its case are what `custody` finds of the evidence; no page costs more."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from tests.support.audited import (
    ANALYTICS,
    GOLD,
    PROVENANCE,
    RAW,
    SILVER,
    SILVER_RUN,
    A,
    Platform,
    honest_platform,
    run,
)
from tests.support.consoles import JOBS, POLICY, read_run, removed
from tests.support.lives import objects_of
from tests.support.s3_answers import withheld

from custody.console import lives
from custody.console import objects as module
from custody.console.lives import NoSuchObject
from custody.console.objects import Objects
from custody.core.case.object_check import Outcome
from custody.core.console.objects.asked import NotAsked
from custody.core.console.objects.life import Kind, Life
from custody.core.console.overview import Evidence, Overview, overview
from custody.core.ledger.rows import LedgerRow
from custody.core.runs.model import JudgingRun
from custody.reading.errors import CannotCheck

HOUR = timedelta(hours=1)


@pytest.fixture
def platform(tmp_path: Path) -> Iterator[Platform]:
    with honest_platform(tmp_path) as platform:
        yield platform


def found(platform: Platform, *rows: LedgerRow) -> Overview:
    """An overview of a run that judged the hours of the platform, and of an audit after it."""
    end = platform.times[A].replace(minute=0, second=0, microsecond=0) + HOUR
    judged = JudgingRun("reconcile", "jr_judge", end + HOUR, end - 4 * HOUR, end)
    audit = JudgingRun("audit", "jr_audit", end + 2 * HOUR, end - 24 * HOUR, end)
    runs = [replace(read_run(8, *rows), run=judged), replace(read_run(8), run=audit)]
    return overview(
        Evidence(runs), **JOBS, policy=POLICY, first=judged.start.date(), now=end + 3 * HOUR
    )


def look(platform: Platform, typed: str, version: str = "", *rows: LedgerRow) -> Life:
    with objects_of(platform) as objects:
        return objects.life(typed, version, found(platform, *rows))


def kinds(life: Life) -> list[Kind]:
    return sorted(moment.kind for moment in life.moments)


def test_a_file_that_landed_is_told_from_its_write_to_what_was_made_of_it(
    platform: Platform,
) -> None:
    life = look(platform, A)
    assert life.is_well
    assert life.checked.record is not None
    assert life.checked.found is None
    assert Counter(kinds(life)) == {
        **dict.fromkeys([Kind.RECORDED, Kind.SEALED, Kind.JUDGED, Kind.AUDITED], 1),
        Kind.WRITTEN: 2,
        Kind.READ: 2,
    }
    (silver,) = life.onward
    made = [item.version.key for each in silver.walk() for item in each.lineage.outputs]
    assert made == [SILVER, GOLD]
    assert life.back is None
    assert life.entry is not None
    assert life.entry.size == 6


def test_a_file_of_gold_leads_back_to_what_landed(platform: Platform) -> None:
    life = look(platform, f"s3://{ANALYTICS}/{GOLD}")
    assert life.is_well
    assert life.back is not None
    (silver,) = life.back.sources
    assert [item.version.key for item in silver.outputs] == [SILVER]
    assert A in {item.version.key for item in silver.landed}
    assert life.onward == ()
    assert Kind.MADE in kinds(life)


def test_no_byte_of_data_is_read(platform: Platform, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []
    own = platform.s3.get_object
    monkeypatch.setattr(
        platform.s3, "get_object", lambda **given: (asked.append(given["Bucket"]), own(**given))[1]
    )
    look(platform, f"s3://{ANALYTICS}/{GOLD}")
    with objects_of(platform) as objects:
        objects.case(f"s3://{ANALYTICS}/{GOLD}", "")
    assert set(asked) == {PROVENANCE}


def test_what_a_run_found_is_told_and_only_of_this_version(platform: Platform) -> None:
    first = platform.versions[A].version.version_id
    second = platform.put(RAW, A, b"id\n3\n").version.version_id
    at = f"{platform.times[A]:%Y-%m-%dT%H:%M:%SZ}"
    rows = [
        removed(A, bucket=RAW, version_id=name, event_time=at) for name in (first, second, "marker")
    ]
    life = look(platform, A, first, *rows)
    assert not life.is_well
    assert {each.finding.version_id for each in life.findings} == {first, "marker"}
    assert Kind.REPLACED in kinds(life)
    assert [each.version_id for each in life.versions] == [second, first]
    assert look(platform, A).version.version_id == second


def test_a_marker_stands_for_what_it_hides(platform: Platform) -> None:
    first = platform.versions[A].version.version_id
    marker = platform.s3.delete_object(Bucket=RAW, Key=A)["VersionId"]
    for asked in ("", marker, first):
        life = look(platform, A, asked)
        assert life.version.version_id == first
        assert Kind.REMOVED in kinds(life)


def test_what_is_gone_is_known_by_its_finding_and_its_record(platform: Platform) -> None:
    version = platform.versions[A].version.version_id
    platform.s3.delete_object(Bucket=RAW, Key=A, VersionId=version)
    at = f"{platform.times[A]:%Y-%m-%dT%H:%M:%SZ}"
    life = look(
        platform, f"s3://{RAW}/{A}", "", removed(A, bucket=RAW, version_id=version, event_time=at)
    )
    assert life.stored is None
    assert life.checked.record is not None
    assert Kind.FOUND in kinds(life)
    with pytest.raises(NoSuchObject, match=r"no version of s3://.*a\.csv"):
        look(platform, f"s3://{RAW}/{A}")


def test_a_record_that_is_none_is_said(platform: Platform) -> None:
    platform.put(RAW, "incoming/new", b"x", recorded=False)
    life = look(platform, "incoming/new")
    assert (life.checked.outcome, life.is_well) == (Outcome.UNRECORDED, False)


def test_a_statement_that_nobody_signed_leads_nowhere_and_is_counted(platform: Platform) -> None:
    (key,) = [key for key in platform.places if "lineage" in key][:1]
    envelope = json.loads(platform.envelope(key))
    envelope["payload"] = envelope["payload"][:-8] + "AAAAAAAA"
    platform.s3.put_object(Bucket=PROVENANCE, Key=key, Body=json.dumps(envelope).encode() + b"\n")
    life = look(platform, A)
    assert life.onward == ()
    assert life.unread == "1 statements of the day are not believed, or not whole"


def test_statements_that_s3_does_not_hand_out_lead_nowhere_and_are_said(platform: Platform) -> None:
    _, gold = (key for key in platform.places if "lineage" in key)
    with withheld(platform.s3, gold):
        made, life = look(platform, f"s3://{ANALYTICS}/{GOLD}"), look(platform, A)
    assert made.back is not None
    assert made.back.lineage is None
    assert len(made.back.troubles) == 1
    assert [each.lineage.run for run in life.onward for each in run.walk()] == [SILVER_RUN]
    assert life.unread == "1 statements of the day are not believed, or not whole"


@pytest.mark.parametrize("typed", ["s3://elsewhere/a", f"s3://{RAW}", ""])
def test_nothing_else_is_asked_of_s3(typed: str, platform: Platform) -> None:
    with pytest.raises(NotAsked):
        look(platform, typed)


def test_who_reloads_costs_nothing(platform: Platform, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    with objects_of(platform) as objects:
        told = found(platform)
        first = objects.life(A, "", told)
        monkeypatch.setattr(platform.s3, "list_object_versions", lambda **_: asked.append("list"))
        assert objects.life(A, "", told) is first
    assert asked == []


def test_only_so_many_versions_are_listed(
    platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lives, "MOST_VERSIONS", 0)
    life = look(platform, A)
    assert (life.is_cut, life.versions) == (True, [])


# Cases


def taken(platform: Platform, objects: Objects, typed: str, version: str = "") -> Path:
    case = objects.case(typed, version)
    path = platform.folder / case.name
    path.write_bytes(case.content)
    return path


@pytest.mark.parametrize("uri", [f"s3://{RAW}/{A}", f"s3://{ANALYTICS}/{GOLD}"])
def test_a_case_is_accepted_by_who_checks_it_without_us(platform: Platform, uri: str) -> None:
    with objects_of(platform) as objects:
        path = taken(platform, objects, uri)
    keys = platform.folder / "keys.json"
    waived = ("--waive", "trail", "--waive", "bytes")
    checked = run("check", path, "--keys", keys, "--about", uri, *waived)
    assert checked.status == 0, checked.out
    assert run("check", path, "--keys", keys).status == 1


def test_a_case_of_more_than_is_gathered_here_says_who_makes_it(
    platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MOST_BEHIND", 2)
    with objects_of(platform) as objects, pytest.raises(CannotCheck, match="custody export"):
        objects.case(f"s3://{ANALYTICS}/{GOLD}", "")


def test_there_is_no_case_of_nothing(platform: Platform) -> None:
    with objects_of(platform) as objects, pytest.raises(NoSuchObject):
        objects.case(A, "other")
