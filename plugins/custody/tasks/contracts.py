"""The contracts that a folder of DAGs comes with."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from airflow.sdk import get_parsing_context

from custody.core.datasets.catalog import SUFFIX, read_contracts
from custody.core.datasets.contracts import Contract
from custody.tasks.defaults import include_root


def contracts_of(dag_file: str) -> tuple[Contract, ...]:
    """Every contract beside the SQL of `dag_file`.

    Raises:
        ContractsRefused: some cannot be used.
        FileNotFoundError: there is no such folder.
    """
    return _read(tuple(sorted(_folder(dag_file).glob(f"*{SUFFIX}"))), are_all=True)


def contracts_to_parse(dag_file: str, prefix: str) -> tuple[Contract, ...]:
    """Those whose DAGs Airflow asks for: all, or the one whose task is about to run.

    A DAG's id is `prefix` and its dataset. So a task's start costs no more for other datasets, and
    fails for none of them. Raises as `contracts_of` does.
    """
    dag_id = get_parsing_context().dag_id
    if dag_id is None:
        return contracts_of(dag_file)
    own = _folder(dag_file) / f"{dag_id.removeprefix(prefix)}{SUFFIX}"
    is_one = dag_id.startswith(prefix) and own.is_file()
    return _read((own,), are_all=False) if is_one else ()


def _folder(dag_file: str) -> Path:
    return include_root(dag_file) / "contracts"


def _read(paths: tuple[Path, ...], *, are_all: bool) -> tuple[Contract, ...]:
    return _parsed(tuple((path.name, path.read_text(encoding="utf-8")) for path in paths), are_all)


@lru_cache(maxsize=8)
def _parsed(files: tuple[tuple[str, str], ...], are_all: bool) -> tuple[Contract, ...]:
    """Parse the same contents once for all DAG files that a process loads."""
    return read_contracts(dict(files), are_all=are_all)
