"""The class archive is made once for one JDK and one set of jars."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from localaws.glue.spark import archive
from localaws.glue.spark.archive import ArchiveError
from localaws.glue.spark.configuration import SparkHome


@pytest.fixture
def trainings(monkeypatch: pytest.MonkeyPatch) -> list[SparkHome]:
    """The homes for which an archive was made."""
    made: list[SparkHome] = []

    def train(home: SparkHome, folder: Path) -> Path:
        made.append(home)
        path = folder / "classes.jsa"
        path.touch()
        return path

    monkeypatch.setattr(archive, "_train", train)
    return made


def test_is_made_anew_only_for_other_jars_or_another_jdk(
    plain_home: SparkHome, trainings: list[SparkHome], monkeypatch: pytest.MonkeyPatch
) -> None:
    archive.make(plain_home)
    archive.make(plain_home)
    assert len(trainings) == 1
    assert plain_home.class_archive.exists()

    next(plain_home.jars.glob("*aws*")).write_bytes(b"another version")
    archive.make(plain_home)
    assert len(trainings) == 2

    monkeypatch.setattr(archive, "_java_version", lambda: b"another JDK")
    archive.make(plain_home)
    assert len(trainings) == 3


def test_carries_on_without_one_and_says_so(
    plain_home: SparkHome, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("CUSTODY_GLUE_PYTHON", str(plain_home.python))
    monkeypatch.setenv("CUSTODY_SPARK_JARS", str(plain_home.jars))
    monkeypatch.setattr(archive, "_train", _raise(ArchiveError("the JVM said no")))
    archive.main()
    monkeypatch.setattr(archive, "_java_version", _raise(subprocess.CalledProcessError(1, "java")))
    archive.main()

    said = capsys.readouterr().err
    assert said.count("no class archive, Spark starts slower") == 2
    assert "the JVM said no" in said
    assert not plain_home.class_archive.exists()


def _raise(error: Exception) -> Callable[..., Path]:
    def fail(*_: object) -> Path:
        raise error

    return fail
