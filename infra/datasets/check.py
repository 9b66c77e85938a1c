"""See before anything is built that the contracts can be used: `python -m infra.datasets.check`."""

from __future__ import annotations

import sys
from pathlib import Path

from infra.build import REPOSITORY
from infra.datasets.pages import read_folder

from custody.core.datasets.catalog import ContractsRefused


def check(contracts: Path) -> str | None:
    """What is wrong with the contracts in a folder, by file, line and field; None if nothing is."""
    try:
        read = read_folder(contracts)
    except ContractsRefused as refused:
        return "\n  ".join([f"{contracts}:", *str(refused).splitlines()])
    return None if read else f"{contracts} has no contract"


if __name__ == "__main__":
    sys.exit(check(REPOSITORY / "include" / "contracts"))
