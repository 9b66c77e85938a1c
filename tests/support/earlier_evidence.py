"""Evidence that earlier code wrote, unpacked as an auditor's copy (tests/support/earlier)."""

from __future__ import annotations

import gzip
import tarfile
from pathlib import Path

ARCHIVES = Path(__file__).parent / "earlier"


def unpack(archive: str, folder: Path) -> Path:
    """Lay an archive out in a folder, its log files and digests packed again; the folder."""
    with tarfile.open(ARCHIVES / archive) as packed:
        packed.extractall(folder, filter="data")
    for file in list((folder / "copy").glob("*-trail-*/**/*.json")):
        file.with_name(f"{file.name}.gz").write_bytes(gzip.compress(file.read_bytes(), 1))
        file.unlink()
    return folder
