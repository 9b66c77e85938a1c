"""Write the pages of the datasets: `python -m infra.datasets`."""

from __future__ import annotations

import sys

from infra.build import REPOSITORY, sync
from infra.datasets.check import INCLUDE, check
from infra.datasets.pages import pages

if __name__ == "__main__":
    contracts = INCLUDE / "contracts"
    if refused := check(contracts, INCLUDE / "sql" / "gold"):
        sys.exit(refused)
    sync(REPOSITORY / "docs" / "datasets", pages(contracts))
