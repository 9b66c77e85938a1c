"""What happened since the last checkpoint, one JSON object a line, appended before it is told.

Three things change too often, or are too many, to be checkpointed whole with every request: the
messages in queues, the locks on objects, and the S3 writes that are under way. A line is on its
way to the disk when `append` returns (it survives the death of the process, not of the machine).
Only the last line can be torn, and then nobody was told of it.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from ministack.core import persistence


class JournalError(RuntimeError):
    """The journal cannot be read or written; names the file and the line."""


class Journal:
    """An append-only file of JSON objects."""

    def __init__(self, path: Path) -> None:
        self._path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        self._size = 0
        self._file = self._open()

    @property
    def size(self) -> int:
        """Bytes appended since the last `replace`."""
        return self._size

    def append(self, entries: Iterable[dict[str, Any]]) -> None:
        """Append lines, all in one write; raises JournalError."""
        data = "".join(_line(entry) for entry in entries).encode()
        if not data:
            return
        try:
            written = os.write(self._file, data)
        except OSError as error:
            raise JournalError(f"{self._path}: {error}") from error
        if written != len(data):
            raise JournalError(f"{self._path}: only {written} of {len(data)} bytes written")
        self._size += written

    def replace(self, entries: Iterable[dict[str, Any]]) -> None:
        """Start again with these lines only; a kill leaves the old journal or the new."""
        partial = self._path.with_suffix(".tmp")
        with partial.open("w", encoding="utf-8") as file:
            for entry in entries:
                file.write(_line(entry))
        partial.replace(self._path)
        os.close(self._file)
        self._file = self._open()
        self._size = 0

    def close(self) -> None:
        """Close the file."""
        os.close(self._file)

    def _open(self) -> int:
        return os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)


def _line(entry: dict[str, Any]) -> str:
    # ministack's own spelling of bytes, so that what is folded into its state is read back.
    return json.dumps(entry, separators=(",", ":"), default=persistence._json_default) + "\n"  # noqa: SLF001


def read(path: Path) -> Iterator[dict[str, Any]]:
    """The entries of a journal, without a torn last line.

    Raises JournalError for any other line that is not a JSON object.
    """
    if not path.exists():
        return
    lines = path.read_bytes().split(b"\n")
    for number, line in enumerate(lines[:-1], start=1):
        try:
            entry = json.loads(line)
        except ValueError as error:
            raise JournalError(
                f"{path}, line {number}: {error}; reset the local AWS to start without it"
            ) from error
        if not isinstance(entry, dict):
            raise JournalError(f"{path}, line {number}: not a JSON object; reset the local AWS")
        yield entry
