"""Sharing the bytes of a day out among readers."""

from __future__ import annotations

import heapq
import math
from collections.abc import Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import Final

from custody.aws.s3.listing import StoredVersion
from custody.core.datasets.landed.formats import says_packed
from custody.core.datasets.landed.parts import Part, parts_of

_SHARES: Final = 4
"""Shares for each reader, so that one that is done early takes another."""
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
