"""Asking the cosigners for their signatures, and keeping these with the checkpoint."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

from custody.aws.seal.keeping import LocatedDefect, locate
from custody.aws.seal.log import (
    SealContended,
    Sealed,
    read_checkpoint,
    replace_checkpoint,
    seal_reader,
)
from custody.core.seal.check import SealDefect, SealDefectKind
from custody.core.seal.cosigning import lapse, other_history
from custody.core.tlog.checkpoint import Checkpoint
from custody.core.tlog.policy import Cosigner, CosigningPolicy
from custody.core.tlog.quorum import cosigned, with_cosignatures
from custody.core.tlog.signed_note import NoteKey
from custody.core.tlog.tiled_tree import TiledTree
from custody.core.tlog.tiles import BadTile
from custody.core.tlog.witness_protocol import Answer, Post, add_checkpoint

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

Reach = Callable[[str], Post]
"""What posts to the cosigner behind a URL."""


@dataclass(frozen=True)
class Asked:
    """The checkpoint with what was signed, and the answers by the policy's names of those who
    were asked."""

    note: bytes
    answers: Mapping[str, Answer]


@dataclass(frozen=True)
class Cosigning:
    """The defects found, and the checkpoint to remember as the last one that a quorum cosigned
    (None: keep the old one). `answers` are those of who was asked, by the policy's names."""

    defects: tuple[LocatedDefect, ...] = ()
    head: bytes | None = None
    answers: Mapping[str, Answer] = field(default_factory=dict)


def keep_cosigned(
    s3: S3Client,
    bucket: str,
    sealed: Sealed | None,
    policy: CosigningPolicy,
    *,
    key: NoteKey,
    last: bytes | None,
    reach: Reach,
    now: datetime,
) -> Cosigning:
    """Have the log in the provenance `bucket` cosigned as the `policy` asks, if it was `sealed`.

    `key` is that of the log, `last` the checkpoint remembered as the last one with a quorum. A log
    with defects is shown to nobody; whether it has been without a quorum for too long is found all
    the same. Raises as `ask_cosigners` does.
    """
    if sealed is not None and sealed.note is None:
        return Cosigning()  # nothing is sealed yet
    asked: Asked | None = None
    defects: list[SealDefect] = []
    if sealed is not None:
        try:
            asked = ask_cosigners(s3, bucket, policy, key=key, reach=reach, now=now)
        except BadTile as error:
            defects.append(SealDefect(SealDefectKind.BAD_TILE, error.path, error.problem))
    answers = asked.answers if asked else {}
    found = cosigned(asked.note, policy, now) if asked else None
    head = asked.note if asked and found and found.is_met else None
    defects += filter(None, (other_history(answers), lapse(last, policy, found, answers, now)))
    return Cosigning(locate(s3, bucket, defects), head, answers)


def ask_cosigners(
    s3: S3Client,
    bucket: str,
    policy: CosigningPolicy,
    *,
    key: NoteKey,
    reach: Reach,
    now: datetime,
) -> Asked:
    """Show the checkpoint to all whom the policy names with a URL, and keep what they sign with it.

    They are asked also if they have signed it before: it is the time that is new. Raises `BadNote`
    or `MalformedInput` if the checkpoint cannot be trusted, `BadTile` if a proof cannot be made,
    `SealContended` if the checkpoint was replaced meanwhile, and what botocore raises.
    """
    found = read_checkpoint(s3, bucket)
    if found is None:
        raise SealContended("the checkpoint was removed before it was cosigned")
    checkpoint = Checkpoint.open(found.body, origin=key.name, keys=key.all)
    tree = TiledTree(checkpoint.size, checkpoint.root, seal_reader(s3, bucket))

    def ask(cosigner: Cosigner) -> Answer:
        return add_checkpoint(found.body, tree, cosigner, reach(cosigner.url or ""))

    asked = [each for each in policy.cosigners.values() if each.url is not None]
    with ThreadPoolExecutor(max(1, len(asked))) as askers:
        answers = dict(zip((each.name for each in asked), askers.map(ask, asked), strict=True))
    fresh = [each for answer in answers.values() for each in answer.signatures]
    note = with_cosignatures(found.body, fresh, policy, now)
    if note != found.body and replace_checkpoint(s3, bucket, note, before=found.etag) is None:
        raise SealContended("the checkpoint was replaced while it was cosigned")
    return Asked(note, answers)
