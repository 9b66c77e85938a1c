"""The pages of all datasets, by the names of their files."""

from __future__ import annotations

from pathlib import Path

from custody.core.datasets.catalog import SUFFIX, read_contracts
from custody.core.datasets.contracts import Contract
from custody.core.datasets.page import page


def read_folder(contracts: Path) -> tuple[Contract, ...]:
    """The contracts in a folder; raises ContractsRefused."""
    return read_contracts({f.name: f.read_text("utf-8") for f in contracts.glob(f"*{SUFFIX}")})


def pages(contracts: Path) -> dict[str, bytes]:
    """A page for each contract in a folder, and one that lists them; raises ContractsRefused."""
    read = read_folder(contracts)
    rows = "\n".join(
        f"| [{one.dataset}]({one.dataset}.md) | {one.grain} | {one.about.owner} |" for one in read
    )
    index = (
        "<!-- Made from the contracts by `make datasets`. Change those. -->\n\n# Datasets\n\n"
        f"| dataset | grain | owner |\n| --- | --- | --- |\n{rows}\n"
    )
    return {"README.md": index.encode()} | {f"{one.dataset}.md": page(one).encode() for one in read}
