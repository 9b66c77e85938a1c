"""Against the definitions of RFC 6962, section 2.1, written down as they are."""

import hashlib
from base64 import b64decode
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.transparency import VECTORS, entry

from custody.core.tlog.merkle import (
    EMPTY_ROOT,
    BadProof,
    consistency_proof,
    inclusion_proof,
    leaf_hash,
    perfect_root,
    tree_root,
    verify_consistency,
    verify_inclusion,
)


def sha256(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


def k(n: int) -> int:
    """The largest power of two smaller than n."""
    power = 1
    while power * 2 < n:
        power *= 2
    return power


def mth(d: Sequence[bytes]) -> bytes:
    if not d:
        return sha256(b"")
    if len(d) == 1:
        return sha256(b"\x00" + d[0])
    return sha256(b"\x01" + mth(d[: k(len(d))]) + mth(d[k(len(d)) :]))


def path(m: int, d: Sequence[bytes]) -> list[bytes]:
    if len(d) == 1:
        return []
    split = k(len(d))
    if m < split:
        return [*path(m, d[:split]), mth(d[split:])]
    return [*path(m - split, d[split:]), mth(d[:split])]


def subproof(m: int, d: Sequence[bytes], b: bool) -> list[bytes]:
    if m == len(d):
        return [] if b else [mth(d)]
    split = k(len(d))
    if m <= split:
        return [*subproof(m, d[:split], b), mth(d[split:])]
    return [*subproof(m - split, d[split:], False), mth(d[:split])]


LEAVES = [entry(i) for i in range(70)]


def node(height: int, index: int) -> bytes:
    leaves = LEAVES[index << height : (index + 1) << height]
    assert len(leaves) == 1 << height, "asked for a subtree that is not perfect"
    return perfect_root([leaf_hash(leaf) for leaf in leaves])


def root(size: int) -> bytes:
    return tree_root(size, node)


sizes = st.integers(1, len(LEAVES))


@pytest.mark.parametrize("size", range(len(LEAVES) + 1))
def test_the_root_is_the_one_rfc_6962_defines(size):
    assert root(size) == mth(LEAVES[:size])


def test_known_answers():
    """From RFC 6962's own reference code (certificate-transparency, `merkletree_test`)."""
    assert EMPTY_ROOT.hex().startswith("e3b0c44298fc1c149afbf4c8996fb924")
    assert leaf_hash(b"").hex() == (
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"
    )


def test_a_leaf_is_no_node():
    assert leaf_hash(node(0, 0) + node(0, 1)) != root(2)


@pytest.mark.parametrize("count", [0, 3, 6])
def test_only_a_power_of_two_is_perfect(count):
    with pytest.raises(ValueError, match="do not make a perfect tree"):
        perfect_root([bytes(32)] * count)


@given(sizes, st.data())
def test_inclusion_proofs_are_those_of_rfc_6962_and_verify(size, data):
    index = data.draw(st.integers(0, size - 1))
    proof = inclusion_proof(index, size, node)
    assert list(proof) == path(index, LEAVES[:size])
    verify_inclusion(leaf_hash(LEAVES[index]), index, size, proof, root(size))


@given(sizes, st.data())
def test_consistency_proofs_are_those_of_rfc_6962_and_verify(new, data):
    old = data.draw(st.integers(1, new))
    proof = consistency_proof(old, new, node)
    assert list(proof) == subproof(old, LEAVES[:new], True)
    verify_consistency(old, new, root(old), root(new), proof)


def damaged(data: st.DataObject, proof: Sequence[bytes]) -> list[bytes]:
    """The proof with one hash changed, dropped, doubled or swapped, or one too many."""
    changed = list(proof)
    place = data.draw(st.integers(0, max(0, len(changed) - 1)))
    how = data.draw(st.sampled_from(["flip", "drop", "add", "double", "swap"]))
    if how == "add" or not changed:
        changed.insert(place, data.draw(st.binary(min_size=32, max_size=32)))
    elif how == "flip":
        bit = data.draw(st.integers(0, 255))
        number = int.from_bytes(changed[place], "big") ^ (1 << bit)
        changed[place] = number.to_bytes(32, "big")
    elif how == "drop":
        del changed[place]
    elif how == "double":
        changed.insert(place, changed[place])
    else:
        changed[place], changed[-1] = changed[-1], changed[place]
    return changed


@given(sizes, st.data())
def test_no_other_inclusion_proof_verifies(size, data):
    index = data.draw(st.integers(0, size - 1))
    proof = inclusion_proof(index, size, node)
    wrong = damaged(data, proof)
    if wrong == list(proof):
        return
    with pytest.raises(BadProof):
        verify_inclusion(leaf_hash(LEAVES[index]), index, size, wrong, root(size))


@given(sizes, st.data())
def test_an_inclusion_proof_is_for_one_leaf_at_one_place(size, data):
    index, other = (data.draw(st.integers(0, size - 1)) for _ in range(2))
    proof = inclusion_proof(index, size, node)
    if other == index:
        return
    with pytest.raises(BadProof):
        verify_inclusion(leaf_hash(LEAVES[other]), index, size, proof, root(size))
    with pytest.raises(BadProof):
        verify_inclusion(leaf_hash(LEAVES[index]), other, size, proof, root(size))


@given(sizes, st.data())
def test_no_other_consistency_proof_verifies(new, data):
    old = data.draw(st.integers(1, new))
    proof = consistency_proof(old, new, node)
    wrong = damaged(data, proof)
    if wrong == list(proof):
        return
    with pytest.raises(BadProof):
        verify_consistency(old, new, root(old), root(new), wrong)


@given(sizes, st.data(), st.booleans())
def test_no_proof_makes_another_tree_consistent(new, data, the_old_one):
    old = data.draw(st.integers(1, new))
    proof = consistency_proof(old, new, node)
    other = data.draw(st.binary(min_size=32, max_size=32))
    roots = (other, root(new)) if the_old_one else (root(old), other)
    with pytest.raises(BadProof):
        verify_consistency(old, new, *roots, proof)


def test_the_size_is_part_of_what_is_proven():
    """Nothing in a root says how many leaves it has; the number of hashes does."""
    with pytest.raises(BadProof, match="fewer hashes than the tree has levels"):
        verify_inclusion(leaf_hash(LEAVES[0]), 0, 2, [], root(1))
    with pytest.raises(BadProof, match="more hashes than the tree has levels"):
        verify_inclusion(leaf_hash(LEAVES[0]), 0, 1, [node(0, 1)], root(2))
    proof = consistency_proof(1, 2, node)
    with pytest.raises(BadProof, match="fewer hashes than the tree has levels"):
        verify_consistency(1, 3, root(1), root(2), proof)
    with pytest.raises(BadProof, match="more hashes than the tree has levels"):
        verify_consistency(1, 2, root(1), root(3), [*proof, node(0, 2)])


def test_every_tree_begins_with_the_empty_one():
    assert consistency_proof(0, 5, node) == ()
    verify_consistency(0, 5, EMPTY_ROOT, root(5), ())
    with pytest.raises(BadProof, match="the roots of 0 leaves differ"):
        verify_consistency(0, 5, root(1), root(5), ())
    with pytest.raises(BadProof, match="must be empty"):
        verify_consistency(0, 5, EMPTY_ROOT, root(5), [bytes(32)])


@pytest.mark.parametrize(
    ("check", "problem"),
    [
        (lambda: verify_inclusion(root(1), 3, 3, [], root(3)), "has no leaf 3"),
        (lambda: verify_inclusion(root(1), -1, 3, [], root(3)), "has no leaf -1"),
        (lambda: verify_inclusion(root(1), 0, 0, [], EMPTY_ROOT), "has no leaf 0"),
        (lambda: verify_inclusion(root(1), 0, 2, [b"x" * 31], root(2)), "must have 32 bytes"),
        (lambda: verify_inclusion(root(1) + b"x", 0, 1, [], root(1)), "must have 32 bytes"),
        (lambda: verify_consistency(3, 2, root(3), root(2), []), "begins with one of 3"),
        (lambda: verify_consistency(-1, 2, root(3), root(2), []), "begins with one of -1"),
        (lambda: verify_consistency(2, 3, root(2), root(3), []), "is empty"),
        (lambda: verify_consistency(2, 3, root(2), root(3), [b""]), "must have 32 bytes"),
        (lambda: verify_consistency(2, 2, root(2), root(3), []), "the roots of 2 leaves differ"),
        (lambda: verify_consistency(2, 2, root(2), root(2), [bytes(32)]), "must be empty"),
    ],
)
def test_what_is_no_proof(check, problem):
    with pytest.raises(BadProof, match=problem):
        check()


@pytest.mark.parametrize(
    ("make", "problem"),
    [
        (lambda: inclusion_proof(3, 3, node), "has no leaf 3"),
        (lambda: inclusion_proof(-1, 3, node), "has no leaf -1"),
        (lambda: consistency_proof(4, 3, node), "begins with one of 4"),
        (lambda: consistency_proof(-1, 3, node), "begins with one of -1"),
    ],
)
def test_what_cannot_be_proven(make, problem):
    with pytest.raises(ValueError, match=problem):
        make()


@pytest.mark.parametrize("vector", VECTORS["consistency"], ids=lambda v: f"{v['old']}-{v['new']}")
def test_proofs_made_by_another_tool_verify(vector):
    roots = VECTORS["roots"]
    verify_consistency(
        vector["old"],
        vector["new"],
        b64decode(roots[str(vector["old"])]),
        b64decode(roots[str(vector["new"])]),
        [b64decode(each) for each in vector["proof"]],
    )
