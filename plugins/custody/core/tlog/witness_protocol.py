"""Asking a cosigner to sign a checkpoint: `add-checkpoint` of https://c2sp.org/tlog-witness.

What is said and how answers are understood; who carries it there is passed in. A cosigner remembers
the last checkpoint it signed and signs another only with a proof that the log has grown from there.
So its refusal may be proof of another history of the log, which somebody has shown it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final

from custody.core.formats.untrusted import MalformedInput
from custody.core.tlog.checkpoint import decimal
from custody.core.tlog.merkle import consistency_proof
from custody.core.tlog.policy import Cosigner
from custody.core.tlog.signed_note import NoteSignature, encode_base64, parse_signatures, take_apart
from custody.core.tlog.tiled_tree import TiledTree

PATH: Final = "/add-checkpoint"
"""What is posted to, behind the URL of the cosigner."""

MAX_ANSWER_BYTES: Final = 64 * 1024
"""Several times the cosignatures of one cosigner."""

_SIZE_TYPE: Final = "text/x.tlog.size"
_ATTEMPTS: Final = 3
"""Without its size, with its size, and once more if somebody else came between."""

_TROUBLES: Final[Mapping[int, str]] = {
    HTTPStatus.BAD_REQUEST: "it does not understand the request",
    HTTPStatus.FORBIDDEN: "the checkpoint is signed by no key that it knows of this log",
    HTTPStatus.NOT_FOUND: "it does not know this log",
    HTTPStatus.TOO_MANY_REQUESTS: "it is asked too often",
}


@dataclass(frozen=True)
class Reply:
    """An HTTP answer, with the first `MAX_ANSWER_BYTES` of its body."""

    status: int
    content_type: str
    body: bytes


class Unreachable(Exception):
    """A cosigner that gives no answer; the message says why."""


Post = Callable[[bytes], Reply]
"""Posts a body to `PATH` of a cosigner; raises `Unreachable`."""


@dataclass(frozen=True)
class Answer:
    """What a cosigner said.

    `signatures` are those by its key, good ones; `trouble` says why there are none, and
    `other_history` whether that is because it knows another history of the log.
    """

    signatures: tuple[NoteSignature, ...] = ()
    trouble: str | None = None
    other_history: bool = False


def request(old_size: int, proof: Sequence[bytes], note: bytes) -> bytes:
    """The body that asks to sign the checkpoint `note`, with the proof that it begins with the
    tree of `old_size` leaves."""
    lines = [f"old {old_size}", *map(encode_base64, proof), "", ""]
    return "\n".join(lines).encode("ascii") + note


def add_checkpoint(note: bytes, tree: TiledTree, cosigner: Cosigner, post: Post) -> Answer:
    """Ask for a signature of the checkpoint `note`, whose tree is `tree`.

    Whether the cosigner has signed before is not remembered: it says so itself. Raises `BadTile`
    if the proof it asks for cannot be made, and `MalformedInput` if `note` is no note.
    """
    old_size = 0
    for _ in range(_ATTEMPTS):
        proof = consistency_proof(old_size, tree.size, tree.node)
        try:
            reply = post(request(old_size, proof, note))
        except Unreachable as error:
            return Answer(trouble=f"it cannot be reached: {error}")
        if reply.status != HTTPStatus.CONFLICT:
            return _understood(reply, note, cosigner)
        known = _size_of(reply)
        if known is not None and known > tree.size:
            return _other_history(f"it has signed {known} entries, and here are {tree.size}")
        if known is None or known == old_size:
            if old_size == tree.size:  # so said the first version of the protocol
                return _other_history(f"it has signed others than these {old_size} entries")
            return Answer(trouble="it finds a conflict and does not say with which size")
        old_size = known
    return Answer(trouble="it signs other checkpoints at the same time")


def _understood(reply: Reply, note: bytes, cosigner: Cosigner) -> Answer:
    """The answer in a reply that names no other size."""
    if reply.status == HTTPStatus.UNPROCESSABLE_ENTITY:
        return _other_history("the log does not begin with the checkpoint that it signed before")
    if reply.status != HTTPStatus.OK:
        return Answer(trouble=_TROUBLES.get(reply.status, f"it answers {reply.status}"))
    text, _ = take_apart(note)
    try:
        answered = parse_signatures(reply.body)
    except MalformedInput as error:
        return Answer(trouble=f"its answer cannot be read: {error}")
    good = tuple(
        each
        for each in answered
        if each.key == (cosigner.key.name, cosigner.key.key_id)
        and cosigner.key.time_of(each.data, text) is not None
    )
    return Answer(good) if good else Answer(trouble="its answer has no good signature by its key")


def _other_history(why: str) -> Answer:
    return Answer(trouble=why, other_history=True)


def _size_of(reply: Reply) -> int | None:
    """The size that a conflicting cosigner has signed; None if it does not say."""
    if reply.content_type.partition(";")[0].strip() != _SIZE_TYPE:
        return None
    try:
        return decimal(reply.body.decode("ascii").removesuffix("\n"), "size")
    except (UnicodeDecodeError, MalformedInput):
        return None
