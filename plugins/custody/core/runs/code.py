"""Whether the code that runs is that of the bundle which was deployed.

A bundle lies under the SHA-256 of its `SHA256SUMS`, which names every file in it with its hash
(`infra/build.py`). So whoever knows the place that was deployed can check every file.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from typing import Final

from custody.core.lineage.model import Material

SUMS: Final = "SHA256SUMS"
PACKAGE: Final = f"{__name__.partition('.')[0]}.zip"
"""The archive of the package that this module is in."""

RECORDER: Final = "recorder.zip"
"""The archive of the recorder's function."""

_LINE: Final = re.compile(r"([0-9a-f]{64})  (\S+)")


class OtherCode(Exception):
    """What runs is not what was deployed, or nobody can tell; the text says why."""


def bundled(sums: bytes, location: str) -> dict[str, str]:
    """The SHA-256 of each file of the bundle at an S3 URI, by its `SHA256SUMS`.

    Raises `OtherCode` if these are not those that its place names.
    """
    deployed = location.rstrip("/").rpartition("/")[2]
    if hashlib.sha256(sums).hexdigest() != deployed:
        raise OtherCode(f"{location}/{SUMS} has not the SHA-256 that its place names")
    return _named(sums)


def check_code(sums: bytes, location: str, running: Iterable[Material]) -> None:
    """Raises `OtherCode` unless each file that is `running` (the `script` and the `package`) is one
    of the bundle at the S3 URI `location`, whose `SHA256SUMS` these are."""
    files = bundled(sums, location)
    scripts = {sha256 for name, sha256 in files.items() if name.startswith("jobs/")}
    packages = {sha256 for name, sha256 in files.items() if name == PACKAGE}
    for material in running:
        if material.sha256 not in (packages if material.name == "package" else scripts):
            raise OtherCode(
                f"the {material.name} that runs (SHA-256 {material.sha256}) is none of {location}"
            )


def recorder_sha256(sums: bytes) -> str | None:
    """The SHA-256 of the recorder's archive in the bundle whose `SHA256SUMS` these are; None of a
    bundle from before it was in it."""
    return _named(sums).get(RECORDER)


def _named(sums: bytes) -> dict[str, str]:
    """The SHA-256 of each file, by its name."""
    lines = (_LINE.fullmatch(line) for line in sums.decode("utf-8", "replace").splitlines())
    return {match[2]: match[1] for match in lines if match}
