"""Write the pages of the datasets: `python -m infra.datasets`."""

from __future__ import annotations

from infra.build import REPOSITORY, sync
from infra.datasets.pages import pages

if __name__ == "__main__":
    sync(REPOSITORY / "docs" / "datasets", pages(REPOSITORY / "include" / "contracts"))
