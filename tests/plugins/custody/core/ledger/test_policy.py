"""Who may write where: to a layer, or to a part of one."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from tests.support.ledger_cases import policy

from custody.core.ledger.policy import LAYER_WRITERS, WRITERS_BELOW

POLICY = replace(
    policy(datetime(2026, 11, 1, 8, tzinfo=UTC)),
    writers_below={
        "bronze": {"incoming/customers/": ("crm",), "incoming/orders/": ("shop", "crm")},
        "gold": {"gold": ("glue",), "pages": ("airflow",)},
    },
)


@pytest.mark.parametrize(
    ("bucket", "key", "writers"),
    [
        ("analytics", "gold/x/part-0.parquet", ("glue",)),
        ("analytics", "gold_$folder$", ("glue",)),
        ("analytics", "pages/findings/0.json", ("airflow",)),
        ("analytics", "elsewhere", ()),
        ("raw", "incoming/customers/dt=2026-11-01/x.csv", ("crm",)),
        ("raw", "incoming/orders/dt=2026-11-01/x.csv", ("shop", "crm")),
        ("raw", "incoming/orders", ()),
        ("raw", "incoming/orders_of_others/x.csv", ()),
        ("raw", "incoming/Orders/x.csv", ()),
        ("raw", "orders/x.csv", ()),
        ("processed", "anything", POLICY.writers["silver"]),
        ("of-others", "gold/x", ()),
    ],
)
def test_who_may_write_an_object(bucket: str, key: str, writers: tuple[str, ...]) -> None:
    assert POLICY.writers_of(bucket, key) == writers


def test_each_writer_of_a_layer_has_a_part_of_it() -> None:
    for layer, parts in WRITERS_BELOW.items():
        assert {role for roles in parts.values() for role in roles} == set(LAYER_WRITERS[layer])


def test_who_was_retired_stays_a_writer_of_his_time() -> None:
    until = datetime(2026, 11, 5, tzinfo=UTC)
    rules = replace(POLICY, retired={"": {"gone": until}})
    before, then = until - timedelta(seconds=1), until
    assert rules.writers_of("raw", "incoming/orders/x", at=before) == ("shop", "crm", "gone")
    assert "gone" in rules.writers_of("raw", "incoming/x", at=before)
    assert "gone" not in rules.writers_of("raw", "incoming/x", at=then)
    assert "gone" not in rules.writers_of("raw", "incoming/x")
    assert "gone" not in rules.writers_of("processed", "silver/x", at=before)


def test_who_left_one_dataset_was_a_writer_of_that_one_alone() -> None:
    until = datetime(2026, 11, 5, tzinfo=UTC)
    rules = replace(POLICY, retired={"incoming/customers/": {"shop": until}})
    before = until - timedelta(seconds=1)
    assert rules.writers_of("raw", "incoming/customers/x", at=before) == ("crm", "shop")
    assert rules.writers_of("raw", "incoming/customers/x", at=until) == ("crm",)
    assert rules.writers_of("raw", "incoming/returns/x", at=before) == ()


@pytest.mark.parametrize(
    ("bucket", "key", "place"),
    [
        ("raw", "incoming/orders/dt=2026-11-01/x.csv", "incoming/orders/ in bronze"),
        ("raw", "loose.csv", "bronze"),
        ("processed", "silver/x", "silver"),
        ("analytics", "gold/x", "gold"),
        ("analytics", "pages/x", "pages in gold"),
        ("of-others", "gold/x", "no layer"),
    ],
)
def test_people_are_told_whose_writers_are_meant(bucket: str, key: str, place: str) -> None:
    assert POLICY.place_of(bucket, key) == place
