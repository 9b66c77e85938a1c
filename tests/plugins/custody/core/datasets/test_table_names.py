"""A table is called by the folder that it lies in, so that a location tells its table."""

from __future__ import annotations

import pytest
from tests.support.contracts import deployed_contracts

from custody.core.datasets.table_names import table_in
from custody.core.datasets.tables import tables


@pytest.mark.parametrize(
    ("folder", "name"),
    [
        ("silver/customers", "silver_customers"),
        ("silver/orders_items", "silver_orders_items"),
        ("files/customers", "silver_customers_files"),
        ("quarantine/customers", "silver_customers_quarantine"),
        ("gold/by_country", "gold_by_country"),
    ],
)
def test_a_table_is_called_by_its_folder(folder: str, name: str) -> None:
    assert table_in(folder) == name


def test_no_two_tables_of_a_dataset_share_a_name() -> None:
    for contract in deployed_contracts():
        names = [table.name for table in tables(contract)]
        assert len(set(names)) == len(names)
