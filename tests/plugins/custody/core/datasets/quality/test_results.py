"""Results as they are kept, and as people read them."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from custody.core.datasets.quality.results import (
    QualityResult,
    as_table,
    parse,
    place_of,
    results_key,
    to_bytes,
)
from custody.core.formats.untrusted import MalformedInput
from custody.core.lineage.model import Run, run_of

KEY = results_key("2026-11-01", "jr_1", "silver_orders")
RESULT = QualityResult(
    dataset="orders",
    table_name="silver_orders",
    rule="enough",
    dimension="completeness",
    severity="error",
    outcome="passed",
    found="12",
    unit="rows",
    expected="more than 0 rows",
    compared_with=None,
    row_count=12,
    run="jr_1",
    contract_version="1.0.0",
    judged_at="2026-11-02T06:00:00.000Z",
)
WARNED = replace(
    RESULT,
    rule="usual",
    severity="warning",
    outcome="warned",
    found="300",
    unit="percent",
    expected="from 50 to 200 percent",
    compared_with="4 of 2026-10-25",
)


def test_they_lie_in_the_place_of_their_run() -> None:
    assert run_of(KEY) == Run("2026-11-01", "jr_1")
    assert place_of(KEY) == ("2026-11-01", "jr_1", "silver_orders")
    assert place_of("quality/results/dt=2026-11-01/x.json") is None


def test_they_are_read_as_they_were_kept() -> None:
    nothing = replace(RESULT, found=None, unit="", dimension=None)
    assert parse(to_bytes([RESULT, WARNED, nothing]), KEY) == (RESULT, WARNED, nothing)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{}\n",
        b"[1]\n",
        to_bytes([RESULT, replace(RESULT, run="jr_2")]),
        to_bytes([replace(RESULT, table_name="silver_other")]),
        to_bytes([RESULT]).replace(b'"row_count": 12', b'"row_count": -1'),
        to_bytes([RESULT]) + json.dumps({"run": "jr_1"}).encode(),
    ],
)
def test_others_are_refused(body: bytes) -> None:
    with pytest.raises(MalformedInput):
        parse(body, KEY)


def test_people_read_a_table() -> None:
    assert "\n".join(as_table([RESULT, WARNED])) == (
        "table          rule    severity  outcome  found        expected\n"
        "silver_orders  enough  error     passed   12 rows      more than 0 rows\n"
        "silver_orders  usual   warning   warned   300 percent  from 50 to 200 percent"
        " (compared with 4 of 2026-10-25)"
    )
