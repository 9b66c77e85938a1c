"""Signed notes, byte for byte as the specification and other tools have them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.transparency import KEY, ORIGIN, OTHER_SIGNER, SIGNER, VECTORS, signer

from custody.core.formats.untrusted import MalformedInput
from custody.core.tlog.signed_note import (
    BadNote,
    NoteKey,
    NoteSigner,
    RenewedKey,
    encode_base64,
    open_note,
    sign_note,
)

TEXT = "first line\n\nlast line\n"
NOTE = sign_note(TEXT, SIGNER)
FOREIGN = VECTORS["foreign_note"]


def test_the_example_of_the_specification_is_read():
    """c2sp.org/signed-note shows a note, not its key: who signed it is all that can be read."""
    raw = (
        "Ognuno sta solo sul cuor della terra\ntrafitto da un raggio di sole:\n\ned è subito sera."
        "\n\n— quasimodo.example/salvatore NnugSzTjtVAewIS+Z/iJhUPeFDkO/5QQ2i5ddnGITLlC+EhfLW9oJKON"
        "rMouFSQU0xMcXxj99ihAQwaqP3ZekRwNtIc=\n"
    )
    with pytest.raises(BadNote, match=r"'quasimodo.example/salvatore'\+367ba04b"):
        open_note(raw.encode(), [KEY])


def test_a_note_another_tool_signed_opens():
    key = NoteKey.parse(FOREIGN["vkey"])
    assert open_note(FOREIGN["note"].encode(), [key]).startswith("example.com/log\n1\n")
    assert (key.name, key.vkey) == ("example.com/log", FOREIGN["vkey"])


def test_the_same_key_signs_the_same_note_as_another_tool():
    text = FOREIGN["note"].partition("\n\n")[0] + "\n"
    assert sign_note(text, signer(bytes(32), "example.com/log")) == FOREIGN["note"].encode()


def test_the_key_other_tools_accepted():
    assert KEY.vkey == VECTORS["vkey"]
    assert NoteKey.parse(VECTORS["vkey"]) == KEY


@given(st.text(st.characters(exclude_categories=["Cs"], min_codepoint=32)))
def test_a_note_opens_with_the_text_that_was_signed(line):
    for text in (line + "\n", f"\n{line}\n\n{line}\n\n"):
        assert open_note(sign_note(text, SIGNER), [OTHER_SIGNER.key, KEY]) == text


@pytest.mark.parametrize("place", range(len(NOTE)))
def test_every_byte_counts(place):
    for flip in (1, 0x20, 0x80):
        changed = NOTE[:place] + bytes([NOTE[place] ^ flip]) + NOTE[place + 1 :]
        with pytest.raises((BadNote, MalformedInput)):
            open_note(changed, [KEY])


def test_signatures_of_others_are_passed_over():
    witness = sign_note(TEXT, OTHER_SIGNER).rpartition(b"\n\n")[2]
    both = NOTE + witness
    assert open_note(both, [KEY]) == TEXT
    assert open_note(both, [OTHER_SIGNER.key]) == TEXT
    assert open_note(NOTE + f"— other.example {encode_base64(b'12345')}\n".encode(), [KEY]) == TEXT


def test_a_bad_signature_of_a_trusted_key_spoils_the_note():
    other = sign_note("another text\n", OTHER_SIGNER).rpartition(b"\n\n")[2]
    assert open_note(NOTE + other, [KEY]) == TEXT
    with pytest.raises(BadNote, match="does not match the text"):
        open_note(NOTE + other, [KEY, OTHER_SIGNER.key])


def test_a_key_of_the_same_name_or_id_is_another_key():
    assert OTHER_SIGNER.key.name == KEY.name
    with pytest.raises(BadNote, match=f"signed by no trusted key, but by '{ORIGIN}'"):
        open_note(NOTE, [OTHER_SIGNER.key])
    renamed = NOTE.replace(ORIGIN.encode(), b"renamed.example")
    with pytest.raises(BadNote, match="signed by no trusted key"):
        open_note(renamed, [KEY])
    with pytest.raises(BadNote, match="signed by no trusted key"):
        open_note(NOTE, [])


SIGNATURE = NOTE.rpartition(b"\n\n")[2]


@pytest.mark.parametrize(
    ("raw", "problem"),
    [
        (b"", "must be a text, an empty line"),
        (b"text\n", "must be a text, an empty line"),
        (b"text\n\n", "must be a text, an empty line"),
        (b"text\n\n\n", "must be a text, an empty line"),
        (NOTE[:-1], "must be a text, an empty line"),
        (NOTE + b"\n", "must be a text, an empty line"),
        (NOTE + b"x\n", "'x' is no line of a signature"),
        (NOTE.replace("—".encode(), b"-"), "is no line of a signature"),
        (NOTE.replace(b"\n\n\xe2", b"\n\n \xe2"), "is no line of a signature"),
        (NOTE.replace(ORIGIN.encode(), b"a+b"), "is no line of a signature"),
        (NOTE.replace(ORIGIN.encode(), "a\u2003b".encode()), "is no line of a signature"),
        (NOTE.replace(b"first", b"fi\trst"), "has a control character"),
        (NOTE.replace(b"\n", b"\r\n"), "has a control character"),
        (NOTE.replace(b"first", b"\xff"), "not UTF-8"),
        (b"text\n\n" + "— name AAAAAA==\n".encode(), "is too short"),
        (b"text\n\n" + "— name AAAAAB==\n".encode(), "canonical form"),
        (b"text\n\n" + "— name AAAAA\n".encode(), "not base64"),
        (b"text\n\n" + SIGNATURE * 101, "more than the 100 signatures"),
        (b"x" * 1024 * 1024 + NOTE, "longer than the 1048576 bytes"),
    ],
)
def test_what_is_no_note(raw, problem):
    with pytest.raises(MalformedInput, match=problem):
        open_note(raw, [KEY])


@given(st.binary(max_size=200) | st.builds(lambda a, b: a + b"\n\n" + b, *[st.binary()] * 2))
def test_no_bytes_crash_the_reader(raw):
    with pytest.raises((BadNote, MalformedInput)):
        open_note(raw, [KEY])


@pytest.mark.parametrize("text", ["", "no newline", "a\tb\n", "a\rb\n", "\0\n"])
def test_a_text_that_cannot_stand_in_a_note(text):
    with pytest.raises(ValueError, match="ends in a newline and has no control characters"):
        sign_note(text, SIGNER)


def test_a_signer_that_signs_with_another_key_is_noticed():
    wrong = NoteSigner(KEY, OTHER_SIGNER.sign)
    with pytest.raises(ValueError, match="does not sign with the key"):
        sign_note(TEXT, wrong)
    with pytest.raises(ValueError, match="does not sign with the key"):
        sign_note(TEXT, NoteSigner(KEY, lambda _: b"short"))


@pytest.mark.parametrize("name", ["", "a b", "a+b", "a\u00a0b", "a\nb", "a\0b"])
def test_a_name_that_no_key_can_have(name):
    with pytest.raises(ValueError, match="cannot be the name of a key"):
        NoteKey(name, KEY.public_key)


def test_a_key_of_the_wrong_length():
    with pytest.raises(ValueError, match="has 32 bytes, not 31"):
        NoteKey("name", bytes(31))


def test_bytes_that_are_no_point_verify_nothing():
    assert NoteKey("name", b"\xff" * 32).verifies(bytes(64), b"text") is False


NAME, KEY_ID, ENCODED = KEY.vkey.split("+", 2)


@pytest.mark.parametrize(
    ("vkey", "problem"),
    [
        ("", "must be <name>"),
        (f"{NAME}+{KEY_ID}", "must be <name>"),
        (f"{NAME}+{KEY_ID.upper()}+{ENCODED}x", "must be <name>|not base64"),
        (f"{NAME}+00000000+{ENCODED}", "key id 00000000 is not"),
        (f"other+{KEY_ID}+{ENCODED}", "key id"),
        (f"a b+{KEY_ID}+{ENCODED}", "cannot be the name"),
        (f"{NAME}+{KEY_ID}+{encode_base64(b'2' + KEY.public_key)}", "is not of type 1"),
        (f"{NAME}+{KEY_ID}+{encode_base64(bytes([1]) * 32)}", "has 32 bytes, not 31"),
        (f"{NAME}+{KEY_ID}+AQ", "not base64"),
    ],
)
def test_what_is_no_vkey(vkey, problem):
    with pytest.raises(MalformedInput, match=problem):
        NoteKey.parse(vkey)


def test_a_key_that_took_over_vouches_for_what_the_former_one_signed():
    new = OTHER_SIGNER.key
    renewed = RenewedKey(new.name, new.public_key, (KEY,))
    assert renewed.all == (new, KEY)
    assert KEY.all == (KEY,)
    for one in (SIGNER, OTHER_SIGNER):
        assert renewed.verifies(one.sign(b"text"), b"text")
        assert open_note(sign_note(TEXT, one), renewed.all) == TEXT
    assert not renewed.verifies(SIGNER.sign(b"text"), b"another")
    assert not RenewedKey(new.name, new.public_key, ()).verifies(SIGNER.sign(b"text"), b"text")


def test_a_former_key_signs_nothing_new():
    new = OTHER_SIGNER.key
    late = NoteSigner(RenewedKey(new.name, new.public_key, (KEY,)), SIGNER.sign)
    with pytest.raises(ValueError, match="does not sign with the key"):
        sign_note(TEXT, late)
