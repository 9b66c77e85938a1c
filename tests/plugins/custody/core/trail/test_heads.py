"""The heads of all regions of a trail, remembered together."""

import json
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.trail_history import LAYOUT

from custody.core.formats.untrusted import MalformedInput
from custody.core.trail.heads import Heads
from custody.core.trail.report import Head

END = datetime(2026, 11, 2, 13, tzinfo=UTC)


def head(region: str) -> Head:
    key = LAYOUT.in_region(region).digest_key(END)
    return Head(LAYOUT.bucket, key, "ab" * 32, "cd" * 256, END)


HEADS = Heads({"eu-west-1": head("eu-west-1"), "us-east-1": head("us-east-1")}, {"ap-south-1": END})


def test_heads_survive_being_remembered():
    text = HEADS.to_json()
    assert "\n" not in text
    assert Heads.from_json(text, LAYOUT) == Heads.from_json(text.encode(), LAYOUT) == HEADS
    assert Heads.from_json(Heads().to_json(), LAYOUT) == Heads()
    anew = replace(HEADS, anew=frozenset({"us-east-1"}))
    assert Heads.from_json(anew.to_json(), LAYOUT) == anew
    # As earlier audits remembered them.
    earlier = {n: v for n, v in json.loads(text).items() if n != "anew"}
    assert Heads.from_json(json.dumps(earlier), LAYOUT) == HEADS


def test_one_head_alone_is_that_of_its_region():
    alone = Heads.from_json(head("us-east-1").to_json(), LAYOUT)
    assert alone == Heads({"us-east-1": head("us-east-1")})


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"version": 3}, "version"),
        ({"version": None}, "version"),
        ({"heads": {}}, "heads"),
        ({"heads": [{}]}, "heads[0].bucket"),
        ({"heads": [{**head("us-east-1").document(), "bucket": "another"}]}, "key"),
        ({"heads": [{**head("us-east-1").document(), "key": "x"}]}, "key"),
        ({"awaited": []}, "awaited"),
        ({"awaited": {"ap-south-1": "2026-11-02T13:00:00"}}, "awaited.ap-south-1"),
    ],
)
def test_heads_that_are_none_name_the_field(changes, field):
    with pytest.raises(MalformedInput) as caught:
        Heads.from_json(json.dumps({**json.loads(HEADS.to_json()), **changes}), LAYOUT)
    assert caught.value.field == field


def test_a_head_of_another_trail_is_none():
    other = replace(LAYOUT, trail="another")
    with pytest.raises(MalformedInput, match="it is of another trail"):
        Heads.from_json(HEADS.to_json(), other)


@given(st.binary(max_size=100) | st.text(max_size=100))
def test_no_text_makes_reading_heads_fail_in_another_way(text):
    with pytest.raises(MalformedInput):
        Heads.from_json(text, LAYOUT)
