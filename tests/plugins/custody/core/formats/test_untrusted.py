"""Reading hostile JSON: bounded, unambiguous, and every error names its field."""

import pytest

from custody.core.formats.untrusted import Fields, MalformedInput, load_json


def load(raw: bytes | str) -> object:
    return load_json(raw, what="note", max_bytes=100_000)


def test_reads_json_from_bytes_and_text():
    assert load(b'{"a": ["\xc3\xa9", 1]}') == load('{"a": ["é", 1]}') == {"a": ["é", 1]}


@pytest.mark.parametrize(
    ("raw", "problem"),
    [
        (b"", "not JSON"),
        (b"{", "not JSON"),
        (b'{"a": NaN}', "NaN is no JSON number"),
        (b'{"a": -Infinity}', "Infinity is no JSON number"),
        (b'{"a": 1, "a": 1}', "'a' appears twice"),
        (b'{"outer": {"b": 1, "a": 2, "b": 3}}', "'b' appears twice"),
        (b'"\xff"', "not UTF-8"),
        (b"[" * 90_000, "nested too deeply"),
        (b'{"a": ' + b"9" * 5000 + b"}", "not JSON"),
        (b'"' + b"x" * 100_000 + b'"', "longer than the 100000 bytes"),
        ('"' + "x" * 100_000 + '"', "longer than the 100000 bytes"),
    ],
    ids=lambda value: repr(value[:20]),
)
def test_refuses_what_is_not_one_clear_document(raw, problem):
    with pytest.raises(MalformedInput, match=problem) as caught:
        load(raw)
    assert caught.value.field == "note"


FIELDS = Fields.of(
    {
        "text": "x",
        "empty": "",
        "long": "x" * 1025,
        "half": "\ud800",
        "number": 7,
        "negative": -1,
        "huge": 2**63,
        "fraction": 1.5,
        "true": True,
        "null": None,
        "list": [1, 2],
        "object": {"inner": 1},
        "sha256": "0" * 64,
        "SHA256": "A" * 64,
    },
    "top",
)


def test_reads_each_type():
    assert FIELDS.text("text") == "x"
    assert FIELDS.count("number") == 7
    assert FIELDS.items("list", max_items=2) == [1, 2]
    assert FIELDS.child("object") == Fields({"inner": 1}, "top.object")
    assert FIELDS.sha256("sha256") == "0" * 64
    assert FIELDS.has("number")
    assert not FIELDS.has("null")
    assert not FIELDS.has("absent")


@pytest.mark.parametrize(
    ("read", "field", "problem"),
    [
        (lambda f: f.text("absent"), "top.absent", "is missing"),
        (lambda f: f.text("null"), "top.null", "is missing"),
        (lambda f: f.text("number"), "top.number", "must be a text, not a number"),
        (lambda f: f.text("empty"), "top.empty", "must not be empty"),
        (lambda f: f.text("long"), "top.long", "1025 characters, more than the 1024"),
        (lambda f: f.text("half"), "top.half", "half of a surrogate pair"),
        (lambda f: f.count("text"), "top.text", "must be a whole number, not a text"),
        (lambda f: f.count("true"), "top.true", "not true or false"),
        (lambda f: f.count("fraction"), "top.fraction", "must be a whole number"),
        (lambda f: f.count("negative"), "top.negative", "between 0 and"),
        (lambda f: f.count("huge"), "top.huge", "between 0 and"),
        (lambda f: f.items("object", max_items=9), "top.object", "must be a list, not an object"),
        (lambda f: f.items("list", max_items=1), "top.list", "2 items, more than the 1"),
        (lambda f: f.child("list"), "top.list", "must be an object, not a list"),
        (lambda f: f.child("object").text("x"), "top.object.x", "is missing"),
        (lambda f: f.sha256("text"), "top.text", "64 lower-case hexadecimal digits"),
        (lambda f: f.sha256("SHA256"), "top.SHA256", "64 lower-case hexadecimal digits"),
    ],
)
def test_names_the_field_at_fault(read, field, problem):
    with pytest.raises(MalformedInput, match=problem) as caught:
        read(FIELDS)
    assert caught.value.field == field
    assert str(caught.value).startswith(field)
