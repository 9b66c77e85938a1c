"""A home that is started on another port than before.

ministack knows a queue by its URL, and the URL holds the port: on another one it would not find the
queue that S3 notifies and that a function is run from, and nobody would notice but by what is
missing.
"""

from __future__ import annotations

import re
from pathlib import Path

from localaws.files import write_private

_QUEUE_URL = re.compile(r"http://127\.0\.0\.1:\d+(?=/\d{12}/)")


def move(folder: Path, journal: Path, endpoint: str) -> None:
    """Let the URLs of queues be those of `endpoint`, in the state in `folder` and the journal.

    Called before anything reads them. The queues' own state comes last: a move that was cut off is
    finished by the next start.
    """
    queues = folder / "sqs.json"
    if not queues.exists() or set(_QUEUE_URL.findall(_text(queues))) <= {endpoint}:
        return
    others = (path for path in sorted(folder.glob("*.json")) if path != queues)
    for path in (*others, journal, queues):
        if path.exists():
            before = _text(path)
            after = _QUEUE_URL.sub(endpoint, before)
            if after != before:
                write_private(path, after)


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8")
