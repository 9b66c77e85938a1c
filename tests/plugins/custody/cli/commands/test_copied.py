"""A copy of which something is missing: what an auditor runs at every visit does not end with 0."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.support.audited import (
    ANALYTICS,
    GOLD,
    PROCESSED,
    PROVENANCE,
    RAW,
    Platform,
    honest_platform,
)
from tests.support.trail_history import LAYOUT

PREFIXES = (RAW, PROCESSED, ANALYTICS)


@pytest.fixture(scope="module")
def copied(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    folder = tmp_path_factory.mktemp("copied")
    with honest_platform(folder) as platform:
        platform.copy(folder / "copy")
        yield platform


def visit(platform: Platform, first: str) -> Iterator[int]:
    """How each command ends, those first that read the bucket."""
    commands = [
        (ANALYTICS, "trace", f"s3://{ANALYTICS}/{GOLD}"),
        (PROVENANCE, "seal"),
        (LAYOUT.bucket, "trail", "--as-of", platform.as_of),
        *((bucket, "verify", f"s3://{bucket}/") for bucket in PREFIXES),
    ]
    for _, *command in sorted(commands, key=lambda command: command[0] != first):
        yield platform.custody(*command).status


def is_no_evidence(path: Path) -> bool:
    """The seal's hints of days, and tiles that fuller ones replaced."""
    return "seal/day/" in str(path) or (path.parent.name == "000.p" and path.name == "2")


def test_no_file_of_a_copy_can_be_missing_or_a_link(copied, tmp_path):
    copy = copied.folder / "copy"
    assert set(visit(copied, RAW)) == {0}
    unnoticed = []
    for file in sorted(path for path in copy.rglob("*") if path.is_file()):
        place = file.relative_to(copy)
        elsewhere = file.rename(tmp_path / "elsewhere")
        bucket = place.parts[0] if not place.parts[0].startswith("_") else place.parts[1]
        if not any(visit(copied, bucket.removesuffix(".json"))):
            unnoticed.append(place)
        file.symlink_to(elsewhere)
        if not place.parts[0].startswith("_") and not any(visit(copied, bucket)):
            unnoticed.append(place)
        file.unlink()
        elsewhere.rename(file)
    assert {place for place in unnoticed if not is_no_evidence(place)} == set()
    assert set(visit(copied, RAW)) == {0}
