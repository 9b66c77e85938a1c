"""The chain of runs in the analytics bucket: the last link, and adding one, once."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import TYPE_CHECKING

from custody.aws.s3.errors import ObjectWithheld
from custody.aws.s3.listing import list_keys
from custody.aws.s3.reading import read_current
from custody.aws.s3.write_once import put_if_absent
from custody.core.formats.untrusted import MalformedInput
from custody.core.ledger.hours.links import CHAIN_PREFIX, MAX_LINK_BYTES, Link
from custody.core.tlog.signed_note import BadNote, NoteKey, NoteSigner, open_note, sign_note

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

log = logging.getLogger(__name__)

Opener = Callable[[bytes], str]
"""Gives the text of a note; raises `BadNote` or `MalformedInput`."""


def signed_by(key: NoteKey) -> Opener:
    """Opens notes that `key` signed."""
    return lambda raw: open_note(raw, [key])


def whoever_signed(raw: bytes) -> str:
    """The text of a note, for who only proposes what the job then holds against the chain."""
    text, found, _ = raw.partition(b"\n\n")
    if not found:
        raise MalformedInput("link", "is no note")
    try:
        return text.decode("utf-8") + "\n"
    except UnicodeDecodeError as error:
        raise MalformedInput("link", "is not UTF-8") from error


def last_link(s3: S3Client, bucket: str, *, as_of: datetime, opened: Opener) -> Link | None:
    """The last link of the chain as it stands at `as_of`; None if there is none.

    What is no link, is not under its own name, or was encrypted anew so that S3 does not hand it
    out, is passed over: who did that is in the trail. Raises `ObjectWithheld` if S3 hands out no
    link at all, for then it is no fault of one; and what botocore raises.
    """
    withheld: ObjectWithheld | None = None
    for key in _latest_first(s3, bucket):
        try:
            found = read_current(s3, bucket, key, max_bytes=MAX_LINK_BYTES)
        except ObjectWithheld as error:
            log.warning("no link of the chain of runs: s3://%s/%s: %s", bucket, key, error)
            withheld = error
            continue
        if found is None:
            continue
        try:
            link = Link.from_text(opened(found.body))
        except (BadNote, MalformedInput) as error:
            log.warning("no link of the chain of runs: s3://%s/%s: %s", bucket, key, error)
            continue
        if link.key == key and link.as_of <= as_of:
            return link
    if withheld is not None:
        raise withheld
    return None


def keep_link(s3: S3Client, bucket: str, link: Link, signer: NoteSigner) -> None:
    """Sign a link and write it; one that is there stays. Raises what botocore raises."""
    put_if_absent(
        s3, bucket, link.key, sign_note(link.to_text(), signer), content_type="text/plain"
    )


def _latest_first(s3: S3Client, bucket: str) -> Iterator[str]:
    pages = s3.get_paginator("list_objects_v2").paginate(
        Bucket=bucket, Prefix=CHAIN_PREFIX, Delimiter="/"
    )
    days = [folder["Prefix"] for page in pages for folder in page.get("CommonPrefixes", ())]
    for day in sorted(days, reverse=True):
        yield from sorted(list_keys(s3, bucket, day), reverse=True)
