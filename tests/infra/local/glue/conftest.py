"""Job runs without Spark: any Python runs the script, and the jars are only names."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from localaws.glue.spark.configuration import SparkHome
from localaws.glue.spark.jars import SHA256


def plain_python(jars: Path) -> SparkHome:
    """A Spark home whose Python is this one; its jars are made in a new folder."""
    jars.mkdir()
    for name in SHA256:
        (jars / name).touch()
    return SparkHome(Path(sys.executable), jars)


@pytest.fixture
def plain_home(tmp_path: Path) -> SparkHome:
    return plain_python(tmp_path / "jars")
