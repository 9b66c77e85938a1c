"""A publication is a numbered object, whose lines say the same of each table."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.strategies import texts

from custody.core.formats.untrusted import MalformedInput
from custody.core.publications.model import (
    Asked,
    Publication,
    Shown,
    Why,
    following,
    parse,
    place_of,
)

DAY = "2026-11-01"
ASKED = Asked("manual__1", 0, "operator", "the export was cut off")
SHOWN = (
    Shown("silver_customers", "jr_1", "s3://p/silver/customers/dt=2026-11-01/run=jr_1/"),
    Shown("gold_x", "jr_2", "s3://a/gold/x/dt=2026-11-01/run=jr_2/"),
)


def after(number: int, shown: tuple[Shown, ...] = SHOWN) -> Publication:
    return following(
        number,
        dataset="customers",
        dt=DAY,
        at=datetime(2026, 11, 2, 6, tzinfo=UTC),
        why=Why.ROLLBACK,
        asked=ASKED,
        shown=shown,
    )


def test_the_next_number_of_a_day_is_the_next_key() -> None:
    first, tenth = after(0), after(9)
    assert first.key == "publications/customers/dt=2026-11-01/000001.json"
    assert tenth.key == "publications/customers/dt=2026-11-01/000010.json"
    assert place_of(tenth.key) == ("customers", DAY, 10)
    assert first.published_at == "2026-11-02T06:00:00.000Z"


@pytest.mark.parametrize(
    ("number", "shown", "why"),
    [
        (999_999, SHOWN, "no number after"),
        (0, (), "shows no table"),
        (0, (replace(SHOWN[0], location=""),), "location: must not be empty"),
        (0, (replace(SHOWN[0], run="half of a pair: \ud800"),), "surrogate"),
    ],
)
def test_what_nobody_could_read_is_not_made(
    number: int, shown: tuple[Shown, ...], why: str
) -> None:
    with pytest.raises(ValueError, match=why):
        after(number, shown)


def test_each_table_is_a_line_that_says_all() -> None:
    lines = [json.loads(line) for line in after(0).to_bytes().splitlines()]
    assert [line["table_name"] for line in lines] == ["silver_customers", "gold_x"]
    assert lines[1] == {
        "dataset": "customers",
        "dt": DAY,
        "number": 1,
        "published_at": "2026-11-02T06:00:00.000Z",
        "why": "rollback",
        "airflow_run": "manual__1",
        "cleared": 0,
        "asked_by": "operator",
        "reason": "the export was cut off",
        "table_name": "gold_x",
        "run": "jr_2",
        "location": "s3://a/gold/x/dt=2026-11-01/run=jr_2/",
    }


@given(reason=st.none() | texts, asked_by=st.none() | texts)
def test_what_is_written_is_read(reason: str | None, asked_by: str | None) -> None:
    written = replace(after(4), asked=Asked("scheduled__1", 2, asked_by, reason))
    assert parse(written.to_bytes(), written.key) == written


def broken(**changes: object) -> bytes:
    return b"".join(
        json.dumps(json.loads(line) | changes).encode() + b"\n"
        for line in after(0).to_bytes().splitlines()
    )


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{}\n",
        b"no JSON\n",
        broken(number=2),
        broken(dataset="orders"),
        broken(dt="2026-11-02"),
        broken(why="because"),
        broken(location=None),
        after(0).to_bytes() + replace(after(0), asked=Asked("another", 0, None, None)).to_bytes(),
        b" " * (1024 * 1024 + 1),
    ],
)
def test_what_is_no_publication_is_refused(body: bytes) -> None:
    with pytest.raises(MalformedInput):
        parse(body, after(0).key)


@pytest.mark.parametrize(
    "key",
    [
        "publications/customers/dt=2026-11-01/1.json",
        "publications/customers/dt=2026-11-01/000001.json/x",
        "publications/a/b/dt=2026-11-01/000001.json",
        "gold/customers/dt=2026-11-01/000001.json",
    ],
)
def test_another_key_is_none_of_a_publication(key: str) -> None:
    assert place_of(key) is None


def test_a_request_is_known_by_who_asked_for_what() -> None:
    made = after(0)
    assert made.answers(Why.ROLLBACK, ASKED, SHOWN)
    assert not made.answers(Why.BUILD, ASKED, SHOWN)
    assert not made.answers(Why.ROLLBACK, replace(ASKED, cleared=1), SHOWN)
    assert not made.answers(Why.ROLLBACK, ASKED, SHOWN[:1])
