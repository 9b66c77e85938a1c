"""What the runs signed decides which of them are shown together."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from tests.support.publications import (
    CONTRACT_VERSION,
    DAY,
    SILVER_PLACE,
    TABLES,
    gold_lineage,
    silver_lineage,
)

from custody.core.lineage.model import Lineage, Material
from custody.core.publications.choosing import NotBuilt, to_show

GOLD = "gold_by_country"
LATER = datetime(2026, 11, 3, tzinfo=UTC)


def shown(silver: Lineage, *golds: Lineage) -> dict[str, str]:
    found = to_show("customers", CONTRACT_VERSION, TABLES, silver, {GOLD: golds})
    assert [one.table_name for one in found] == [table.table for table in TABLES]
    assert all(one.location.endswith(f"dt={DAY}/run={one.run}/") for one in found)
    return {one.table_name: one.run for one in found}


def test_a_run_of_silver_is_shown_with_the_last_gold_that_was_built_from_it() -> None:
    of_one = [
        replace(gold_lineage(run, "jr_1"), finished_on=LATER + timedelta(hours=hours))
        for run, hours in (("g_1", 1), ("g_2", 2), ("g_3", 0))
    ]
    of_other = replace(gold_lineage("g_4", "jr_2"), finished_on=LATER + timedelta(hours=9))
    assert shown(silver_lineage("jr_1"), *of_one, of_other) == {
        "silver_customers_files": "jr_1",
        "silver_customers": "jr_1",
        GOLD: "g_2",
    }
    assert shown(silver_lineage("jr_2"), *of_one, of_other)[GOLD] == "g_4"


def parameter(lineage: Lineage, **changes: str) -> Lineage:
    return replace(lineage, parameters={**lineage.parameters, **changes})


def of_contract(lineage: Lineage, version: str | None) -> Lineage:
    return replace(lineage, materials=(Material("contract", "a2" * 32, version=version),))


SILVER, BUILT = silver_lineage("jr_1"), gold_lineage("g_1", "jr_1")


@pytest.mark.parametrize(
    ("silver", "golds", "why"),
    [
        (SILVER, [], f"no run of {GOLD} states to have been built from {SILVER_PLACE}run=jr_1/"),
        (SILVER, [gold_lineage("g_1", "jr_2")], f"no run of {GOLD}"),
        (SILVER, [parameter(BUILT, gold_table="other")], f"no run of {GOLD}"),
        (SILVER, [parameter(BUILT, dataset="orders")], f"no run of {GOLD}"),
        (SILVER, [replace(BUILT, outputs=SILVER.outputs)], f"no run of {GOLD}"),
        (parameter(SILVER, dataset="orders"), [BUILT], "does not state to have built customers"),
        (replace(SILVER, outputs=SILVER.outputs + BUILT.outputs), [BUILT], "does not state to"),
        (BUILT, [BUILT], "does not state to have built customers"),
        (of_contract(SILVER, "0.9.0"), [BUILT], "version 0.9.0, which 1.4.0 breaks with: build"),
        (of_contract(SILVER, "2.0.0"), [BUILT], "version 2.0.0, which 1.4.0 breaks with: build"),
        (of_contract(SILVER, None), [BUILT], "version of no name, which 1.4.0 breaks with"),
        (replace(SILVER, materials=()), [BUILT], "version of no name, which 1.4.0 breaks with"),
        (SILVER, [of_contract(BUILT, "2.0.0")], "run g_1 was built by the contract's version 2"),
    ],
)
def test_what_was_not_built_so_is_not_shown(
    silver: Lineage, golds: list[Lineage], why: str
) -> None:
    with pytest.raises(NotBuilt, match=why):
        shown(silver, *golds)
