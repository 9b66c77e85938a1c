"""The remembered head, how far a trail is proven, and reports put together."""

import json
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.strategies import buckets, instants, keys

from custody.core.formats.untrusted import MalformedInput
from custody.core.trail.defects import TrailDefect, TrailDefectKind
from custody.core.trail.report import Head, Progress, ProvenLog, TrailReport
from custody.objects import ObjectVersion

HEAD = Head("trail-bucket", "key", "ab" * 32, "cd" * 256, datetime(2026, 11, 2, 13, tzinfo=UTC))


@given(st.builds(Head, buckets, keys, st.just("ab" * 32), st.just("cd" * 256), instants))
def test_a_head_survives_being_remembered(head):
    text = head.to_json()
    assert Head.from_json(text) == Head.from_json(text.encode()) == head
    assert "\n" not in text


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"version": 2}, "version"),
        ({"version": None}, "version"),
        ({"bucket": "B"}, "bucket"),
        ({"key": ""}, "key"),
        ({"sha256": "ab"}, "sha256"),
        ({"signature": "a" * 2049}, "signature"),
        ({"end": "2026-11-02T13:00:00"}, "end"),
    ],
)
def test_a_head_that_is_none_names_the_field(changes, field):
    with pytest.raises(MalformedInput) as caught:
        Head.from_json(json.dumps({**json.loads(HEAD.to_json()), **changes}))
    assert caught.value.field == field


@given(st.binary(max_size=100) | st.text(max_size=100))
def test_no_text_makes_reading_a_head_fail_in_another_way(text):
    with pytest.raises(MalformedInput):
        Head.from_json(text)


def test_reports_put_together():
    defect = TrailDefect(TrailDefectKind.GAP, "b", "k", "No digest.")
    log = ProvenLog(ObjectVersion("b", "k", "v"), "ab" * 32, "d")
    steps = [
        TrailReport((defect,), None, HEAD, 2, (log,)),
        TrailReport((), HEAD, HEAD, 3, (log, log)),
    ]
    assert TrailReport.merged(steps) == TrailReport((defect,), HEAD, HEAD, 5, (log,) * 3)
    assert TrailReport.merged([]) == TrailReport((), None, None, 0, ())


def at(hour: int) -> Head:
    return replace(HEAD, key=f"digest-{hour}", end=HEAD.end.replace(hour=hour))


def test_the_head_moves_on_while_nothing_is_wrong():
    progress = Progress(None, None).past(at(1), intact=True).past(at(2), intact=True)
    assert (progress.head, progress.tip) == (at(2), at(2))


def test_the_head_never_moves_past_a_defect_and_the_tip_does():
    progress = Progress(None, None).past(at(1), intact=True)
    for unsigned in (None, at(2)):
        stopped = progress.past(unsigned, intact=False).past(at(3), intact=True)
        assert (stopped.head, stopped.tip) == (at(1), at(3))


def test_digests_that_are_read_again_move_nothing_back():
    progress = Progress(at(5), at(5)).past(at(4), intact=True)
    assert (progress.head, progress.tip) == (at(5), at(5))
