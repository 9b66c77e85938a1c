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
from tests.support.lineages import LINEAGE

from custody.core.lineage.model import HashedObject, Run
from custody.core.publications.expiry import (
    OBJECTION,
    DayAtRest,
    Objection,
    Removable,
    RunAtRest,
    as_signed,
    by_location,
    expiry_of,
    is_of_a_run,
    lost_publications,
    may_expire,
    not_alone,
    objection,
    publications_at_rest,
    runs_at_rest,
)
from custody.core.publications.model import Publication
from custody.objects import ObjectVersion

SECOND = timedelta(seconds=1)


def as_it_is(publication: Publication) -> Publication:
    """All that it shows is signed."""
    return publication


def expires(run: RunAtRest, day: DayAtRest, at: datetime = EXPIRED) -> bool:
    return expiry_of(run, day, at, RETENTION, as_it_is) is not None


def test_a_run_that_another_one_replaced_expires_and_says_by_which() -> None:
    assert (
        expiry_of(lying("jr_1"), published("jr_1", "jr_2"), EXPIRED, RETENTION, as_it_is)
        == expiry()
    )
    assert expiry().key == f"provenance/expiry/dt={DT}/jr_1.json"


def test_one_that_was_never_published_expires_beside_one_that_is() -> None:
    assert expires(lying("jr_failed"), published("jr_1"))


def test_the_visible_run_stays_however_old() -> None:
    day = published("jr_1", "jr_2")
    assert not expires(lying("jr_2"), day, at=BUILT + 10_000 * DAY)
    rolled_back = published("jr_1", "jr_2", "jr_1")
    assert not expires(lying("jr_1"), rolled_back)
    assert expires(lying("jr_2"), rolled_back)


def test_what_was_shown_in_the_retention_stays() -> None:
    """So that who rolls back within it finds what was shown."""
    replaced = BUILT + 10 * DAY
    day = published("jr_1", "jr_2", at=(BUILT, replaced))
    assert not expires(lying("jr_1"), day, at=replaced + RETENTION - SECOND)
    assert expires(lying("jr_1"), day, at=replaced + RETENTION)


def test_what_was_written_in_the_retention_stays() -> None:
    day = published("jr_1")
    young = lying("jr_2", at=EXPIRED - RETENTION + SECOND)
    assert not expires(young, day)
    assert expires(replace(young, written_at=EXPIRED - RETENTION), day)


def test_a_day_that_was_never_published_keeps_all() -> None:
    """What readers are shown of it, the catalog alone knows."""
    assert not expires(lying("jr_1"), DayAtRest(()))


def test_a_table_that_the_publication_does_not_show_keeps_its_run() -> None:
    """One that the contract has no more: its partition may lead there still."""
    one = lying("jr_1")
    more = (*one.locations, f"s3://processed/silver/customers_items/dt={DT}/run=jr_1/")
    assert not expires(replace(one, locations=more), published("jr_1", "jr_2"))


def test_what_somebody_hid_counts_as_if_it_did_still() -> None:
    """Nobody has the visible run removed by removing its publication."""
    stored = [(publication(1, "jr_1"), BUILT, True), (publication(2, "jr_2"), BUILT + DAY, False)]
    day = DayAtRest(publications_at_rest(stored))
    assert not expires(lying("jr_2"), day)
    assert not expires(lying("jr_1"), day)
    overwritten = [(publication(1, "jr_0"), BUILT, False), (publication(1, "jr_1"), BUILT, True)]
    assert not expires(lying("jr_0"), DayAtRest(publications_at_rest(overwritten)))
    assert not expires(lying("jr_1"), DayAtRest(publications_at_rest(overwritten)))


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
    last = day.publications[-1]
    elsewhere = DayAtRest((replace(last, publication=replace(last.publication, shown=())),))
    assert "shows no other run" in str(objection(expiry(), elsewhere))


def test_what_was_removed_stays_explained_when_the_contract_has_a_table_less() -> None:
    day = published("jr_1", "jr_2", "jr_3", at=(BUILT, BUILT + DAY, EXPIRED + DAY))
    *others, last = day.publications
    less = replace(last, publication=replace(last.publication, shown=()))
    assert objection(expiry(), DayAtRest((*others, less))) is None


def invented(run: str, number: int = 1) -> Publication:
    """A publication of a dataset that there is not, of the tables of one that there is."""
    return replace(publication(number, run), dataset="invented")


def test_a_publication_of_any_dataset_keeps_the_run_that_it_shows() -> None:
    """So that nobody has the visible run removed by what he publishes elsewhere."""
    own = [(publication(1, "jr_1"), BUILT, True), (publication(2, "jr_2"), BUILT + DAY, True)]
    day = DayAtRest(publications_at_rest([*own, (invented("none"), BUILT, True)]))
    counting = {one.publication.key for one in day.publications if one.counts}
    assert counting == {publication(2, "jr_2").key, invented("none").key}
    assert not expires(lying("jr_2"), day)
    assert expires(lying("jr_1"), day)
    elsewhere = replace(expiry("jr_2"), dataset="invented", instead=invented("none").key)
    assert "customers/dt=2026-11-01/000002.json shows run jr_2" in str(objection(elsewhere, day))
    shown = DayAtRest(publications_at_rest([*own, (invented("jr_1"), BUILT, True)]))
    assert not expires(lying("jr_1"), shown)


