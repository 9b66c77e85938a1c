"""What somebody asked to see."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from tests.support.answers import closed, taken
from tests.support.consoles import read_run, removed, run, shown
from tests.support.findings import finding

from custody.core.console.selection import Selection

UNRECORDED = finding("UNRECORDED", object_key="x", event_time="2026-11-01T07:00:00Z")
RUNS = (
    read_run(8, UNRECORDED, removed("Some/Key.csv"), removed("m", pipeline_layer=None)),
    read_run(9, finding("VERIFIED", object_key="x"), watched=(UNRECORDED.fingerprint,)),
)


def keys(selection: Selection) -> list[str]:
    return [each.finding.object_key for each in selection.of(shown(*RUNS))]


@pytest.mark.parametrize(
    ("selection", "found"),
    [
        (Selection(), ["Some/Key.csv", "m", "x"]),
        (Selection(verdict="REMOVED"), ["Some/Key.csv", "m"]),
        (Selection(verdict="' OR 1=1"), []),
        (Selection(layer="other"), ["m"]),
        (Selection(layer="all"), ["Some/Key.csv", "m", "x"]),
        (Selection(hour="2026-11-01T07"), ["x"]),
        (Selection(hour="2026-11-01"), ["Some/Key.csv", "m", "x"]),
        (Selection(hour="2026-10"), []),
        (Selection(state="open"), ["Some/Key.csv", "m"]),
        (Selection(state="resolved"), ["x"]),
        (Selection(words="some KEY.csv"), ["Some/Key.csv"]),
        (Selection(words="key.csv nobody"), []),
        (Selection(words="203.0.113.7", verdict="UNRECORDED"), ["x"]),
    ],
)
def test_what_was_asked_for_is_shown(selection: Selection, found: list[str]) -> None:
    assert keys(selection) == found


@pytest.mark.parametrize(
    ("answer", "found"),
    [
        ("open", ["b"]),
        ("acknowledged", ["a"]),
        ("expired", ["c"]),
        ("closed", ["d"]),
        ("", ["a", "b", "c", "d", "e"]),
        ("' OR 1=1", []),
    ],
)
def test_findings_are_asked_for_by_their_answers(answer: str, found: list[str]) -> None:
    """Of what is resolved nobody asks whether somebody has it."""
    rows = {key: removed(key) for key in "abcd"}
    lost = finding("UNRECORDED", object_key="e")
    runs = (
        read_run(7, *rows.values(), lost),
        read_run(9, finding("VERIFIED", object_key="e"), watched=(lost.fingerprint,)),
    )
    at, name = run(7).as_of + timedelta(hours=1), {k: row.fingerprint for k, row in rows.items()}
    gone = replace(taken(at=at, finding=name["c"]), until=at + timedelta(hours=1))
    answers = {
        name["a"]: [taken(at=at, finding=name["a"])],
        name["c"]: [gone],
        name["d"]: [closed(at=at, finding=name["d"])],
    }
    asked = Selection(answer=answer).of(shown(*runs, answers=answers))
    assert sorted(each.finding.object_key for each in asked) == found


@pytest.mark.parametrize(
    ("selection", "is_there"),
    [
        (Selection(), False),
        (Selection(state="open"), False),
        (Selection(verdict="CONTROL_CHANGED"), True),
        (Selection(hour="2026-11-01T06"), True),
        (Selection(layer="all"), True),
        (Selection(words="role"), True),
        (Selection(answer="open"), True),
    ],
)
def test_what_belongs_to_another_is_by_itself_for_who_asks_for_it(
    selection: Selection, is_there: bool
) -> None:
    change = finding("CONTROL_CHANGED", bucket="AwsControl", object_key="iam/role/x/policy")
    found = [each.finding for each in selection.of(shown(read_run(8, removed(), change)))]
    assert (change in found) == is_there
