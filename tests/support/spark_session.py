"""One small Spark for all tests that need one: nothing on the network but loopback."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from pyspark.sql import SparkSession

# For a handful of rows, compiling and planning anew is what takes the time, and reading archives.
QUICK = {
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
    "spark.driver.host": "127.0.0.1",
    "spark.driver.extraJavaOptions": "-XX:+UseSerialGC -XX:TieredStopAtLevel=1",
    "spark.sql.shuffle.partitions": "1",
    "spark.sql.adaptive.enabled": "false",
    "spark.sql.codegen.wholeStage": "false",
    "spark.sql.codegen.factoryMode": "NO_CODEGEN",
    "spark.python.daemon.module": "quick_daemon",
}
REPOSITORY = Path(__file__).parents[2]
WORKERS_PATH = (
    REPOSITORY,
    REPOSITORY / "plugins",
    REPOSITORY / "include" / "glue_jobs",
    REPOSITORY / "infra" / "local" / "localaws" / "glue" / "spark" / "workers",
)


@contextmanager
def session() -> Iterator[SparkSession]:
    """A Spark while the block runs."""
    # Python workers start from the environment of the JVM: they must find our code and this Python.
    os.environ["PYTHONPATH"] = os.pathsep.join(str(path) for path in WORKERS_PATH)
    os.environ["PYSPARK_PYTHON"] = sys.executable
    os.environ["SPARK_LOCAL_IP"] = "127.0.0.1"
    builder = SparkSession.builder.master("local[2]")
    for name, value in QUICK.items():
        builder = builder.config(name, value)
    spark = builder.getOrCreate()
    yield spark
    spark.stop()


@pytest.fixture(scope="session")
def spark() -> Iterator[SparkSession]:
    with session() as made:
        yield made


def ignore_sockets_of_collect(items: Iterable[pytest.Item], folder: Path) -> None:
    """PySpark 3.5 leaves the socket of `RDD.collect` to the garbage collector, which warns."""
    for item in items:
        if folder in item.path.parents:
            item.add_marker(
                pytest.mark.filterwarnings(
                    "ignore:Exception ignored in.*socket:pytest.PytestUnraisableExceptionWarning"
                )
            )
