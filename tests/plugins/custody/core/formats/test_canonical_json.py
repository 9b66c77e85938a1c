"""Whoever hashes a document gets the bytes that the one who signed it did."""

from __future__ import annotations

import pytest

from custody.core.formats.canonical_json import canonical_json


def test_a_document_has_one_form() -> None:
    written = b'{"a":{"y":["\xc3\xa9",null],"z":1},"b":true}'
    assert canonical_json({"b": True, "a": {"z": 1, "y": ["é", None]}}) == written
    assert canonical_json({"a": {"y": ["é", None], "z": 1}, "b": True}) == written


def test_what_is_no_json_has_none() -> None:
    with pytest.raises(TypeError):
        canonical_json({"a": b"bytes"})
