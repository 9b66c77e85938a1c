"""The pages of the catalog are those that the contracts make now."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from infra.build import REPOSITORY
from infra.datasets.check import check
from infra.datasets.pages import pages

from custody.core.datasets.catalog import ContractsRefused

RETURNS = REPOSITORY / "tests" / "datasets" / "returns" / "returns.odcs.yaml"


def test_no_page_is_stale() -> None:
    kept = {path.name: path.read_bytes() for path in (REPOSITORY / "docs" / "datasets").iterdir()}
    made = pages(REPOSITORY / "include" / "contracts")
    assert kept.keys() == made.keys(), "run `make datasets`"
    for name, content in made.items():
        assert kept[name].decode() == content.decode(), f"{name}: run `make datasets`"


def test_a_page_says_all_that_the_contract_does(tmp_path: Path) -> None:
    shutil.copy(RETURNS, tmp_path)
    made = {name: content.decode() for name, content in pages(tmp_path).items()}
    assert made.keys() == {"README.md", "returns.md"}
    assert (
        "| [returns](returns.md) | One row per return_id and dt | sales-data |" in made["README.md"]
    )
    lines = made["returns.md"].splitlines()
    for line in (
        "| Lands | `incoming/returns/dt=<day>/`, whole 30 hours after the day began (UTC) |",
        "| Format | JSON lines, or these packed with gzip (`.gz`) |",
        "| Uploaders | `web-shop` (Web shop, returns of the day) |",
        "    silver -->|returns_by_status.sql| g0[gold_returns_by_status]",
        "SELECT status, returns, amount_usd",
        "FROM gold_returns_by_status",
    ):
        assert line in lines
    unless = {
        name: rules
        for name, _, _, rules, _ in (
            line.strip("| ").split(" | ") for line in lines if line.count(" | ") == 4
        )
    }
    assert {name.strip("`"): unless[name] for name in unless if name.startswith("`")} == {
        "return_id": "given; like `^R[0-9]{6}$`",
        "customer_id": "given; of length 1 or more; of length 20 or less",
        "status": "given; one of `placed`, `shipped` (`allowed`)",
        "returned_on": "given; as `yyyy-MM-dd`; not after the day of its file (`not_after_day`)",
        "amount_usd": "given; at least 0; at most 100000",
        "is_gift": "one of `yes`, `no`",
    }
    assert "the greatest `returned_on`, then the first by source key" in made["returns.md"]
    assert "more than 50% of the rows" in made["returns.md"]


def test_a_bar_in_a_text_is_no_column(tmp_path: Path) -> None:
    text = RETURNS.read_text("utf-8").replace("Who sent it back", "Who sent it back | or lost it")
    (tmp_path / RETURNS.name).write_text(text, "utf-8")
    assert "| Who sent it back \\| or lost it |" in pages(tmp_path)["returns.md"].decode()


def test_there_is_no_page_of_a_wrong_contract(tmp_path: Path) -> None:
    text = RETURNS.read_text("utf-8").replace("kind: DataContract", "kind: Wish")
    (tmp_path / RETURNS.name).write_text(text, "utf-8")
    with pytest.raises(ContractsRefused, match=r"returns\.odcs\.yaml:1: apiVersion"):
        pages(tmp_path)


def test_nothing_is_built_of_a_contract_that_cannot_be_used(tmp_path: Path) -> None:
    """`make build` and `make bundle` say it: deploying, or the first run, would come too late."""
    queries = RETURNS.parent
    assert check(tmp_path, queries) == f"{tmp_path} has no contract"
    file = shutil.copy(RETURNS, tmp_path)
    assert check(tmp_path, queries) is None
    wrong = Path(file).read_text(encoding="utf-8").replace("required: true", "required: 'yes'", 1)
    Path(file).write_text(wrong, encoding="utf-8")
    line = wrong[: wrong.index("'yes'")].count("\n") + 1
    refused = check(tmp_path, queries)
    assert refused is not None
    assert refused.startswith(f"{tmp_path}:\n  returns.odcs.yaml:{line}: ")
    assert "required" in refused


def test_a_gold_table_without_its_query_is_refused(tmp_path: Path) -> None:
    """Else the job would find it missing, when the day's silver is built."""
    shutil.copy(RETURNS, tmp_path)
    refused = check(tmp_path, tmp_path)
    assert refused == (
        f"{tmp_path}:\n  returns.odcs.yaml: schema: the gold table returns_by_status has no query "
        f"{tmp_path / 'returns_by_status.sql'}: write it, or take the table out"
    )
