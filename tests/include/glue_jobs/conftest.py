"""What the tests of the Glue jobs share."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from tests.support.spark_session import REPOSITORY, ignore_sockets_of_collect, spark

from custody.core.datasets.contracts import Contract, parse_contract

__all__ = ["spark"]


@pytest.fixture(scope="session")
def contract() -> Contract:
    text = (REPOSITORY / "include" / "contracts" / "customers.odcs.yaml").read_text()
    return parse_contract(yaml.safe_load(text))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    ignore_sockets_of_collect(items, Path(__file__).parent)
