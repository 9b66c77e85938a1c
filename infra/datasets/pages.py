"""The pages of all datasets, by the names of their files."""

from __future__ import annotations

from pathlib import Path

from custody.core.datasets.catalog import SUFFIX, read_contracts
from custody.core.datasets.page import page


def pages(contracts: Path) -> dict[str, bytes]:
    """A page for each contract in a folder, and one that lists them; raises ContractsRefused."""
    files = {file.name: file.read_text("utf-8") for file in contracts.glob(f"*{SUFFIX}")}
    read = read_contracts(files)
    rows = "\n".join(
        f"| [{one.dataset}]({one.dataset}.md) | {one.grain} | {one.about.owner} |" for one in read
    )
    index = (
        "<!-- Made from the contracts by `make datasets`. Change those. -->\n\n# Datasets\n\n"
        f"| dataset | grain | owner |\n| --- | --- | --- |\n{rows}\n"
    )
    return {"README.md": index.encode()} | {f"{one.dataset}.md": page(one).encode() for one in read}
