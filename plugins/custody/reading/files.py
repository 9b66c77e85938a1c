"""Writing files that must never be half written: heads, proofs, cases."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from custody.reading.errors import CannotCheck


@contextmanager
def whole_file(path: Path) -> Iterator[IO[bytes]]:
    """A file that stands at `path`, replacing what did, once it is written to its end.

    Raises `CannotCheck` if it cannot be written.
    """
    try:
        with tempfile.NamedTemporaryFile(
            dir=path.parent, prefix=f".{path.name}.", delete=False
        ) as file:
            part = Path(file.name)
            try:
                yield file
                file.close()
                part.chmod(0o644)
                part.replace(path)
            finally:
                part.unlink(missing_ok=True)
    except OSError as error:
        raise CannotCheck(f"{path} cannot be written: {error.strerror or error}") from error


def replace_file(path: Path, content: bytes) -> None:
    """Make `content` the file at `path`, whole or not at all."""
    with whole_file(path) as file:
        file.write(content)
