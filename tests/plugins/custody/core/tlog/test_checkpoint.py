from base64 import b64decode

import pytest
from tests.support.transparency import KEY, ORIGIN, OTHER_SIGNER, SIGNER, VECTORS

from custody.core.formats.untrusted import MalformedInput
from custody.core.tlog.checkpoint import Checkpoint
from custody.core.tlog.signed_note import BadNote, NoteKey, encode_base64, sign_note

ROOT = encode_base64(bytes(32))


def test_a_checkpoint_other_tools_accepted():
    raw = VECTORS["checkpoint"].encode()
    checkpoint = Checkpoint.open(raw, origin=ORIGIN, keys=[KEY])
    assert checkpoint == Checkpoint(ORIGIN, 257, b64decode(VECTORS["roots"]["257"]))
    # Ed25519 gives one signature for one text, so the whole file follows from the tree.
    assert checkpoint.sign(SIGNER) == raw


def test_a_checkpoint_another_tool_signed():
    foreign = VECTORS["foreign_note"]
    checkpoint = Checkpoint.open(
        foreign["note"].encode(), origin="example.com/log", keys=[NoteKey.parse(foreign["vkey"])]
    )
    assert checkpoint.size == 1


@pytest.mark.parametrize("size", [0, 1, 2**63 - 1])
def test_reads_what_it_writes(size):
    checkpoint = Checkpoint(ORIGIN, size, b"r" * 32)
    raw = checkpoint.sign(SIGNER)
    assert Checkpoint.open(raw, origin=ORIGIN, keys=[OTHER_SIGNER.key, KEY]) == checkpoint


def test_extension_lines_are_ignored():
    raw = sign_note(f"{ORIGIN}\n7\n{ROOT}\nextra one\ntwo\n", SIGNER)
    assert Checkpoint.open(raw, origin=ORIGIN, keys=[KEY]).size == 7


def test_another_key_is_not_trusted():
    raw = Checkpoint(ORIGIN, 1, bytes(32)).sign(OTHER_SIGNER)
    with pytest.raises(BadNote):
        Checkpoint.open(raw, origin=ORIGIN, keys=[KEY])


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (f"other.example/log\n1\n{ROOT}\n", "checkpoint origin: is 'other.example/log'"),
        (f"{ORIGIN}\n", "three lines or more"),
        (f"{ORIGIN}\n1\n", "three lines or more"),
        (f"{ORIGIN}\n1\n{ROOT}\n\nextra\n", "none of them empty"),
        (f"{ORIGIN}\n1\n{ROOT}\n\n", "none of them empty"),
        (f"{ORIGIN}\n01\n{ROOT}\n", "'01' is no number"),
        (f"{ORIGIN}\n-1\n{ROOT}\n", "'-1' is no number"),
        (f"{ORIGIN}\n+1\n{ROOT}\n", "is no number"),
        (f"{ORIGIN}\n1 \n{ROOT}\n", "is no number"),
        (f"{ORIGIN}\n٣\n{ROOT}\n", "is no number"),
        (f"{ORIGIN}\n{2**63}\n{ROOT}\n", "below 2\\^63"),
        (f"{ORIGIN}\n{'9' * 5000}\n{ROOT}\n", "is no number"),
        (f"{ORIGIN}\n1\n{ROOT[:-1]}\n", "checkpoint root: not base64"),
        (f"{ORIGIN}\n1\n{encode_base64(bytes(31))}\n", "has 31 bytes, not 32"),
        (f"{ORIGIN}\n1\n{ROOT[:-2]}B=\n", "canonical form"),
        (f"{ORIGIN}\n1\né\n", "not base64"),
    ],
)
def test_what_is_no_checkpoint_of_this_log(text, problem):
    with pytest.raises(MalformedInput, match=problem):
        Checkpoint.open(sign_note(text, SIGNER), origin=ORIGIN, keys=[KEY])
