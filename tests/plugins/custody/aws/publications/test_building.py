"""What may be shown of a day is what its runs signed, as long as it lies there as they left it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from tests.support.moto_aws import signing_kms
from tests.support.publications import (
    ANALYTICS,
    BUILDERS,
    CONTRACT_VERSION,
    DAY,
    JOB,
    PROCESSED,
    PROVENANCE,
    TABLES,
    build,
    gold_lineage,
    silver_lineage,
)
from tests.support.s3_answers import withheld

from custody.aws.publications.building import built
from custody.core.lineage.model import Run, statement_key
from custody.core.publications.choosing import NotBuilt

pytestmark = pytest.mark.usefixtures("buckets")
SILVER_FILE = f"silver/customers/dt={DAY}/run=jr_1/part-0.parquet"


def shown(s3: Any, run: str = "jr_1", dataset: str = "customers") -> list[str]:
    found = built(s3, signing_kms(), BUILDERS, dataset, CONTRACT_VERSION, Run(DAY, run), TABLES)
    return [one.run for one in found]


@pytest.fixture
def two_runs(s3: Any, buckets: None) -> None:
    for run in ("1", "2"):
        build(s3, silver_lineage(f"jr_{run}"))
        build(s3, gold_lineage(f"g_{run}", f"jr_{run}"))
    # A run of gold that failed: it wrote, and stated nothing.
    key = f"gold/by_country/dt={DAY}/run=g_3/part-0.parquet"
    s3.put_object(Bucket=ANALYTICS, Key=key, Body=b"half")


@pytest.mark.usefixtures("two_runs")
def test_each_run_is_shown_with_the_gold_that_was_built_from_it(s3: Any) -> None:
    assert shown(s3, "jr_1") == ["jr_1", "jr_1", "g_1"]
    assert shown(s3, "jr_2") == ["jr_2", "jr_2", "g_2"]


@pytest.mark.usefixtures("two_runs")
def test_what_was_not_built_is_not_shown(s3: Any) -> None:
    with pytest.raises(NotBuilt, match=r"run jr_3 of 2026-11-01 has no statement"):
        shown(s3, "jr_3")
    with pytest.raises(NotBuilt, match="does not state to have built orders"):
        shown(s3, dataset="orders")
    with pytest.raises(NotBuilt, match="whose lineage is not trusted"):
        shown(s3, "g_1")


def test_silver_without_its_gold_is_not_shown(s3: Any) -> None:
    build(s3, silver_lineage("jr_1"))
    with pytest.raises(NotBuilt, match="no run of gold_by_country states"):
        shown(s3)
    build(s3, replace(gold_lineage("g_1", "jr_1"), builder_id=f"{JOB}silver"))
    with pytest.raises(NotBuilt, match="no run of gold_by_country states"):
        shown(s3)


@pytest.mark.usefixtures("two_runs")
def test_what_nobody_can_read_of_another_run_keeps_no_run_from_being_shown(s3: Any) -> None:
    """Whoever plants it, or encrypts what a run states anew, blocks that run alone."""
    other = statement_key(Run(DAY, "g_2"))
    with withheld(s3, other):
        assert shown(s3, "jr_1") == ["jr_1", "jr_1", "g_1"]
        with pytest.raises(NotBuilt, match="no run of gold_by_country states"):
            shown(s3, "jr_2")
    own = statement_key(Run(DAY, "jr_1"))
    with withheld(s3, own), pytest.raises(NotBuilt, match="AccessDenied"):
        shown(s3, "jr_1")


@pytest.mark.usefixtures("two_runs")
def test_what_was_changed_since_is_not_shown(s3: Any) -> None:
    s3.put_object(Bucket=PROCESSED, Key=SILVER_FILE, Body=b"other rows")
    with pytest.raises(NotBuilt, match="is not what lies there now, which is"):
        shown(s3)
    s3.delete_object(Bucket=PROCESSED, Key=SILVER_FILE)
    with pytest.raises(NotBuilt, match="which is nothing"):
        shown(s3)
    assert shown(s3, "jr_2") == ["jr_2", "jr_2", "g_2"]


@pytest.mark.usefixtures("two_runs")
def test_nothing_is_shown_beside_what_was_stated(s3: Any) -> None:
    planted = SILVER_FILE.replace("part-0", "part-1")
    s3.put_object(Bucket=PROCESSED, Key=planted, Body=b"rows")
    with pytest.raises(NotBuilt, match=r"no run states to have written s3://.*/part-1\.parquet"):
        shown(s3)


@pytest.mark.usefixtures("two_runs")
def test_a_statement_that_was_forged_shows_nothing(s3: Any) -> None:
    s3.put_object(Bucket=PROVENANCE, Key=statement_key(Run(DAY, "jr_1")), Body=b"{}")
    with pytest.raises(NotBuilt):
        shown(s3)
