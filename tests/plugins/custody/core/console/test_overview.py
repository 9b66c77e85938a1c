"""Well is only what was judged, told in full, and watched on time."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from tests.support.consoles import NOW, POLICY, read_run, removed, run, shown
from tests.support.findings import finding

from custody.core.console.freshness import AUDITED_WITHIN
from custody.core.console.standing import ReadRun
from custody.core.paging.found import Found
from custody.core.runs.airflow_log import Act, AirflowLog

FRESH: dict[str, Any] = {"judged": NOW, "sealed": NOW, "proven": NOW, "entries": 7}
AUDIT = read_run(8, job="audit")


def test_all_is_well_while_nothing_stands_and_every_watcher_is_on_time() -> None:
    overview = shown(read_run(12), AUDIT, **FRESH)
    assert overview.is_well
    assert {watcher.name: watcher.seen for watcher in overview.watchers} == {
        "Every hour is judged until": NOW,
        "The last audit was at": run(8, job="audit").as_of,
        "The seal last grew at": NOW,
        "The trail is proven until": NOW,
    }
    assert overview.last is not None
    assert overview.last.run == run(12)


def test_nothing_is_well_once_something_stands() -> None:
    assert not shown(read_run(12, removed()), AUDIT, **FRESH).is_well


def test_what_is_only_counted_is_not_well() -> None:
    counted = ReadRun(run(12), {}, Found((), {("REMOVED", None): 2}), POLICY)
    assert not shown(counted, AUDIT, **FRESH).is_well


def test_a_run_by_other_settings_than_are_read_here_is_not_well() -> None:
    other = replace(read_run(12), policy="bb" * 32)
    assert shown(other, AUDIT, **FRESH).has_other_settings
    assert not shown(other, AUDIT, **FRESH).is_well
    assert shown(other, replace(read_run(12, day=2)), AUDIT, **FRESH).is_well


@pytest.mark.parametrize("watcher", ["judged", "sealed", "proven"])
@pytest.mark.parametrize("seen", [None, NOW - timedelta(days=3)])
def test_a_watcher_that_is_late_or_never_came_is_not_well(watcher: str, seen: Any) -> None:
    assert not shown(read_run(12), AUDIT, **{**FRESH, watcher: seen}).is_well


def test_without_an_audit_nothing_is_well() -> None:
    assert not shown(read_run(12), **FRESH).is_well
    later = run(8).as_of + AUDITED_WITHIN
    fresh = {**FRESH, "judged": later, "sealed": later, "proven": later}
    assert shown(read_run(12), AUDIT, now=later, **fresh).is_well
    assert not shown(read_run(12), AUDIT, now=later + timedelta(seconds=1), **fresh).is_well


CHANGE = finding(
    "CONTROL_CHANGED",
    bucket="AwsControl",
    object_key="iam/role/x/policy",
    event_time="2026-11-01T05:30:00Z",
)


def test_a_finding_has_the_changes_of_controls_of_any_run_as_causes() -> None:
    overview = shown(read_run(8, removed()), read_run(9, CHANGE))
    lost, change = (overview.findings[row.fingerprint] for row in (removed(), CHANGE))
    assert overview.causes(lost) == [CHANGE]
    assert overview.causes(change) == []


def test_a_changed_control_is_told_with_the_finding_that_it_belongs_to() -> None:
    """Whichever run found it; what belongs to none is a finding of its own."""
    alone = finding("CONTROL_CHANGED", bucket="AwsControl", object_key="ssm/parameter/x")
    overview = shown(read_run(8, removed(), alone), read_run(9, CHANGE))
    assert [each.finding for each in overview.open] == [removed(), alone]
    assert {each.finding for each in overview.standing} == {removed(), alone, CHANGE}
    assert overview.beside == {removed().fingerprint: [CHANGE]}
    lost, change = (overview.findings[row.fingerprint] for row in (removed(), CHANGE))
    assert overview.led_to(change) == [lost]
    assert overview.led_to(lost) == []
    assert sum(sum(ages.values()) for ages in overview.ages.values()) == 2


def test_a_changed_control_outlives_the_finding_that_it_belonged_to() -> None:
    lost = finding("UNRECORDED")
    found = finding("VERIFIED")
    runs = [read_run(8, lost, CHANGE), read_run(9, found, watched=(lost.fingerprint,))]
    assert [each.finding for each in shown(*runs[:1]).open] == [lost]
    assert [each.finding for each in shown(*runs).open] == [CHANGE]
    assert shown(*runs).beside == {}


def told(acts: Iterable[int], hour: int, **more: Any) -> ReadRun:
    """A run that tells of these entries of Airflow's log."""
    until = run(hour).as_of
    made = tuple(Act(n, NOW + timedelta(minutes=n), "operator", "patch_dag") for n in acts)
    log = AirflowLog(until - timedelta(hours=1), until, made, **more)
    return replace(read_run(hour), airflow=log)


def test_what_people_did_in_airflow_is_told_once_the_latest_first() -> None:
    kind = ("operator", "patch_dag")
    first = told([1, 2], 8, left_out={kind: 1}, unread=2, trouble="AccessDeniedException")
    airflow = shown(told([2, 3], 9, left_out={kind: 2}), first, read_run(10)).airflow
    assert [act.number for act in airflow.acts] == [3, 2, 1]
    assert (airflow.left_out, airflow.unread, airflow.trouble) == ({kind: 3}, 2, "")
    assert airflow.since == run(8).as_of - timedelta(hours=1)
    assert shown(first).airflow.trouble == "AccessDeniedException"
    assert shown(read_run(8)).airflow.since is None


def test_it_says_which_run_did_not_find_it_again() -> None:
    (standing,) = shown(read_run(8, removed())).findings.values()
    later = shown(read_run(8, removed()), read_run(9), read_run(12))
    assert later.judged_since(standing) == run(9)
    assert shown(read_run(8, removed()), AUDIT).judged_since(standing) is None
    (audited,) = shown(read_run(8, removed(), job="audit"), read_run(9)).findings.values()
    assert later.judged_since(audited) is None


def test_runs_of_other_jobs_are_nobodys() -> None:
    overview = shown(read_run(12, removed(), job="medallion"), AUDIT, **FRESH)
    assert overview.findings == {}
    assert overview.last is None
