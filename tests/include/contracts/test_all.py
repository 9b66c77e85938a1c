"""Every deployed contract is a whole one."""

from __future__ import annotations

import json
from importlib import resources
from pathlib import Path

import jsonschema
import pytest
import yaml
from tests.support.contracts import FOLDER, deployed_contracts

from custody.core.datasets.contracts import Contract

REPOSITORY = Path(__file__).parents[3]
ADDED = REPOSITORY / "tests" / "datasets" / "returns" / "returns.odcs.yaml"
FILES = [*sorted(FOLDER.iterdir()), ADDED]


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_follows_the_published_json_schema(file: Path) -> None:
    schema = json.loads(
        resources.files("open_data_contract_standard").joinpath("schema.json").read_text("utf-8")
    )
    validator = jsonschema.validators.validator_for(schema)(schema)
    document = yaml.safe_load(file.read_text("utf-8"))
    assert [f"{e.json_path}: {e.message}" for e in validator.iter_errors(document)] == []


@pytest.mark.parametrize("contract", deployed_contracts(), ids=lambda each: each.dataset)
def test_every_column_is_described_and_classified(contract: Contract) -> None:
    for column in (*contract.columns, *(c for gold in contract.gold for c in gold.columns)):
        assert column.description, column.name
        assert column.classification in {"public", "internal", "confidential", "pii"}, column.name


def test_every_gold_table_has_its_query_and_no_query_is_of_none() -> None:
    gold = [table.name for contract in deployed_contracts() for table in contract.gold]
    queries = (REPOSITORY / "include" / "sql" / "gold").iterdir()
    assert sorted(gold) == sorted(path.stem for path in queries)
