"""People are told of a finding once, of its end once, and of its return once."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.findings import finding

from custody.core.ledger.verdicts import Verdict
from custody.core.paging.changes import (
    MAX_BESIDE,
    Change,
    Status,
    by_cause,
    changes,
    rows_that_settle,
)
from custody.core.paging.findings import SEVERITIES, is_finding


class OnCall:
    """What people know after each run of the reconciliation over the same hours."""

    def __init__(self):
        self.told = {}

    def run(self, *rows, watched=None):
        open_pages = [name for name, state in self.told.items() if state.is_open]
        news = changes(rows, self.told, open_pages if watched is None else watched)
        self.told |= {s.finding.fingerprint: s for change in news for s in change.states}
        return [
            (str(change.status), change.finding.verdict, change.now and change.now.verdict)
            for change in news
        ]


def test_a_finding_is_told_once():
    on_call = OnCall()
    assert on_call.run(finding(), finding(principal_arn="other")) == [("open", "UNRECORDED", None)]
    assert on_call.run(finding()) == []


def test_what_does_not_page_is_not_told():
    assert OnCall().run(finding("VERIFIED"), finding("PENDING")) == []


def test_a_late_record_resolves_its_page_once_and_for_good():
    on_call = OnCall()
    on_call.run(finding())
    assert on_call.run(finding("VERIFIED")) == [("resolved", "UNRECORDED", "VERIFIED")]
    assert on_call.run(finding("VERIFIED")) == []
    assert on_call.run() == []


def test_people_are_told_once_when_a_principal_becomes_known():
    on_call = OnCall()
    on_call.run(finding("TRAIL_BROKEN", principal_arn=None))
    assert on_call.run(finding("TRAIL_BROKEN", principal_arn=None)) == []
    named = finding("TRAIL_BROKEN", principal_arn="insider")
    assert on_call.run(named) == [("named", "TRAIL_BROKEN", None)]
    assert on_call.run(named) == []
    # What is known once is not news again when a later run sees less.
    assert on_call.run(finding("TRAIL_BROKEN", principal_arn=None)) == []
    assert on_call.run(named) == []


def test_a_finding_that_comes_back_is_told_once_more():
    on_call = OnCall()
    on_call.run(finding())
    on_call.run(finding("VERIFIED"))
    assert on_call.run(finding()) == [("reopened", "UNRECORDED", None)]
    assert on_call.run(finding()) == []
    assert on_call.run(finding("VERIFIED")) == [("resolved", "UNRECORDED", "VERIFIED")]


def test_a_worse_verdict_takes_the_place_of_the_first():
    on_call = OnCall()
    on_call.run(finding())
    assert on_call.run(finding("CONFLICT")) == [
        ("open", "CONFLICT", None),
        ("resolved", "UNRECORDED", "CONFLICT"),
    ]


LOOKED_AT_ANEW = ("TRAIL_BROKEN", "UNCOSIGNED", "UNBUILT")


@pytest.mark.parametrize("verdict", sorted(set(SEVERITIES) - set(LOOKED_AT_ANEW)))
def test_an_all_clear_needs_evidence(verdict):
    """Neither a row that is gone nor one that is not final, nor one about another version."""
    on_call = OnCall()
    on_call.run(finding(verdict))
    assert on_call.run() == []
    assert on_call.run(finding("PENDING")) == []
    assert on_call.run(finding("VERIFIED", version_id="v2")) == []
    assert on_call.run(finding("VERIFIED", object_key="b.csv")) == []


def test_a_removal_stays_a_removal():
    on_call = OnCall()
    assert on_call.run(finding("REMOVED"), finding("VERIFIED")) == [("open", "REMOVED", None)]
    assert on_call.run(finding("VERIFIED")) == []


def test_a_removal_says_nothing_about_the_witnesses():
    on_call = OnCall()
    on_call.run(finding())
    assert on_call.run(finding("REMOVED")) == [("open", "REMOVED", None)]


@pytest.mark.parametrize("verdict", LOOKED_AT_ANEW)
def test_what_each_run_looks_at_anew_is_mended_when_it_is_no_longer_found(verdict):
    on_call = OnCall()
    on_call.run(finding(verdict))
    assert on_call.run(finding(verdict), finding("VERIFIED")) == []
    assert on_call.run() == [("resolved", verdict, None)]


def test_only_watched_pages_are_resolved():
    on_call = OnCall()
    on_call.run(finding(), finding("TRAIL_BROKEN"))
    assert on_call.run(finding("VERIFIED"), watched=[]) == []


def test_the_rows_that_settle_a_page():
    page = finding()
    assert rows_that_settle(page) == (page.fingerprint, finding("VERIFIED").fingerprint)


VERDICTS = st.sampled_from([verdict.value for verdict in Verdict])
RUNS = st.lists(st.lists(st.tuples(VERDICTS, st.sampled_from("vw")), max_size=4), max_size=8)


@given(RUNS)
def test_open_and_resolved_take_turns(runs):
    on_call, last = OnCall(), {}
    for rows in runs:
        found = [finding(verdict, version_id=version) for verdict, version in rows]
        open_pages = [name for name, state in on_call.told.items() if state.is_open]
        for change in changes(found, on_call.told, open_pages):
            name = change.finding.fingerprint
            assert (
                change.status
                in {
                    None: {Status.OPEN},
                    Status.OPEN: {Status.RESOLVED},
                    Status.REOPENED: {Status.RESOLVED},
                    Status.RESOLVED: {Status.REOPENED},
                }[last.get(name)]
            )
            last[name] = change.status
            on_call.told |= {s.finding.fingerprint: s for s in change.states}
        for each in found:  # nothing that pages is lost
            assert not is_finding(each) or on_call.told[each.fingerprint].is_open


def change(n, principal="one"):
    return Change(Status.OPEN, finding(version_id=f"v{n}", principal_arn=principal))


def sizes(news, bound):
    groups = by_cause(news, bound)
    assert sorted(map(str, (c for group in groups for c in group))) == sorted(map(str, news))
    return [len(group) for group in groups]


def test_as_many_as_the_bound_stay_alone():
    assert sizes([change(n) for n in range(3)], 3) == [1, 1, 1]


def test_more_than_the_bound_of_one_principal_are_one_group():
    news = [*(change(n) for n in range(4)), change(9, "two")]
    assert sizes(news, 3) == [4, 1]


def test_more_than_the_bound_of_many_principals_are_one_group():
    news = [change(n, f"p{n}") for n in range(4)]
    assert sizes(news, 3) == [4]


def test_more_than_the_bound_of_groups_are_one_group():
    news = [change(n, f"p{n % 4}") for n in range(16)]
    assert sizes(news, 3) == [16]


@given(st.lists(st.sampled_from("abcde")), st.integers(1, 4))
def test_groups_hold_everything_and_are_few(principals, bound):
    news = [change(n, principal) for n, principal in enumerate(principals)]
    assert len(sizes(news, bound)) <= 2 * bound


CHANGED = {
    "bucket": "AwsControl",
    "object_key": "s3/bucket/raw/notifications",
    "version_id": "null",
    "principal_arn": "insider",
}


def test_a_change_of_a_control_is_told_with_what_it_led_to():
    on_call = OnCall()
    changed, alone = (
        finding("CONTROL_CHANGED", **CHANGED),
        finding("CONTROL_CHANGED", **{**CHANGED, "object_key": "ssm/parameter/custody/local/x"}),
    )
    (with_cause, by_itself) = changes([finding(), changed, alone], {}, [])
    assert (with_cause.finding, with_cause.causes) == (finding(), (changed,))
    assert (by_itself.finding, by_itself.causes) == (alone, ())
    on_call.run(finding(), changed, alone)
    assert all(state.is_open for state in on_call.told.values())
    assert len(on_call.told) == 3
    assert on_call.run(finding(), changed, alone) == []


def test_a_change_of_a_control_that_comes_later_than_what_it_led_to_is_told():
    on_call = OnCall()
    on_call.run(finding())
    changed = finding("CONTROL_CHANGED", **CHANGED)
    assert on_call.run(finding(), changed) == [("open", "CONTROL_CHANGED", None)]
    assert on_call.run(finding(), changed) == []


def test_no_change_of_a_control_is_hidden_behind_those_that_a_page_has_no_room_for():
    """Who changes a control a hundred times near a finding hides none that somebody else changed
    hours before: whatever is remembered as told was in a page."""
    junk = [
        finding("CONTROL_CHANGED", **{**CHANGED, "version_id": f"junk-{n}"})
        for n in range(2 * MAX_BESIDE)
    ]
    evil = finding(
        "CONTROL_CHANGED",
        **{**CHANGED, "version_id": "evil", "principal_arn": "another"},
        event_time="2026-11-01T03:00:00Z",
    )
    news = changes([finding(), evil, *junk], {}, [])
    assert len(news[0].causes) == MAX_BESIDE
    assert evil in [each.finding for each in news]
    told = [row for each in news for row in (each.finding, *each.causes)]
    assert sorted(row.version_id for row in told) == sorted(
        row.version_id for row in (finding(), evil, *junk)
    )


def test_what_is_resolved_has_no_causes():
    on_call = OnCall()
    on_call.run(finding())
    changed = finding("CONTROL_CHANGED", **CHANGED)
    assert on_call.run(finding("VERIFIED"), changed) == [
        ("open", "CONTROL_CHANGED", None),
        ("resolved", "UNRECORDED", "VERIFIED"),
    ]
