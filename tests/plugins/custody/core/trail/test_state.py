"""When a trail no longer proves what happens."""

from dataclasses import replace

import pytest
from tests.support.trail_history import LAYOUT

from custody.core.trail.state import TrailState, off_reason

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
