"""Samples that a generator made."""

from __future__ import annotations

from pathlib import Path


def files_under(directory: Path) -> dict[str, bytes]:
    """The bytes of each file, by its path from there."""
    return {
        str(path.relative_to(directory)): path.read_bytes()
        for path in sorted(directory.rglob("*"))
        if path.is_file()
    }
