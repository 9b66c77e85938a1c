"""Cosignatures of both types, and what is none."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PrivateKey
from tests.support.cosigners import ANNE, BOB, NOW
from tests.support.transparency import KEY, ORIGIN, VECTORS, MemoryLog

from custody.core.formats.untrusted import MalformedInput
from custody.core.tlog.cosignature import CosignerKey
from custody.core.tlog.signed_note import open_note, take_apart

NOTE = MemoryLog(5).note
TEXT, _ = take_apart(NOTE)
FOREIGN = VECTORS["cosigned"]


@pytest.mark.parametrize("kind", ["ed25519", "ml-dsa-44"])
def test_a_checkpoint_that_another_tool_cosigned(kind):
    """Signed by omniwitness: the checkpoint is that of `VECTORS`, with one line more."""
    raw = FOREIGN[kind]["note"].encode()
    assert raw.startswith(VECTORS["checkpoint"].encode())
    assert open_note(raw, [KEY]).startswith(ORIGIN)
    text, signatures = take_apart(raw)
    key = CosignerKey.parse(FOREIGN[kind]["vkey"])
    (own,) = [each for each in signatures if each.key == (key.name, key.key_id)]
    assert key.time_of(own.data, text) == datetime.fromtimestamp(FOREIGN[kind]["time"], UTC)
    for place in range(0, len(own.data), max(1, len(own.data) // 72)):
        changed = own.data[:place] + bytes([own.data[place] ^ 1]) + own.data[place + 1 :]
        assert key.time_of(changed, text) is None
    assert key.vkey == FOREIGN[kind]["vkey"]


def test_the_time_is_part_of_what_is_signed():
    data = ANNE.signature(TEXT).data
    assert ANNE.key.time_of(data, TEXT) == NOW
    later = ANNE.signature(TEXT, NOW + timedelta(seconds=1)).data
    assert ANNE.key.time_of(later[:8] + data[8:], TEXT) is None


@pytest.mark.parametrize("cut", [0, 4, 8, 40, 71, 73])
def test_a_signature_of_another_length_is_none(cut):
    data = (ANNE.signature(TEXT).data + b"\0")[:cut]
    assert ANNE.key.time_of(data, TEXT) is None


def test_who_names_no_time_or_one_beyond_all_calendars_has_not_cosigned():
    for seconds in (0, 2**63 - 1, 2**64 - 1):
        signed = ANNE._private.sign(b"cosignature/v1\ntime %d\n" % seconds + TEXT)
        assert ANNE.key.time_of(seconds.to_bytes(8, "big") + signed, TEXT) is None


def test_a_plain_signature_of_the_text_is_no_cosignature():
    signed = ANNE._private.sign(TEXT)
    assert ANNE.key.time_of(int(NOW.timestamp()).to_bytes(8, "big") + signed, TEXT) is None


def test_another_text_or_key_is_another_matter():
    data = ANNE.signature(TEXT).data
    assert ANNE.key.time_of(data, MemoryLog(6).note) is None
    assert BOB.key.time_of(data, TEXT) is None


def test_with_ml_dsa_name_and_log_are_signed_and_extension_lines_are_not():
    private = MLDSA44PrivateKey.from_seed_bytes(bytes(32))
    key = CosignerKey("c.example", b"\x06", private.public_key().public_bytes_raw())
    seconds = int(NOW.timestamp()).to_bytes(8, "big")
    root = MemoryLog(5).checkpoint.root
    signed = b"".join(
        [
            b"subtree/v1\n\0" + bytes([9]) + b"c.example" + seconds,
            bytes([len(ORIGIN)]) + ORIGIN.encode() + bytes(8) + (5).to_bytes(8, "big") + root,
        ]
    )
    data = seconds + private.sign(signed)
    assert key.time_of(data, TEXT) == NOW
    assert key.time_of(data, TEXT + b"more\n") == NOW
    assert replace(key, name="d.example").time_of(data, TEXT) is None
    assert key.time_of(data, TEXT.replace(ORIGIN.encode(), b"another.example/log")) is None
    assert key.time_of(data, b"no checkpoint\n") is None
    assert CosignerKey.parse(key.vkey) == key


@pytest.mark.parametrize(
    ("name", "key_type", "public_key", "problem"),
    [
        ("", b"\x04", bytes(32), "cannot be the name"),
        ("a b", b"\x04", bytes(32), "cannot be the name"),
        ("a+b", b"\x04", bytes(32), "cannot be the name"),
        ("é" * 128, b"\x04", bytes(32), "cannot be the name"),
        ("a", b"\x01", bytes(32), "not of type 4"),
        ("a", b"", bytes(32), "not of type 4"),
        ("a", b"\x04", bytes(1312), "has 32 bytes, not 1312"),
        ("a", b"\x06", bytes(32), "has 1312 bytes, not 32"),
    ],
)
def test_what_is_no_key_of_a_cosigner(name, key_type, public_key, problem):
    with pytest.raises(ValueError, match=problem):
        CosignerKey(name, key_type, public_key)


def test_a_vkey_with_another_id_is_refused():
    with pytest.raises(MalformedInput, match="key id"):
        CosignerKey.parse(ANNE.key.vkey.replace("anne", "anna"))
