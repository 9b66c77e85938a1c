import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.transparency import (
    KEY,
    ORIGIN,
    OTHER_SIGNER,
    VECTORS,
    MemoryLog,
    entry,
)

from custody.core.formats.untrusted import MalformedInput
from custody.core.tlog.merkle import BadProof
from custody.core.tlog.proof import check_proof, make_proof
from custody.core.tlog.signed_note import BadNote

LOG = MemoryLog(257)
PROOF = make_proof(LOG.tree, 128, LOG.note)
REFUSALS = (BadProof, BadNote, MalformedInput)


def check(raw: bytes, what: bytes = entry(128)):
    return check_proof(raw, what, origin=ORIGIN, keys=[KEY])


def test_it_is_the_proof_other_tools_accepted():
    assert VECTORS["inclusion"]["index"] == 128
    assert VECTORS["inclusion"]["proof"].encode() == PROOF


@given(st.integers(1, 600), st.data())
def test_what_is_made_is_accepted(size, data):
    log = MemoryLog(size)
    index = data.draw(st.integers(0, size - 1))
    included = check(make_proof(log.tree, index, log.note), entry(index))
    assert (included.index, included.checkpoint) == (index, log.checkpoint)


@pytest.mark.parametrize("place", range(len(PROOF)))
def test_every_byte_counts(place):
    for flip in (1, 0x10, 0x80):
        with pytest.raises(REFUSALS):
            check(PROOF[:place] + bytes([PROOF[place] ^ flip]) + PROOF[place + 1 :])


@pytest.mark.parametrize("place", range(len(PROOF)))
def test_every_byte_is_needed(place):
    with pytest.raises(REFUSALS):
        check(PROOF[:place])
    with pytest.raises(REFUSALS):
        check(PROOF[:place] + PROOF[place + 1 :])


def test_it_proves_one_entry():
    with pytest.raises(BadProof):
        check(PROOF, entry(127))
    with pytest.raises(BadNote):
        check_proof(PROOF, entry(128), origin=ORIGIN, keys=[OTHER_SIGNER.key])
    with pytest.raises(MalformedInput, match="checkpoint origin"):
        check_proof(PROOF, entry(128), origin="other.example/log", keys=[KEY])


def test_extra_data_is_passed_over():
    head, _, rest = PROOF.partition(b"\n")
    assert check(head + b"\nextra AAAA\n" + rest).index == 128
    assert check(head + b"\nextra \n" + rest).index == 128
    with pytest.raises(MalformedInput, match="proof extra"):
        check(head + b"\nextra A\n" + rest)
    with pytest.raises(MalformedInput, match="proof index: is missing"):
        check(head + b"\nextra AAAA\nextra AAAA\n" + rest)


@pytest.mark.parametrize(
    ("raw", "problem"),
    [
        (b"", "must begin with c2sp.org/tlog-proof@v1"),
        (PROOF.replace(b"@v1", b"@v2"), "must begin with c2sp.org/tlog-proof@v1"),
        (b"c2sp.org/tlog-proof@v1\nindex 0\n", "and hold a checkpoint"),
        (PROOF.replace(b"index 128", b"index 0128"), "'0128' is no number"),
        (PROOF.replace(b"index 128", b"index"), "index: is missing"),
        (PROOF.replace(b"index 128\n", b"index 128\nAAAA\n"), "proof hash 0"),
        (PROOF.replace(b"index 128\n", b"index 128\n" + (b"A" * 43 + b"=\n") * 64), "63 hashes"),
        ("é\n\n".encode(), "is not ASCII"),
        (b"x" * (1024 * 1024 + 1), "longer than"),
    ],
)
def test_what_is_no_proof(raw, problem):
    with pytest.raises(MalformedInput, match=problem):
        check(raw)


def test_a_leaf_that_is_not_there_has_no_proof():
    with pytest.raises(ValueError, match="has no leaf 257"):
        make_proof(LOG.tree, 257, LOG.note)


@given(st.binary(max_size=300).map(lambda tail: PROOF[:40] + tail))
def test_no_bytes_crash_the_reader(raw):
    with pytest.raises(REFUSALS):
        check(raw)
