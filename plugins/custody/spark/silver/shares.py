"""Sharing the bytes of a day out among readers."""

from __future__ import annotations

import heapq
import math
import pickle
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from operator import attrgetter, itemgetter
from typing import Final

from custody.aws.s3.listing import StoredVersion
from custody.core.datasets.landed.formats import says_packed
from custody.core.datasets.landed.parts import Part, parts_of
from custody.objects import ObjectVersion

_SHARES: Final = 2
"""Shares for each reader, so that one that is done early takes another. A task of Python's takes an
eighth of a second before it reads anything."""
_SHARE_BYTES: Final = 2 * 1024 * 1024
"""What a reader has read before another one has begun."""
_FILE_BYTES: Final = 128 * 1024
"""What is read in the time that it takes to ask for a file and its record."""


@dataclass(frozen=True, slots=True)
class FilePart:
    """A part of a landed file, the `number`-th of the day, for one reader."""

    number: int
    landed: StoredVersion
    part: Part


def shared_out(
    objects: Sequence[StoredVersion], readers: int, *, has_lines: bool = True
) -> list[list[FilePart]]:
    """All parts of the files, in shares of about as much to read each: some for each reader,
    and fewer where there is little. What is packed, or has no lines, has no parts.
    """
    parted = parts_of([landed.size for landed in objects], readers)
    parts = [
        FilePart(number, landed, part)
        for number, (landed, of) in enumerate(zip(objects, parted, strict=True))
        for part in (
            of if has_lines and not says_packed(landed.version.key) else [Part(0, 1, landed.size)]
        )
    ]
    # Every reader of a part is fed the whole file; what it parses is its part.
    weights = [_FILE_BYTES + one.part.size / one.part.count for one in parts]
    most = max(1, min(len(parts), readers * _SHARES, math.ceil(sum(weights) / _SHARE_BYTES)))
    shares: list[list[FilePart]] = [[] for _ in range(most)]
    heap = [(0.0, number) for number in range(most)]
    for weight, one in sorted(zip(weights, parts, strict=True), key=itemgetter(0), reverse=True):
        held, number = heap[0]
        shares[number].append(one)
        heapq.heapreplace(heap, (held + weight, number))
    return shares


_PLAIN: Final = attrgetter(
    "number",
    *(f"landed.version.{name}" for name in ("bucket", "key", "version_id")),
    *(f"landed.{name}" for name in ("last_modified", "etag", "size")),
    *(f"part.{name}" for name in ("number", "count", "size")),
)


def packed(share: Sequence[FilePart]) -> bytes:
    """A share on its way to its reader: plain values, as frozen classes take five times as long."""
    return pickle.dumps(list(map(_PLAIN, share)))


def unpacked(share: bytes) -> Iterator[FilePart]:
    """The parts of a `packed` share, one after the other."""
    for number, bucket, key, version_id, at, etag, size, *part in pickle.loads(share):  # noqa: S301 - our own
        version = ObjectVersion(bucket, key, version_id)
        yield FilePart(number, StoredVersion(version, at, etag, size), Part(*part))
