"""Fetching Spark's S3 jars: once, whole, and only the very bytes that are expected."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from localaws.glue.spark import jars

JARS = {"a.jar": b"aaa", "b.jar": b"bbb"}


@pytest.fixture
def central(monkeypatch: pytest.MonkeyPatch) -> dict[str, bytes]:
    """What Ivy brings; a test may change it."""
    offered = dict(JARS)

    def resolve(scratch: Path) -> Path:
        for name, content in offered.items():
            (scratch / name).write_bytes(content)
        return scratch

    hashes = {name: hashlib.sha256(content).hexdigest() for name, content in JARS.items()}
    monkeypatch.setattr(jars, "SHA256", hashes)
    monkeypatch.setattr(jars, "_resolve", resolve)
    return offered


def test_brings_what_is_missing_and_then_rests(central: dict[str, bytes], tmp_path: Path) -> None:
    target = tmp_path / "venvs" / "jars"
    assert jars.missing(target) == ["a.jar", "b.jar"]

    jars.fetch(target)

    assert {path.name: path.read_bytes() for path in target.iterdir()} == JARS
    assert list(target.parent.iterdir()) == [target]
    central.clear()
    jars.fetch(target)


@pytest.mark.parametrize("content", [b"other bytes", None])
def test_other_bytes_or_none_are_refused(
    central: dict[str, bytes], tmp_path: Path, content: bytes | None
) -> None:
    if content is None:
        del central["b.jar"]
    else:
        central["b.jar"] = content

    with pytest.raises(jars.JarsError, match=r"b\.jar"):
        jars.fetch(tmp_path / "jars")
    assert jars.missing(tmp_path / "jars") == ["b.jar"]
