"""Every folder `cases/<case>/` is a test: evidence in, ledger rows out.

`tests.support.ledger_cases` says what a case holds. `expect.yaml` are the rows, in any order,
and no others; only the columns written there are compared.
"""

from __future__ import annotations

import random
from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from tests.support.ledger_cases import (
    CASES,
    Row,
    envelope,
    merged,
    policy,
    read,
    rows_of_case,
)

from custody.core.ledger.rows import LedgerRow
from custody.core.ledger.stored_records import split_envelopes
from custody.core.ledger.versions import histories, rows_of
from custody.core.trail.principals import Principal


def comparable(found: list[Row], columns: list[str]) -> list[str]:
    return sorted(repr([text(row[column]) for column in columns]) for row in found)


def text(value: Any) -> str:
    return str(value.replace(tzinfo=None)) if isinstance(value, datetime) else str(value)


def check(case: Path, found: list[LedgerRow]) -> None:
    expected: list[Row] = read(case / "expect.yaml")
    columns = list(expected[0])
    assert all(list(row) == columns for row in expected), "every row must name the same columns"
    assert comparable([asdict(row) for row in found], columns) == comparable(expected, columns)


FOLDERS = sorted(path.parent for path in CASES.glob("*/expect.yaml"))


@pytest.mark.parametrize("case", FOLDERS, ids=lambda case: case.name)
def test_ledger_holds_exactly_the_expected_rows(case: Path) -> None:
    check(case, list(rows_of_case(case)))


@pytest.mark.parametrize("case", FOLDERS, ids=lambda case: case.name)
def test_verdicts_do_not_depend_on_order_or_repetition(case: Path) -> None:
    for seed in range(5):
        shuffled = random.Random(seed)  # noqa: S311 - a repeatable order, no secret
        check(case, list(rows_of_case(case, shuffled)))


REMOVALS = CASES / "removals_are_rows_unless_a_writer_clears_its_working_files"


def test_a_removal_pages_nobody_before_it_is_proven() -> None:
    proven, unproven = (list(rows_of_case(REMOVALS, proven=proven)) for proven in (True, False))
    assert {row.verdict for row in proven} == {"REMOVED"}
    assert {row.verdict for row in unproven} == {"PENDING"}
    assert len(proven) == len(unproven)


def test_every_case_is_found() -> None:
    assert {path.parent for path in CASES.glob("*/*.yaml")} == set(FOLDERS)


def test_principals_are_matched_by_their_role() -> None:
    session = Principal("arn:aws:sts::1:assumed-role/x/s", "AssumedRole", "A:s", "arn:role/x")
    assert session.is_one_of(["arn:role/x"])
    assert not session.is_one_of(["arn:role/y"])


def test_two_writes_that_name_no_version_are_two_findings() -> None:
    """Otherwise the second would never be paged."""
    found = list(rows_of_case(CASES / "an_event_without_a_version_takes_it_from_its_request"))
    more = list(rows_of_case(CASES / "an_upload_completed_twice_is_one_write"))
    unnamed = [row for row in found + more if row.version_id == "null"]
    assert len({row.fingerprint for row in unnamed}) == len(unnamed) == 3


def test_of_two_records_under_one_key_the_same_is_believed_in_any_order() -> None:
    case = CASES / "a_record_with_a_bad_signature"
    defaults = read(CASES / "defaults.yaml")["hash_records"]
    one = envelope(merged(defaults, read(case / "hash_records.yaml")[0]))
    assert one.claim is not None
    other = replace(one, claim=replace(one.claim, sha256="b" * 64))
    rules = policy(datetime(2026, 11, 1, 8, tzinfo=UTC))
    first, second = (
        [row for history in histories([], split_envelopes(order, [])[0])
         for row in rows_of(history, rules, {})]
        for order in ([one, other], [other, one])
    )  # fmt: skip
    assert first == second
