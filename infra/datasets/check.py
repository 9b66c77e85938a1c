"""See before anything is built that the contracts can be used: `python -m infra.datasets.check`."""

from __future__ import annotations

import sys
from pathlib import Path

from infra.build import REPOSITORY
from infra.datasets.pages import read_folder

from custody.core.datasets.catalog import SUFFIX, ContractsRefused

INCLUDE = REPOSITORY / "include"


def check(contracts: Path, queries: Path) -> str | None:
    """What is wrong with the contracts in a folder, by file, line and field, and which of their
    gold tables has no query in the other folder; None if nothing is."""
    try:
        read = read_folder(contracts)
    except ContractsRefused as refused:
        return "\n  ".join([f"{contracts}:", *str(refused).splitlines()])
    missing = [
        f"{contract.dataset}{SUFFIX}: schema: the gold table {gold.name} has no query {query}: "
        "write it, or take the table out"
        for contract in read
        for gold in contract.gold
        if not (query := queries / f"{gold.name}.sql").is_file()
    ]
    if missing:
        return "\n  ".join([f"{contracts}:", *missing])
    return None if read else f"{contracts} has no contract"


if __name__ == "__main__":
    sys.exit(check(INCLUDE / "contracts", INCLUDE / "sql" / "gold"))
