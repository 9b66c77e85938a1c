"""A run expires when no publication has shown it for the retention, and never the visible one."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from tests.support.expiring import (
    BUILT,
    DAY,
    DT,
    EXPIRED,
    PLACES,
    RETENTION,
    expiry,
    lying,
    publication,
    published,
)

from custody.core.lineage.model import Run
from custody.core.publications.expiry import (
    OBJECTION,
    PublicationAtRest,
    Removable,
    RunAtRest,
    expiry_of,
    is_of_a_run,
    not_alone,
    objection,
    publications_at_rest,
    runs_at_rest,
)
from custody.objects import ObjectVersion

SECOND = timedelta(seconds=1)


def expires(run: RunAtRest, *day: PublicationAtRest, at: datetime = EXPIRED) -> bool:
    return expiry_of(run, day, at, RETENTION) is not None


def test_a_run_that_another_one_replaced_expires_and_says_by_which() -> None:
    assert expiry_of(lying("jr_1"), published("jr_1", "jr_2"), EXPIRED, RETENTION) == expiry()
    assert expiry().key == f"provenance/expiry/dt={DT}/jr_1.json"
    assert expiry().dataset == "customers"


def test_one_that_was_never_published_expires_beside_one_that_is() -> None:
    assert expires(lying("jr_failed"), *published("jr_1"))


def test_the_visible_run_stays_however_old() -> None:
    day = published("jr_1", "jr_2")
    assert not expires(lying("jr_2"), *day, at=BUILT + 10_000 * DAY)
    rolled_back = published("jr_1", "jr_2", "jr_1")
    assert not expires(lying("jr_1"), *rolled_back)
    assert expires(lying("jr_2"), *rolled_back)


def test_what_was_shown_in_the_retention_stays() -> None:
    """So that who rolls back within it finds what was shown."""
    replaced = BUILT + 10 * DAY
    day = published("jr_1", "jr_2", at=(BUILT, replaced))
    assert not expires(lying("jr_1"), *day, at=replaced + RETENTION - SECOND)
    assert expires(lying("jr_1"), *day, at=replaced + RETENTION)


def test_what_was_written_in_the_retention_stays() -> None:
    day = published("jr_1")
    young = lying("jr_2", at=EXPIRED - RETENTION + SECOND)
    assert not expires(young, *day)
    assert expires(replace(young, written_at=EXPIRED - RETENTION), *day)


def test_a_day_that_was_never_published_keeps_all() -> None:
    """What readers are shown of it, the catalog alone knows."""
    assert not expires(lying("jr_1"))


def test_a_table_that_the_publication_does_not_show_keeps_its_run() -> None:
    """One that the contract has no more: its partition may lead there still."""
    one = lying("jr_1")
    more = (*one.locations, f"s3://processed/silver/customers_items/dt={DT}/run=jr_1/")
    assert not expires(replace(one, locations=more), *published("jr_1", "jr_2"))


def test_what_somebody_hid_counts_as_if_it_did_still() -> None:
    """Nobody has the visible run removed by removing its publication."""
    stored = [(publication(1, "jr_1"), BUILT, True), (publication(2, "jr_2"), BUILT + DAY, False)]
    day = publications_at_rest(stored)
    assert not expires(lying("jr_2"), *day)
    assert not expires(lying("jr_1"), *day)
    overwritten = [(publication(1, "jr_0"), BUILT, False), (publication(1, "jr_1"), BUILT, True)]
    assert not expires(lying("jr_0"), *publications_at_rest(overwritten))
    assert not expires(lying("jr_1"), *publications_at_rest(overwritten))


def test_who_signed_it_or_not_no_published_run_is_removed() -> None:
    day = published("jr_1", "jr_2")
    assert objection(expiry(), day) is None
    text = "000002.json shows run jr_2"
    assert text in str(objection(expiry("jr_2", instead=1), day))
    again = published("jr_1", "jr_2", "jr_1", at=(BUILT, BUILT + DAY, EXPIRED + DAY))
    assert "000003.json shows run jr_1" in str(objection(expiry(), again))


def test_what_is_said_to_be_shown_instead_must_be() -> None:
    day = published("jr_1", "jr_2")
    for wrong in (expiry("jr_9", instead=3), expiry("jr_9", at=BUILT)):
        assert "shows no other run in the place of run jr_9" in str(objection(wrong, day))
    elsewhere = [replace(day[-1], publication=replace(day[-1].publication, shown=()))]
    assert "shows no other run" in str(objection(expiry(), elsewhere))


def test_what_was_removed_stays_explained_when_the_contract_has_a_table_less() -> None:
    day = published("jr_1", "jr_2", "jr_3", at=(BUILT, BUILT + DAY, EXPIRED + DAY))
    less = replace(day[-1], publication=replace(day[-1].publication, shown=()))
    assert objection(expiry(), [*day[:-1], less]) is None


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"retention": 6 * DAY}, "no run expires within 7 days"),
        ({"locations": ()}, "not the locations of run jr_1"),
        ({"locations": ("s3://processed/silver/customers/",)}, "not the locations"),
        ({"locations": (f"s3://processed/silver/customers/dt={DT}/",)}, "not the locations"),
        ({"locations": (f"s3://processed/silver/x/dt={DT}/run=jr_2/",)}, "not the locations"),
        ({"locations": (f"s3://processed/silver/x/dt={DT}/run=jr_1/a/",)}, "not the locations"),
        ({"run": Run("2026-11-02", "jr_1")}, "not the locations"),
        ({"instead": "publications/customers/dt=2026-11-02/000002.json"}, "is no publication of"),
        ({"instead": "pages/x.json"}, "is no publication of"),
    ],
)
def test_what_cannot_be_meant_is_no_expiry(changes: dict[str, object], why: str) -> None:
    with pytest.raises(ValueError, match=why):
        replace(expiry(), **changes)


def test_it_explains_what_is_hidden_of_the_run_once_people_could_object() -> None:
    since = EXPIRED + OBJECTION
    removable = Removable(expiry(), since)
    key = f"silver/customers/dt={DT}/run=jr_1/part-0.parquet"
    assert removable.explains("processed", key, since)
    assert not removable.explains("processed", key, since - SECOND)
    for bucket, other in (
        ("analytics", key),
        ("processed", key.replace("jr_1", "jr_10")),
        ("processed", key.replace("silver/customers", "quarantine/customers")),
    ):
        assert not removable.explains(bucket, other, since)


def test_a_run_is_what_lies_of_it() -> None:
    names = ["silver/customers", "files/customers"]
    held = [
        (ObjectVersion("processed", f"{name}/dt={DT}/run={run}/part-{part}.parquet", "v"), at)
        for name in names
        for run, part, at in (("jr_1", 0, BUILT), ("jr_1", 1, BUILT + DAY), ("jr_2", 0, BUILT))
    ]
    one, other = runs_at_rest([*held, (ObjectVersion("processed", "x", "v"), BUILT)])
    assert (one.run, one.locations) == (Run(DT, "jr_1"), lying("jr_1").locations)
    assert (one.written_at, other.written_at) == (BUILT + DAY, BUILT)
    assert one.listing != other.listing
    assert runs_at_rest(reversed(held))[1] == one
    assert set(PLACES.values()) == {each.removesuffix("run=jr_1/") for each in one.locations}


def test_what_lies_alone_is_not_looked_at() -> None:
    assert not_alone([lying("jr_1")]) == []
    assert not_alone([lying("jr_1"), lying("jr_2")]) == [lying("jr_1"), lying("jr_2")]


@pytest.mark.parametrize(
    ("layer", "key", "can"),
    [
        ("silver", f"silver/customers/dt={DT}/run=jr_1/part-0.parquet", True),
        ("silver", f"quarantine/customers/dt={DT}/run=jr_1/part-0.parquet", True),
        ("gold", f"gold/by_country/dt={DT}/run=jr_1/part-0.parquet", True),
        ("gold", f"quality/results/dt={DT}/run=jr_1/t.json", False),
        ("gold", f"silver/customers/dt={DT}/run=jr_1/part-0.parquet", False),
        ("bronze", f"silver/customers/dt={DT}/run=jr_1/part-0.parquet", False),
        ("silver", "silver/customers/part-0.parquet", False),
        ("gold", f"publications/customers/dt={DT}/000001.json", False),
    ],
)
def test_only_what_runs_built_can_expire(layer: str, key: str, can: bool) -> None:
    assert is_of_a_run(layer, key) is can
