"""A list is asked for what it holds."""

from __future__ import annotations

from typing import Any

import pytest

from localaws.cloudformation.joins import joined

PARAMS = {"Empty": {"Value": ""}, "Two": {"Value": "a,b"}, "Text": {"Value": "t"}}


@pytest.mark.parametrize(
    ("items", "text"),
    [
        ({"Ref": "Empty"}, ""),
        ({"Ref": "Two"}, "a-b"),
        ([{"Ref": "Text"}, "x"], "t-x"),
        ([], ""),
    ],
)
def test_what_is_joined_is_a_text(items: Any, text: str) -> None:
    asked = {"Fn::Not": [{"Fn::Equals": [{"Fn::Join": ["-", items]}, ""]}]}
    assert joined({"Named": asked}, PARAMS) == {
        "Named": {"Fn::Not": [{"Fn::Equals": [text, ""]}]},
    }
