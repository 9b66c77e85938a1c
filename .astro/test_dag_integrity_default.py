"""What `astro dev parse` runs: every DAG loads, on what Astro installs.

In place of Astro's own, which asks Airflow for an argument that it no longer has. Nothing is
mocked: no DAG reads a variable, a connection or the environment when it loads. A file that may fail
is named in `dag_integrity_exceptions.txt`, one a line, as `dags/<name>.py`.
"""

from pathlib import Path

import pytest
from airflow.dag_processing.dagbag import DagBag

PROJECT = Path(__file__).resolve().parents[1]
FILES = sorted((PROJECT / "dags").glob("*.py"))
EXCEPTIONS = (PROJECT / ".astro" / "dag_integrity_exceptions.txt").read_text().split()


@pytest.fixture(scope="session")
def bag() -> DagBag:
    return DagBag(dag_folder=PROJECT / "dags")


def test_there_are_dags() -> None:
    assert FILES


@pytest.mark.parametrize("file", FILES, ids=[file.name for file in FILES])
def test_dag_loads(bag: DagBag, file: Path) -> None:
    if f"dags/{file.name}" in EXCEPTIONS:
        pytest.skip("named in dag_integrity_exceptions.txt")
    assert str(file) not in bag.import_errors, bag.import_errors[str(file)]
    assert str(file) in {dag.fileloc for dag in bag.dags.values()}
