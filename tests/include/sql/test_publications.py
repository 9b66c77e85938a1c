"""What was visible as of a time is a query over the publications as they are written."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from tests.include.sql.test_columns import hive_columns
from tests.include.sql.test_golden import NOW, columns_of, render
from tests.support.golden import run_golden

from custody.core.publications.model import Asked, Shown, Why, following

OPERATIONS = Path(__file__).parents[3] / "docs" / "operations.md"
TIME = "2026-11-02T12:00:00.000Z"


def rows() -> list[dict[str, Any]]:
    """A day that two runs built, and that was rolled back to the first; and the day after."""
    made = []
    for number, hour, run, why in (
        (0, 6, "1", Why.BUILD),
        (1, 10, "2", Why.BUILD),
        (2, 13, "1", Why.ROLLBACK),
    ):
        publication = following(
            number,
            dataset="customers",
            dt="2026-11-01",
            at=datetime(2026, 11, 2, hour, tzinfo=UTC),
            why=why,
            asked=Asked("a", 0, None, None),
            shown=[Shown("silver", f"jr_{run}", f"s/{run}"), Shown("gold", f"g_{run}", f"g/{run}")],
        )
        made += [json.loads(line) for line in publication.to_bytes().splitlines()]
    next_day = {"dt": "2026-11-02", "number": 1, "published_at": "2026-11-03T06:00:00.000Z"}
    return [*made, made[0] | next_day, made[0] | {"dataset": "orders", "number": 9}]


@pytest.mark.parametrize(
    ("time", "runs"),
    [
        ("2026-11-02T05:59:59.999Z", []),
        ("2026-11-02T06:00:00.000Z", ["g_1", "jr_1"]),
        (TIME, ["g_2", "jr_2"]),
        ("2026-11-03T05:00:00.000Z", ["g_1", "jr_1"]),
        ("2026-11-03T06:00:00.000Z", ["g_1", "jr_1", "jr_1"]),
    ],
)
def test_what_was_visible_as_of_a_time(time: str, runs: list[str]) -> None:
    documented = OPERATIONS.read_text(encoding="utf-8")
    found = re.search(r"as of a time\?\n\n```sql\n(.*?)```", documented, re.DOTALL)
    assert found
    assert TIME in found[1]
    schema = columns_of(render("provenance/create_publications.sql"))
    query = found[1].replace(TIME, time)
    shown = run_golden(query, {"publications": rows()}, {"publications": schema}, NOW)
    assert [row["run"] for row in shown] == runs


def test_the_table_has_the_fields_of_a_line() -> None:
    columns = columns_of(render("provenance/create_publications.sql"))
    assert columns == hive_columns("publications")
    assert columns.keys() == rows()[0].keys()
