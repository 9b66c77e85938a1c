"""The days of the datasets, by what the runs signed and by the publications."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from tests.support.audited import (
    DAY,
    GOLD_RUN,
    PROCESSED,
    RING,
    SIGNER,
    SILVER_RUN,
    A,
    Platform,
    honest_platform,
)
from tests.support.lives import PARSED, evidence_of, published
from tests.support.s3_answers import withheld

from custody.console import datasets as module
from custody.console import rendering
from custody.console.datasets import Datasets
from custody.console.evidence import CurrentEvidence, Evidence
from custody.console.reading import Console
from custody.core.lineage.account import ACCOUNT_NAME, DayAccount
from custody.core.lineage.model import Run

TODAY = datetime(2026, 11, 2, 12, tzinfo=UTC)


@pytest.fixture
def platform(tmp_path: Path) -> Iterator[Platform]:
    with honest_platform(tmp_path) as platform:
        yield platform


@pytest.fixture
def current(platform: Platform) -> Iterator[CurrentEvidence]:
    with evidence_of(platform) as current:
        current.clock = lambda: TODAY
        yield current


def test_a_day_has_its_runs_and_all_its_publications(
    platform: Platform, current: CurrentEvidence
) -> None:
    first = published(platform, 1)
    second = published(platform, 2, asked_by="ana", reason="wrong prices")
    day = Datasets(current).day("customers", date.fromisoformat(DAY))
    assert {run.run for run in day.runs} == {SILVER_RUN, GOLD_RUN}
    assert day.publications == (second, first)
    assert (day.state, day.unstated, day.unread) == ("rolled back", [], "")


def test_each_day_of_each_dataset_is_there(platform: Platform, current: CurrentEvidence) -> None:
    published(platform, 1)
    platform.s3.put_object(
        Bucket="custody-test-analytics",
        Key="publications/orders/dt=2026-10-01/000001.json",
        Body=b"{}",
    )
    days = Datasets(current).days(3)
    assert list(days) == ["2026-11-02", "2026-11-01", "2026-10-31"]
    states = {dt: {name: day.state for name, day in of.items()} for dt, of in days.items()}
    assert states[DAY] == {"customers": "published", "orders": "nothing"}
    assert states["2026-10-31"] == {"customers": "nothing", "orders": "nothing"}


def test_a_publication_of_what_nobody_stated_is_said(
    platform: Platform, current: CurrentEvidence
) -> None:
    published(platform, 1)
    (key,) = [key for key in platform.places if "lineage" in key][:1]
    platform.s3.delete_object(Bucket="custody-test-provenance", Key=key)
    day = Datasets(current).day("customers", date.fromisoformat(DAY))
    assert day.state == "shown, and not stated"


def test_a_statement_that_s3_does_not_hand_out_hides_no_other(
    platform: Platform, current: CurrentEvidence
) -> None:
    published(platform, 1)
    silver, _ = (key for key in platform.places if "lineage" in key)
    with withheld(platform.s3, silver):
        day = Datasets(current).day("customers", date.fromisoformat(DAY))
        days = Datasets(current).days(3)
    assert [run.run for run in day.runs] == [GOLD_RUN]
    assert day.unread == "1 statements of the day are not believed, or not whole"
    assert list(days) == ["2026-11-02", "2026-11-01", "2026-10-31"]


def test_a_statement_is_believed_as_soon_as_s3_hands_it_out_again(
    platform: Platform, current: CurrentEvidence
) -> None:
    evidence, day = current.now(), date.fromisoformat(DAY)
    silver, gold = (key for key in platform.places if "lineage" in key)
    with withheld(platform.s3, silver), withheld(platform.s3, gold):
        assert current.lineages.of(evidence, day).lineages == ()
    assert len(current.lineages.of(evidence, day).lineages) == 2


def test_what_is_believed_is_asked_anew_of_a_deployment_with_other_keys(
    platform: Platform, current: CurrentEvidence, monkeypatch: pytest.MonkeyPatch
) -> None:
    day, opened = date.fromisoformat(DAY), current.now()
    assert len(current.lineages.of(opened, day).lineages) == 2
    monkeypatch.setattr(current, "_opened", lambda: Console(platform.s3, PARSED, SIGNER.key))
    untrusting = replace(RING, lineage=replace(RING.lineage, public_keys={}))
    monkeypatch.setattr(Evidence, "keys", untrusting)
    other = current.now()
    assert current.lineages.of(other, day).lineages == ()


def test_no_more_datasets_are_asked_for_than_fit(
    current: CurrentEvidence, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MOST_DATASETS", 0)
    assert Datasets(current).days(2) == {"2026-11-02": {}, "2026-11-01": {}}


def test_who_reloads_costs_nothing(platform: Platform, current: CurrentEvidence) -> None:
    datasets = Datasets(current)
    first = datasets.days(2)
    published(platform, 1)
    assert datasets.days(2) is first


def account(platform: Platform, body: bytes = b"") -> str:
    """A run of silver that states what became of the rows; its key."""
    run = Run(DAY, "jr_z_counted")
    key = f"files/customers/dt={DAY}/run={run.id}/{ACCOUNT_NAME}"
    kept = platform.put(PROCESSED, key, body or ACCOUNT.to_bytes())
    platform.state(run, "silver", [platform.versions[A]], [kept])
    return key


ACCOUNT = DayAccount(2, 1, 10, 7, 1, 2, {"row.malformed": 2, "file.encoding": 1})


def test_what_became_of_the_rows_is_what_the_run_signed(
    platform: Platform, current: CurrentEvidence
) -> None:
    account(platform)
    day = Datasets(current).day("customers", date.fromisoformat(DAY))
    assert (day.account, day.unread) == (ACCOUNT, "")
    assert "10 landed in 2 files = 7 silver + 1 duplicates + 2" in rendering.dataset_page(day)


def test_the_rows_of_what_is_shown_are_told_of(
    platform: Platform, current: CurrentEvidence
) -> None:
    account(platform)
    published(platform, 1)
    assert Datasets(current).day("customers", date.fromisoformat(DAY)).account is None


def test_an_account_that_was_replaced_is_not_believed(
    platform: Platform, current: CurrentEvidence
) -> None:
    key = account(platform)
    other = replace(ACCOUNT, quarantined_rows=0, silver_rows=9).to_bytes()
    platform.s3.put_object(Bucket=PROCESSED, Key=key, Body=other)
    day = Datasets(current).day("customers", date.fromisoformat(DAY))
    assert day.account is None
    assert day.unread.endswith("_account.json is not what its run signed")


def test_an_account_that_s3_does_not_hand_out_is_said(
    platform: Platform, current: CurrentEvidence
) -> None:
    with withheld(platform.s3, account(platform)):
        day = Datasets(current).day("customers", date.fromisoformat(DAY))
    assert day.account is None
    assert day.unread.endswith("_account.json is not what its run signed")


def test_an_account_that_is_none_is_said(platform: Platform, current: CurrentEvidence) -> None:
    account(platform, b"{}")
    assert "is not what" in Datasets(current).day("customers", date.fromisoformat(DAY)).unread
