"""Where the seal keeps its files, as paths below `SEAL_PREFIX` of the provenance bucket.

`checkpoint` and `tile/…` are the transparency log as its readers know it
(https://c2sp.org/tlog-tiles). The rest is the seal's own (docs/adr/031-the-seal.md):

* `append/<first leaf>`: what was decided to be appended there, before anything else is written;
* `day/<YYYY-MM-DD>/<first leaf>-<end>`: which leaves belong to a day, in the name of an empty
  file. It only helps to find them: what is in the log is read from the log.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date
from typing import Final

SEAL_PREFIX: Final = "seal/"
CHECKPOINT_PATH: Final = "checkpoint"
APPENDS: Final = "append/"
"""What the paths of all appends begin with."""

FileLister = Callable[[str], Iterable[str]]
"""Paths of the log's files whose path begins with a text."""

_RANGE = re.compile(r"day/\d{4}-\d\d-\d\d/(\d{19})-(\d{19})", re.ASCII)


def log_origin(provenance_bucket: str) -> str:
    """The name of the log, also that of its key: where it stands, without a scheme.

    S3's global address of the bucket, so that the name follows from the bucket alone.
    """
    return f"{provenance_bucket}.s3.amazonaws.com/{SEAL_PREFIX.rstrip('/')}"


def append_path(start: int) -> str:
    """Where the append that begins with leaf `start` is decided."""
    return f"{APPENDS}{start:019d}"


def day_folder(day: date) -> str:
    return f"day/{day.isoformat()}/"


@dataclass(frozen=True)
class LeafRange:
    """The leaves `[start, end)`."""

    start: int
    end: int

    def path(self, day: date) -> str:
        """The file that says they belong to `day`."""
        return f"{day_folder(day)}{self.start:019d}-{self.end:019d}"

    @classmethod
    def from_path(cls, path: str) -> LeafRange | None:
        """The range in a path; `None` if it names none."""
        match = _RANGE.fullmatch(path)
        if match is None:
            return None
        start, end = int(match[1]), int(match[2])
        return cls(start, end) if start < end else None
