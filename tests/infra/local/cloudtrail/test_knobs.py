"""Rehearsed accidents: what they do to events, and that they can be repeated."""

from __future__ import annotations

from typing import Any

import pytest
from tests.infra.local.cloudtrail.samples import record

from localaws.cloudtrail.knobs import Knobs
from localaws.protocol import AwsError


def test_without_knobs_every_event_comes_once_and_at_once() -> None:
    knobs = Knobs(seed=1)
    assert [knobs.holds(record()) for _ in range(3)] == [[0.0], [0.0], [0.0]]


def test_the_next_matching_event_is_lost_and_no_other() -> None:
    knobs = Knobs(seed=1)
    knobs.drop_next({"event_name": "PutObject", "bucket": "raw", "key": "b.csv"})
    assert knobs.holds(record("PutObject", "a.csv")) == [0.0]
    assert knobs.holds(record("GetObject", "b.csv")) == [0.0]
    assert knobs.holds(record("PutObject", "b.csv", bucket="other")) == [0.0]
    assert knobs.holds(record("PutObject", "b.csv")) == []
    assert knobs.holds(record("PutObject", "b.csv")) == [0.0]
    assert knobs.state()["dropped"] == 1
    assert knobs.state()["drops_waiting"] == []


def test_a_count_makes_a_rule_last() -> None:
    knobs = Knobs(seed=1)
    knobs.drop_next({"count": 2})
    assert [knobs.holds(record()) for _ in range(3)] == [[], [], [0.0]]


def test_the_next_matching_event_comes_twice() -> None:
    knobs = Knobs(seed=1)
    knobs.duplicate_next({"key": "b.csv"})
    assert knobs.holds(record(key="a.csv")) == [0.0]
    assert knobs.holds(record(key="b.csv")) == [0.0, 0.0]
    assert knobs.holds(record(key="b.csv")) == [0.0]


def test_delay_and_disorder_hold_events_back_within_their_bounds() -> None:
    knobs = Knobs(seed=1)
    knobs.set_pace({"delay_seconds": 10, "reorder_seconds": 5})
    held = [hold for _ in range(200) for hold in knobs.holds(record())]
    assert all(10 <= hold <= 15 for hold in held)
    assert held != sorted(held)


def test_the_same_seed_repeats_the_same_accidents() -> None:
    def accidents() -> list[list[float]]:
        knobs = Knobs(seed=7)
        knobs.set_pace({"duplicate_probability": 0.5, "reorder_seconds": 9})
        return [knobs.holds(record()) for _ in range(50)]

    first = accidents()
    assert first == accidents()
    assert {len(holds) for holds in first} == {1, 2}


def test_a_seed_can_be_set_again_later() -> None:
    knobs = Knobs(seed=7)
    knobs.set_pace({"reorder_seconds": 9, "seed": 3})
    first = knobs.holds(record())
    knobs.set_pace({"seed": 3})
    assert knobs.holds(record()) == first


@pytest.mark.parametrize(
    ("payload", "named"),
    [
        ({"delay_seconds": -1}, "delay_seconds"),
        ({"delay_seconds": "1"}, "delay_seconds"),
        ({"duplicate_probability": 1.5}, "duplicate_probability"),
        ({"duplicate_probability": True}, "duplicate_probability"),
        ({"reorder_seconds": float("nan")}, "reorder_seconds"),
        ({"speed": 1}, "speed"),
    ],
)
def test_a_wrong_pace_is_named_and_changes_nothing(payload: dict[str, Any], named: str) -> None:
    knobs = Knobs(seed=1)
    with pytest.raises(AwsError, match=named):
        knobs.set_pace(payload)
    assert knobs.holds(record()) == [0.0]


@pytest.mark.parametrize(
    ("payload", "named"),
    [
        ({"key": 1}, "key"),
        ({"count": 0}, "count"),
        ({"count": 1.5}, "count"),
        ({"kay": "x"}, "kay"),
    ],
)
def test_a_wrong_rule_is_named(payload: dict[str, Any], named: str) -> None:
    with pytest.raises(AwsError, match=named):
        Knobs(seed=1).drop_next(payload)
