"""Landed files that are no text: what is in them shows when they are decoded."""

from __future__ import annotations

from custody.core.datasets.landed.text import BrokenFileError


class AnyBytes:
    """Takes every byte, as `TextCheck` does, and wants no more than that there is one."""

    def __init__(self) -> None:
        self._is_empty = True

    def feed(self, chunk: bytes) -> None:
        """Take the next bytes."""
        self._is_empty = self._is_empty and not chunk

    def finish(self) -> None:
        """Raise BrokenFileError if there were none."""
        if self._is_empty:
            raise BrokenFileError("file.empty", "the file has no bytes")
