"""Envelopes by the published rules, and nothing that merely resembles one."""

import base64
import json
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.strategies import json_values

from custody.core.formats.dsse import MAX_ENVELOPE_BYTES, PAYLOAD_TYPE, Envelope, Signature, pae
from custody.core.formats.untrusted import MalformedInput

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=50)
envelopes = st.builds(
    Envelope,
    payload=st.binary(max_size=200),
    payload_type=texts,
    signatures=st.lists(
        st.builds(Signature, keyid=texts, sig=st.binary(max_size=80)), max_size=3
    ).map(tuple),
)


@pytest.mark.parametrize(
    ("payload_type", "payload", "expected"),
    [
        # The example of the specification's protocol.md.
        (
            "http://example.com/HelloWorld",
            b"hello world",
            b"DSSEv1 29 http://example.com/HelloWorld 11 hello world",
        ),
        ("", b"", b"DSSEv1 0  0 "),
        # Lengths count bytes, not characters.
        ("é", "日本".encode(), b"DSSEv1 2 \xc3\xa9 6 \xe6\x97\xa5\xe6\x9c\xac"),
    ],
)
def test_pae_is_the_published_encoding(payload_type, payload, expected):
    assert pae(payload_type, payload) == expected


@given(envelopes)
def test_an_envelope_reads_back(envelope):
    assert Envelope.parse(envelope.to_json_line()) == envelope


@given(envelopes)
def test_an_envelope_is_one_line(envelope):
    line = envelope.to_json_line()
    assert line.endswith(b"\n")
    assert line.count(b"\n") == 1
    assert b"\r" not in line


@given(envelopes)
def test_both_base64_alphabets_are_read(envelope):
    document = json.loads(envelope.to_json_line())
    url_safe = str.maketrans("+/", "-_")
    document["payload"] = document["payload"].translate(url_safe)
    for signature in document["signatures"]:
        signature["sig"] = signature["sig"].translate(url_safe)
    assert Envelope.parse(json.dumps(document)) == envelope


def document(**changes: object) -> str:
    fields = {"payload": "eA==", "payloadType": "t", "signatures": [{"keyid": "k", "sig": "eA=="}]}
    return json.dumps(fields | changes)


def test_unknown_fields_are_ignored():
    plain = Envelope.parse(document())
    newer = document(
        extra=1, signatures=[{"keyid": "k", "sig": "eA==", "extension": {"kind": "x"}}]
    )
    assert Envelope.parse(newer) == plain


@pytest.mark.parametrize("signature", [{"sig": "eA=="}, {"keyid": "", "sig": "eA=="}])
def test_an_unset_key_id_is_an_empty_one(signature):
    assert Envelope.parse(document(signatures=[signature])).signatures[0].keyid == ""


@pytest.mark.parametrize(
    ("raw", "field"),
    [
        ("[]", "envelope"),
        ("null", "envelope"),
        (document(payload=None), "envelope.payload"),
        (document(payload=1), "envelope.payload"),
        (document(payload="eA="), "envelope.payload"),  # padding too short
        (document(payload="eA"), "envelope.payload"),  # no padding
        (document(payload="eB=="), "envelope.payload"),  # leftover bits set
        (document(payload="e A=="), "envelope.payload"),
        (document(payload="eA==\n"), "envelope.payload"),
        (document(payload="-_+/"), "envelope.payload"),  # two alphabets in one text
        (document(payload="é"), "envelope.payload"),
        (document(payloadType=[]), "envelope.payloadType"),
        (document(signatures={}), "envelope.signatures"),
        (document(signatures=["x"]), "envelope.signatures[0]"),
        (document(signatures=[{"keyid": "k"}]), "envelope.signatures[0].sig"),
        (document(signatures=[{"keyid": 1, "sig": ""}]), "envelope.signatures[0].keyid"),
        (document(signatures=[{"sig": "?"}]), "envelope.signatures[0].sig"),
        (document(signatures=[{"sig": ""}] * 17), "envelope.signatures"),
        (document()[:-1] + ', "payload": "eQ=="}', "envelope"),  # two payloads
    ],
)
def test_names_the_field_at_fault(raw, field):
    with pytest.raises(MalformedInput) as caught:
        Envelope.parse(raw)
    assert caught.value.field == field


def test_refuses_an_envelope_beyond_all_measure():
    with pytest.raises(MalformedInput, match="longer than"):
        Envelope.parse(b" " * MAX_ENVELOPE_BYTES + document().encode())


def test_the_payload_is_not_interpreted():
    raw = b"\x00 not even JSON"
    line = document(payload=base64.b64encode(raw).decode(), payloadType=PAYLOAD_TYPE)
    assert Envelope.parse(line).payload == raw


@given(st.binary(max_size=200) | st.text(max_size=200) | json_values.map(json.dumps))
def test_a_hostile_envelope_is_read_or_refused(raw):
    with suppress(MalformedInput):
        Envelope.parse(raw)


@given(st.sampled_from(["payload", "payloadType", "signatures"]), json_values)
def test_hostile_fields_are_read_or_refused(name, value):
    with suppress(MalformedInput):
        Envelope.parse(document(**{name: value}))


@given(envelopes, st.data())
def test_an_envelope_that_was_cut_or_changed_is_read_or_refused(envelope, data):
    raw = bytearray(envelope.to_json_line())
    place = data.draw(st.integers(0, len(raw) - 1))
    if data.draw(st.booleans()):
        raw[place] = data.draw(st.integers(0, 255))
    else:
        del raw[place:]
    with suppress(MalformedInput):
        Envelope.parse(bytes(raw))
