"""The contracts of the repository, and the tables that they make."""

from __future__ import annotations

from pathlib import Path

from custody.core.datasets.catalog import read_contracts
from custody.core.datasets.contracts import Contract
from custody.core.datasets.tables import PARTITION_KEYS, tables

FOLDER = Path(__file__).parents[2] / "include" / "contracts"


def deployed_contracts() -> tuple[Contract, ...]:
    """All of them."""
    return read_contracts({file.name: file.read_text("utf-8") for file in FOLDER.iterdir()})


def dataset_tables() -> dict[str, dict[str, str]]:
    """Names and Hive types of the columns of every dataset's tables, partition keys included."""
    return {
        table.name: dict(table.columns + PARTITION_KEYS)
        for contract in deployed_contracts()
        for table in tables(contract)
    }