def test_by_what_nobody_signed_nothing_expires() -> None:
    """Also on a day that was never published: whoever may publish may name any run."""
    day = DayAtRest(publications_at_rest([(invented("none"), BUILT, True)]))
    run = lying("jr_1")
    assert expiry_of(run, day, EXPIRED, RETENTION, lambda of: replace(of, shown=())) is None
    assert expiry_of(run, day, EXPIRED, RETENTION, as_it_is) is not None


def test_what_is_signed_is_of_the_dataset_and_lies_there() -> None:
    shown = publication(1, "jr_1")
    versions = [
        ObjectVersion("processed", f"{area}/customers/dt={DT}/run=jr_1/part-0.parquet", "v")
        for area in ("silver", "files")
    ]
    lineage = replace(
        LINEAGE,
        run=Run(DT, "jr_1"),
        parameters={"dataset": "customers"},
        outputs=tuple(HashedObject(version, "ab" * 32) for version in versions),
    )
    stated, lie = {lineage.run: lineage}, by_location(versions)
    assert as_signed(shown, stated.get, lie) == shown
    (rows,) = as_signed(shown, stated.get, by_location(versions[:1])).shown
    assert rows.table_name == "silver_customers"
    replaced = [replace(version, version_id="w") for version in versions]
    assert as_signed(shown, stated.get, by_location(replaced)).shown == ()
    assert as_signed(shown, {}.get, lie).shown == ()
    assert as_signed(invented("jr_1"), stated.get, lie).shown == ()
    nothing = {lineage.run: replace(lineage, outputs=())}
    assert as_signed(shown, nothing.get, lie).shown == ()


def test_where_a_publication_is_lost_nothing_expires() -> None:
    lost = Objection("publications/customers/3 was removed", BUILT)
    day = replace(published("jr_1", "jr_2"), objections=(lost,))
    assert not expires(lying("jr_1"), day)
    assert objection(expiry(), day) == replace(lost, since=EXPIRED)


def test_what_objects_for_longest_counts() -> None:
    """So that it is known until when what was removed is explained."""
    lost = Objection("lost", EXPIRED + 3 * DAY)
    again = published("jr_1", "jr_2", "jr_1", at=(BUILT, BUILT + DAY, EXPIRED + 2 * DAY))
    shown = objection(expiry(), replace(again, objections=(lost,)))
    assert shown is not None
    assert "000003.json shows run jr_1" in shown.why
    assert shown.since == EXPIRED + 2 * DAY
    assert objection(expiry(), replace(published("jr_1", "jr_2"), objections=(lost,))) == lost


@pytest.mark.parametrize(
    ("numbers", "markers", "lost"),
    [
        ((), (), None),
        ((1, 2), (), None),
        ((1, 2), (2,), None),
        ((1,), (2,), 2),
        ((1, 3), (), 2),
        ((2,), (), 1),
        ((999_999,), (), 1),
        ((), (1,), 1),
    ],
)
def test_publications_are_numbered_without_a_gap(
    numbers: tuple[int, ...], markers: tuple[int, ...], lost: int | None
) -> None:
    keys = [(publication(n, "x").key, False, BUILT + n * SECOND) for n in numbers]
    keys += [(publication(n, "x").key, True, BUILT + DAY + n * SECOND) for n in markers]
    keys += [(invented("x").key, False, BUILT), ("publications/customers/x", True, BUILT)]
    found = lost_publications(keys)
    if lost is None:
        assert found == ()
        return
    assert [each.why.split()[0] for each in found] == [publication(lost, "x").key]
    after = [BUILT + n * SECOND for n in numbers if n >= lost]
    after += [BUILT + DAY + n * SECOND for n in markers if n >= lost]
    assert found[0].since == min(after), "since what comes after it lies there"


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"retention": 6 * DAY}, "no run expires within 7 days"),
        ({"retention": 36_501 * DAY}, "no run is kept for more than 36500 days"),
        ({"dataset": "orders"}, "is no publication of orders"),
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
    objected = replace(removable, until=since + DAY)
    assert objected.explains("processed", key, since + DAY - SECOND)
    assert not objected.explains("processed", key, since + DAY)
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


def test_where_a_publication_on_record_is_missing_nobody_asks() -> None:
    names = [f"silver/customers/dt={DT}/run={run}/part-0.parquet" for run in ("jr_1", "jr_2")]
    held = [(ObjectVersion("processed", name, "v"), BUILT) for name in names]
    gone = ObjectVersion("analytics", publication(3, "x").key, "v")
    other = replace(gone, key=gone.key.replace(DT, "2026-11-02"))
    assert [run.run.id for run in may_expire(held, BUILT, (), [other])] == ["jr_1", "jr_2"]
    assert may_expire(held, BUILT - SECOND, (), ()) == []
    assert may_expire(held[:1], BUILT, (), ()) == []
    assert [run.run.id for run in may_expire(held, BUILT, {expiry().key}, ())] == ["jr_2"]
    assert may_expire(held, BUILT, (), [gone]) == []


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
