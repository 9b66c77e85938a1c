"""When a trail no longer proves what happens, and which digests are due."""

from dataclasses import replace

import pytest
from tests.support.trail_history import HOUR, LAYOUT, MINUTE, NOON

from custody.core.trail.state import (
    TrailState,
    digests_due_by,
    may_have_no_digest,
    narrow_reason,
    off_reason,
)

ON = TrailState(LAYOUT.bucket, LAYOUT.prefix, logging=True, validated=True)


def test_a_trail_that_is_on():
    assert off_reason(ON, LAYOUT) is None


@pytest.mark.parametrize(
    ("state", "told"),
    [
        (None, "does not exist"),
        (replace(ON, logging=False, validated=False), "not logging"),
        (replace(ON, validated=False), "validation of the trail custody-test is switched off"),
        (replace(ON, bucket="b"), "now delivers to s3://b/"),
        (replace(ON, prefix="p"), "now delivers to s3://trail-bucket/p"),
    ],
)
def test_a_trail_that_is_off(state, told):
    assert told in (off_reason(state, LAYOUT) or "")


def test_a_trail_of_one_region_is_on_at_home_and_nowhere_else():
    narrow = replace(ON, multi_region=False)
    assert off_reason(narrow, LAYOUT) is None
    elsewhere = LAYOUT.in_region("eu-west-1")
    told = off_reason(narrow, elsewhere)
    assert told == narrow_reason(narrow, LAYOUT)
    assert "logs us-east-1 alone" in told
    assert off_reason(ON, elsewhere) is narrow_reason(ON, LAYOUT) is narrow_reason(None, LAYOUT)
    assert digests_due_by(narrow, elsewhere, NOON, grace=HOUR) is None
    assert digests_due_by(narrow, LAYOUT, NOON, grace=HOUR) == NOON - HOUR


@pytest.mark.parametrize(
    ("state", "due_by"),
    [
        (ON, NOON - HOUR),
        (replace(ON, logging=False, stopped_at=NOON - 5 * HOUR), NOON - 5 * HOUR),
        (replace(ON, logging=False, stopped_at=NOON), NOON - HOUR),
        (replace(ON, logging=False), None),
        (replace(ON, validated=False, stopped_at=NOON - 5 * HOUR), None),
        (None, None),
    ],
)
def test_digests_are_due_until_the_trail_was_stopped(state, due_by):
    assert digests_due_by(state, LAYOUT, NOON, grace=HOUR) == due_by


@pytest.mark.parametrize(
    ("state", "since", "is_fine"),
    [
        (replace(ON, started_at=NOON - 2 * HOUR + MINUTE), None, True),
        (replace(ON, started_at=NOON - 2 * HOUR), None, False),
        (replace(ON, started_at=NOON - 9 * HOUR), NOON - HOUR, True),
        (replace(ON, started_at=NOON - 9 * HOUR), NOON - 3 * HOUR, False),
        (ON, None, False),
        (replace(ON, logging=False), None, True),
        (None, NOON - 9 * HOUR, True),
    ],
)
def test_a_trail_has_no_digest_while_it_is_new_or_off(state, since, is_fine):
    found = may_have_no_digest(state, LAYOUT, NOON, since=since, due_after=2 * HOUR)
    assert found is is_fine
