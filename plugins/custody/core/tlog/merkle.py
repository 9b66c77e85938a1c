"""The Merkle tree of a transparency log: its hashes, and proofs about them.

Hashing and proofs are those of RFC 6962, section 2.1; the checks of proofs are the algorithms of
RFC 9162, sections 2.1.3.2 and 2.1.4.2, which describe the same tree. The hash is SHA-256.

Proofs are made from *perfect subtrees*: the one of `height` h at `index` i covers the leaves
`[i * 2**h, (i + 1) * 2**h)`. Who makes a proof says where their hashes come from, so the same
rules serve a list in memory and tiles in a bucket.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from typing import Final

HASH_BYTES: Final = 32
EMPTY_ROOT: Final = hashlib.sha256(b"").digest()
"""Root of the tree without leaves."""

NodeReader = Callable[[int, int], bytes]
"""Hash of the perfect subtree of a height at an index."""


class BadProof(Exception):
    """A proof that does not show what it is said to show; the message says why."""


def leaf_hash(entry: bytes) -> bytes:
    """Hash of a leaf. Its prefix keeps an entry from passing as an inner node."""
    return hashlib.sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Hash of an inner node."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def perfect_root(hashes: Sequence[bytes]) -> bytes:
    """Root over 1, 2, 4, 8 … hashes. Raises `ValueError` for any other number."""
    if len(hashes).bit_count() != 1:
        raise ValueError(f"{len(hashes)} hashes do not make a perfect tree")
    while len(hashes) > 1:
        hashes = [node_hash(hashes[i], hashes[i + 1]) for i in range(0, len(hashes), 2)]
    return hashes[0]


def tree_root(size: int, node: NodeReader) -> bytes:
    """Root of the tree of the first `size` leaves."""
    return _range_hash(0, size, node) if size else EMPTY_ROOT


def inclusion_proof(index: int, size: int, node: NodeReader) -> tuple[bytes, ...]:
    """Proof that leaf `index` is in the tree of `size` leaves, its sibling first.

    Raises `ValueError` if the tree has no such leaf.
    """
    if not 0 <= index < size:
        raise ValueError(f"a tree of {size} leaves has no leaf {index}")
    start, end, siblings = 0, size, list[bytes]()
    while end - start > 1:
        middle = _split(start, end)
        if index < middle:
            siblings.append(_range_hash(middle, end, node))
            end = middle
        else:
            siblings.append(_range_hash(start, middle, node))
            start = middle
    return tuple(reversed(siblings))


def consistency_proof(old_size: int, new_size: int, node: NodeReader) -> tuple[bytes, ...]:
    """Proof that the tree of `new_size` leaves begins with that of `old_size`.

    Empty if the sizes are equal or the old tree is empty. Raises `ValueError` if the old tree is
    the larger one.
    """
    if not 0 <= old_size <= new_size:
        raise ValueError(f"no tree of {new_size} leaves begins with one of {old_size}")
    if old_size == 0:
        return ()
    start, end, hashes = 0, new_size, list[bytes]()
    while end != old_size:
        middle = _split(start, end)
        if old_size <= middle:
            hashes.append(_range_hash(middle, end, node))
            end = middle
        else:
            hashes.append(_range_hash(start, middle, node))
            start = middle
    if start > 0:  # otherwise it is the old root, which the verifier has
        hashes.append(_range_hash(start, end, node))
    return tuple(reversed(hashes))


def verify_inclusion(
    leaf: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes
) -> None:
    """Raise `BadProof` unless `proof` shows that the hash `leaf` is leaf `index` of the
    tree with `size` leaves and `root`."""
    if not 0 <= index < size:
        raise BadProof(f"a tree of {size} leaves has no leaf {index}")
    _check_lengths(leaf, root, *proof)
    position, last, found = index, size - 1, leaf
    for sibling in proof:
        if last == 0:
            raise BadProof("the inclusion proof has more hashes than the tree has levels")
        if position & 1 or position == last:
            found = node_hash(sibling, found)
            while not position & 1 and position:
                position, last = position >> 1, last >> 1
        else:
            found = node_hash(found, sibling)
        position, last = position >> 1, last >> 1
    if last != 0:
        raise BadProof("the inclusion proof has fewer hashes than the tree has levels")
    if found != root:
        raise BadProof("the inclusion proof does not lead to the root")


def verify_consistency(
    old_size: int, new_size: int, old_root: bytes, new_root: bytes, proof: Sequence[bytes]
) -> None:
    """Raise `BadProof` unless `proof` shows that the new tree begins with the old one."""
    if not 0 <= old_size <= new_size:
        raise BadProof(f"no tree of {new_size} leaves begins with one of {old_size}")
    _check_lengths(old_root, new_root, *proof)
    if old_size in (0, new_size):
        if proof:
            raise BadProof("the consistency proof must be empty")
        if old_root != (new_root if old_size else EMPTY_ROOT):
            raise BadProof(f"the roots of {old_size} leaves differ")
        return
    if not proof:
        raise BadProof("the consistency proof is empty")
    if _consistent_roots(old_size, new_size, old_root, proof) != (old_root, new_root):
        raise BadProof("the consistency proof does not lead to both roots")


def _consistent_roots(
    old_size: int, new_size: int, old_root: bytes, proof: Sequence[bytes]
) -> tuple[bytes, bytes]:
    """The two roots that a proof leads to."""
    # The root of a perfect old tree is where the path begins, so the proof leaves it out.
    path = [old_root, *proof] if old_size.bit_count() == 1 else list(proof)
    position, last = old_size - 1, new_size - 1
    while position & 1:
        position, last = position >> 1, last >> 1
    old_found = new_found = path[0]
    for sibling in path[1:]:
        if last == 0:
            raise BadProof("the consistency proof has more hashes than the tree has levels")
        if position & 1 or position == last:
            old_found = node_hash(sibling, old_found)
            new_found = node_hash(sibling, new_found)
            while not position & 1 and position:
                position, last = position >> 1, last >> 1
        else:
            new_found = node_hash(new_found, sibling)
        position, last = position >> 1, last >> 1
    if last != 0:
        raise BadProof("the consistency proof has fewer hashes than the tree has levels")
    return old_found, new_found


def _check_lengths(*hashes: bytes) -> None:
    if any(len(each) != HASH_BYTES for each in hashes):
        raise BadProof(f"a hash must have {HASH_BYTES} bytes")


def _split(start: int, end: int) -> int:
    """Where RFC 6962 divides the leaves: after the largest power of two smaller than them all."""
    return start + (1 << ((end - start - 1).bit_length() - 1))


def _range_hash(start: int, end: int, node: NodeReader) -> bytes:
    """Hash over the leaves of a subtree that `_split` made (`start` fits its size)."""
    subtrees = [node(height, index) for height, index in _perfect_subtrees(start, end)]
    found = subtrees.pop()
    while subtrees:
        found = node_hash(subtrees.pop(), found)
    return found


def _perfect_subtrees(start: int, end: int) -> Iterator[tuple[int, int]]:
    """The perfect subtrees that cover the leaves, the largest and leftmost first."""
    while start < end:
        height = (end - start).bit_length() - 1
        yield height, start >> height
        start += 1 << height
