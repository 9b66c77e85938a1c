"""A value is filled in as a value: never as a part of the statement or command around it."""

from __future__ import annotations

import shlex

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.findings import finding

from custody.core.console.runbook import filled, values_of
from custody.core.formats.plain_text import is_plain

QUERY = "SELECT * FROM provenance_ledger\nWHERE bucket = '<bucket>' AND object_key LIKE '%<key>%'\n"
COMMAND = "$ aws s3api get-object --bucket <bucket> --key <key> bytes > /dev/null\n"


def test_the_values_of_a_finding_are_filled_in() -> None:
    values = values_of(finding("REMOVED", object_key="a/b.csv"), {"project": "p", "stage": "dev"})
    assert "bucket = 'raw' AND object_key LIKE '%a/b.csv%'" in filled(QUERY, "sql", values)
    assert "--bucket raw --key a/b.csv bytes" in filled(COMMAND, "console", values)
    assert filled("<project>-<stage>-recorder", "console", values) == "p-dev-recorder"


def test_a_log_file_may_be_delivered_the_day_after() -> None:
    values = values_of(finding("REMOVED"), {})
    between = "BETWEEN '<yyyy/MM/dd>' AND '<yyyy/MM/dd>'"
    assert filled(between, "sql", values) == "BETWEEN '2026/11/01' AND '2026/11/02'"


def test_what_is_older_is_looked_for_a_month_back() -> None:
    values = values_of(finding("UNBUILT"), {})
    asked = "dt BETWEEN '<a month before>' AND '<last day>'"
    assert filled(asked, "sql", values) == "dt BETWEEN '2026-10-01' AND '2026-11-02'"
    delivered = "BETWEEN '<yyyy/MM/dd of a month before>' AND '<yyyy/MM/dd>'"
    assert filled(delivered, "sql", values) == "BETWEEN '2026/10/01' AND '2026/11/02'"


def test_a_name_without_a_value_stays() -> None:
    values = values_of(finding("REMOVED", principal_arn=None), {})
    assert filled("x = '<principal>' AND '<aspect>'", "sql", values) == (
        "x = '<principal>' AND '<aspect>'"
    )


def test_a_quote_does_not_end_the_text_of_a_query() -> None:
    values = {"key": "a' OR '1'='1", "bucket": "b"}
    assert "LIKE '%a'' OR ''1''=''1%'" in filled(QUERY, "sql", values)


def test_outside_of_text_a_query_is_given_nothing() -> None:
    assert filled("SELECT <key> FROM t", "sql", {"key": "x"}) == "SELECT <key> FROM t"


@given(st.text(min_size=1).filter(is_plain))
def test_whatever_a_key_is_it_stays_one_text(key: str) -> None:
    said = filled("k = '<key>'", "sql", {"key": key})
    assert said.removeprefix("k = '").removesuffix("'").replace("''", "").count("'") == 0


@given(st.text(min_size=1).filter(is_plain))
def test_whatever_a_key_is_it_stays_one_word(key: str) -> None:
    said = filled("cat <key> end", "console", {"key": key})
    assert said == "cat <key> end" or shlex.split(said) == ["cat", key, "end"]


@pytest.mark.parametrize("key", ["-rf", "--output", "a\nb", "a\u202eb", "a\x1b[2J", "a\u3164"])
def test_what_would_be_an_option_or_cannot_be_seen_is_not_filled_in(key: str) -> None:
    assert filled("rm <key>", "console", {"key": key}) == "rm <key>"


@pytest.mark.parametrize("around", ["'{}'", '"{}"', "s3://{}/x", "a{}"])
def test_beside_other_characters_only_what_is_harmless_is_filled_in(around: str) -> None:
    code = around.format("<key>")
    assert filled(code, "console", {"key": "a; rm -rf ~"}) == code
    assert filled(code, "console", {"key": "a-b"}) == around.format("a-b")


def test_values_are_not_looked_into_for_names() -> None:
    assert filled("k = '<key>'", "sql", {"key": "<bucket>", "bucket": "b"}) == "k = '<bucket>'"
