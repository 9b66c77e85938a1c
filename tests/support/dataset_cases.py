"""The cases of `tests/datasets`: what lands of a dataset, and what must become of its rows."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

FOLDER = Path(__file__).parents[1] / "datasets"


def expectation(case: Path) -> dict[str, Any]:
    """What the `expect.yaml` of a case's folder says."""
    said: dict[str, Any] = yaml.safe_load((case / "expect.yaml").read_text("utf-8"))
    return said


def landing(case: Path) -> Iterator[tuple[str, bytes]]:
    """Name and content of each file as it lands; what is `packed` lands packed with gzip."""
    packed = expectation(case).get("packed", ())
    for file in sorted((case / "landed").iterdir()):
        name, body = file.name, file.read_bytes()
        yield (f"{name}.gz", gzip.compress(body)) if name in packed else (name, body)
