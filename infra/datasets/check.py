"""See that the contracts can be used, before anything is built: `python -m infra.datasets.check`."""

from __future__ import annotations

import sys
from pathlib import Path

from custody.core.datasets.catalog import ContractsRefused
from infra.build import REPOSITORY
from infra.datasets.pages import read_folder


def check(contracts: Path) -> str | None:
    """What is wrong with the contracts in a folder, by file, line and field; None if nothing is."""
    try:
        read = read_folder(contracts)
    except ContractsRefused as refused:
        return "\n  ".join([f"{contracts}:", *str(refused).splitlines()])
    return None if read else f"{contracts} has no contract"


if __name__ == "__main__":
    sys.exit(check(REPOSITORY / "include" / "contracts"))
