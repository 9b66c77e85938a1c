"""What the tests of `custody.spark` share."""

from pathlib import Path

import pytest
from tests.support.customers import contract
from tests.support.spark_session import ignore_sockets_of_collect, spark

__all__ = ["contract", "spark"]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    ignore_sockets_of_collect(items, Path(__file__).parent)
