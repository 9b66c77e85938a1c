"""What expired is stated, waits, and is hidden: never the visible run, whoever says so."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from moto.core.utils import utcnow
from moto.s3 import models
from tests.support.expiring import BUILT, DAY, EXPIRED, RETENTION
from tests.support.moto_aws import KEY_ARN, PRIVATE_KEY, signing_kms
from tests.support.publications import (
    ANALYTICS,
    BUILDERS,
    CONTRACT_VERSION,
    PROCESSED,
    PROVENANCE,
    TABLES,
    build,
    gold_lineage,
    silver_lineage,
)
from tests.support.publications import DAY as DT
from tests.support.transparency import KEY, OTHER_SIGNER, SIGNER

from custody.aws.publications.building import built
from custody.aws.publications.expiring import (
    Held,
    days_at_rest,
    held_against,
    is_stated,
    removable,
    remove_expired,
    signed_alone,
    state_expired,
    statements_of,
)
from custody.aws.publications.keeping import publish
from custody.aws.s3.listing import list_keys, list_versions
from custody.core.lineage.model import Run
from custody.core.lineage.trust import Trust
from custody.core.publications.choosing import NotBuilt
from custody.core.publications.expiry import (
    EXPIRY_PREFIX,
    FRESH,
    OBJECTION,
    Expiry,
    expiry_key,
    may_expire,
    runs_at_rest,
)
from custody.core.publications.expiry_statement import sign_expiry
from custody.core.publications.model import Asked, Publication, Shown, Why
from custody.core.tlog.signed_note import NoteSigner
from custody.objects import ObjectVersion

JOBS = frozenset({BUILDERS.silver_job, BUILDERS.gold_job})
HOUR = timedelta(hours=1)
GONE = EXPIRED + OBJECTION
"""When what is stated is removed."""


@dataclass
class Clock:
    """What S3 takes for the present."""

    now: datetime = BUILT


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(models, "utcnow", lambda: clock.now.replace(tzinfo=utcnow().tzinfo))
    return clock


def show(s3: Any, run: str) -> None:
    """Publish a run of silver, as the task does."""
    shown = built(s3, signing_kms(), BUILDERS, "customers", CONTRACT_VERSION, Run(DT, run), TABLES)
    asked = Asked(f"airflow-{run}", 0, None, None)
    publish(s3, ANALYTICS, "customers", DT, why=Why.BUILD, asked=asked, shown=shown)


@pytest.fixture
def rebuilt(s3: Any, buckets: None, clock: Clock) -> Clock:
    """A day that was built, and built again the day after."""
    for number in ("1", "2"):
        build(s3, silver_lineage(f"jr_{number}"))
        build(s3, gold_lineage(f"g_{number}", f"jr_{number}"))
        show(s3, f"jr_{number}")
        clock.now += DAY
    clock.now = EXPIRED
    return clock


def lying(s3: Any) -> Iterator[Any]:
    for bucket in (PROCESSED, ANALYTICS):
        for stored in list_versions(s3, bucket):
            if stored.is_latest and not stored.is_delete_marker:
                yield stored.version, stored.last_modified


def state(
    s3: Any,
    at: datetime,
    missing: Iterable[ObjectVersion] = (),
    sign: Callable[[Expiry], bytes] = lambda one: sign_expiry(one, SIGNER, "k").to_json_line(),
) -> set[str]:
    """What the audit states."""
    versions = dict(lying(s3))
    known = set(list_keys(s3, PROVENANCE, EXPIRY_PREFIX))
    trust = Trust({KEY_ARN: PRIVATE_KEY.public_key()}, JOBS)
    stated = state_expired(
        s3,
        may_expire(versions.items(), at - RETENTION, known, missing),
        signed_alone(s3, PROVENANCE, trust, versions.keys()),
        analytics=ANALYTICS,
        provenance=PROVENANCE,
        sign=sign,
        retention=RETENTION,
        now=lambda: at,
    )
    return {expiry.run.id for expiry in stated}


def remove(s3: Any, at: datetime) -> tuple[dict[str, int], list[str]]:
    hidden, left = remove_expired(
        s3, analytics=ANALYTICS, provenance=PROVENANCE, key=KEY, retention=RETENTION, now=at
    )
    return {run.id: objects for run, objects in hidden.items()}, left


def judged(s3: Any, run: str, at: datetime = EXPIRED) -> list[Held]:
    """What is stated of a run, as whoever judges as of then has it."""
    stored = statements_of(s3, PROVENANCE, [Run(DT, run)])
    return held_against(s3, stored, ANALYTICS, KEY, retention=RETENTION, since=at - FRESH)


def runs_left(s3: Any) -> set[str]:
    return {run.run.id for run in runs_at_rest(lying(s3))}


def test_what_nobody_is_shown_is_stated_and_hidden_half_a_day_later(
    s3: Any, rebuilt: Clock
) -> None:
    assert state(s3, EXPIRED) == {"jr_1", "g_1"}
    assert remove(s3, GONE - HOUR) == ({}, [])
    assert runs_left(s3) == {"jr_1", "g_1", "jr_2", "g_2"}
    assert remove(s3, GONE) == ({"jr_1": 2, "g_1": 1}, [])
    assert runs_left(s3) == {"jr_2", "g_2"}
    versions = [v for v in list_versions(s3, PROCESSED) if not v.is_delete_marker]
    assert len(versions) == 4, "no version is deleted"
    show(s3, "jr_2")


def test_who_runs_twice_does_nothing_twice(s3: Any, rebuilt: Clock) -> None:
    assert len(state(s3, EXPIRED)) == 2
    assert state(s3, EXPIRED) == set()
    assert len(remove(s3, GONE)[0]) == 2
    assert remove(s3, GONE) == ({}, [])


def test_one_that_was_killed_goes_on(s3: Any, rebuilt: Clock) -> None:
    state(s3, EXPIRED)
    key = next(list_keys(s3, PROCESSED, f"files/customers/dt={DT}/run=jr_1/"))
    s3.delete_object(Bucket=PROCESSED, Key=key)
    assert remove(s3, GONE) == ({"jr_1": 1, "g_1": 1}, [])


def test_within_the_retention_nothing_expires(s3: Any, rebuilt: Clock) -> None:
    assert state(s3, BUILT + RETENTION) == set()


def test_what_is_stated_is_not_published_again(s3: Any, rebuilt: Clock) -> None:
    state(s3, EXPIRED)
    with pytest.raises(NotBuilt, match=r"run jr_1 of 2026-11-01 expires"):
        show(s3, "jr_1")
    remove(s3, GONE)
    with pytest.raises(NotBuilt, match=r"run jr_1 of 2026-11-01 expires"):
        show(s3, "jr_1")
    assert is_stated(s3, PROVENANCE, Run(DT, "jr_1"))
    assert not is_stated(s3, PROVENANCE, Run(DT, "jr"))


def test_gold_that_expires_keeps_no_run_from_being_shown(
    s3: Any, rebuilt: Clock, clock: Clock
) -> None:
    """It was built once more, later, and never published."""
    clock.now = BUILT + 2 * DAY
    gold = gold_lineage("g_3", "jr_2")
    build(s3, replace(gold, finished_on=gold.finished_on + HOUR))
    clock.now = EXPIRED
    assert state(s3, EXPIRED) == {"jr_1", "g_1", "g_3"}
    show(s3, "jr_2")


def test_who_publishes_it_in_between_keeps_it(s3: Any, rebuilt: Clock) -> None:
    """He looked before it was stated, and published after: the run is shown, and stays."""
    shown = built(
        s3, signing_kms(), BUILDERS, "customers", CONTRACT_VERSION, Run(DT, "jr_1"), TABLES
    )
    state(s3, EXPIRED)
    rebuilt.now = EXPIRED + HOUR
    asked = Asked("airflow-3", 0, None, None)
    publish(s3, ANALYTICS, "customers", DT, why=Why.ROLLBACK, asked=asked, shown=shown)
    hidden, left = remove(s3, GONE)
    assert hidden == {}
    assert len(left) == 2
    assert all("000003.json shows run" in why for why in left)


def forged(
    s3: Any,
    run: str,
    *,
    signer: NoteSigner = SIGNER,
    at: datetime = EXPIRED,
    retention: timedelta = RETENTION,
) -> None:
    """Somebody says of a run that it expires, whether it does or not."""
    (one,) = (found for found in runs_at_rest(lying(s3)) if found.run.id == run)
    last = days_at_rest(s3, ANALYTICS, [DT])[DT].publications[-1]
    expiry = Expiry(
        one.run, "customers", one.locations, one.listing, last.publication.key, at, retention
    )
    body = sign_expiry(expiry, signer, "k").to_json_line()
    s3.put_object(Bucket=PROVENANCE, Key=expiry.key, Body=body)


@pytest.mark.parametrize(
    ("run", "signer", "at", "why"),
    [
        ("jr_2", SIGNER, EXPIRED, "000002.json shows run jr_2"),
        ("jr_1", OTHER_SIGNER, EXPIRED, "not signed by the key that seals"),
        ("jr_1", SIGNER, EXPIRED - DAY, "not of when it was stored"),
    ],
)
def test_what_was_forged_removes_nothing(
    s3: Any, rebuilt: Clock, run: str, signer: NoteSigner, at: datetime, why: str
) -> None:
    forged(s3, run, signer=signer, at=at)
    hidden, left = remove(s3, GONE)
    assert hidden == {}
    assert why in left[0]
    held = judged(s3, run)
    assert len(held) == 1
    assert removable(held) == {}
    assert len(runs_left(s3)) == 4


def test_a_run_is_kept_for_as_long_as_is_deployed_whoever_signed_for_less(
    s3: Any, rebuilt: Clock
) -> None:
    forged(s3, "jr_1", retention=RETENTION - DAY)
    hidden, (why,) = remove(s3, GONE)
    assert hidden == {}
    assert why.endswith("it keeps run jr_1 for 89 days, not 90")
    ((_, told),) = judged(s3, "jr_1", EXPIRED + DAY)
    assert str(told) == "it keeps run jr_1 for 89 days, not 90"
    ((_, was_so),) = judged(s3, "jr_1", EXPIRED + DAY + HOUR)
    assert was_so is None, "what was removed by less, before more was deployed, stays explained"


def test_what_is_young_stays_whoever_signed_that_it_expires(s3: Any, rebuilt: Clock) -> None:
    """A run that nobody has published yet is not made to go by who can sign."""
    build(s3, silver_lineage("jr_3"))
    forged(s3, "jr_3")
    hidden, left = remove(s3, GONE)
    assert hidden == {}
    assert left == [
        f"{expiry_key(Run(DT, 'jr_3'))}: something of the run was written in the retention"
    ]


def invent(s3: Any, dataset: str = "invented", number: int = 1) -> None:
    """Publish the tables of a dataset under another name, at a run that there is not."""
    shown = tuple(Shown(table.table, "none", table.of("none")) for table in TABLES)
    made = Publication(dataset, DT, number, "t", Why.BUILD, Asked("a", 0, None, None), shown)
    s3.put_object(Bucket=ANALYTICS, Key=made.key, Body=made.to_bytes())


def test_an_invented_dataset_has_no_visible_run_removed(s3: Any, rebuilt: Clock) -> None:
    invent(s3)
    assert state(s3, EXPIRED) == {"jr_1", "g_1"}
    remove(s3, GONE)
    assert runs_left(s3) == {"jr_2", "g_2"}


def test_a_day_that_was_never_published_keeps_all(s3: Any, buckets: None, clock: Clock) -> None:
    for number in ("1", "2"):
        build(s3, silver_lineage(f"jr_{number}"))
    clock.now = EXPIRED
    for dataset in ("invented", "customers"):
        invent(s3, dataset)
        assert state(s3, EXPIRED) == set()


@pytest.mark.parametrize(
    ("name", "run"), [("x_{}", "{}"), ("{}", "x{}")], ids=["of no table", "of no run"]
)
def test_what_no_partition_follows_replaces_nothing(
    s3: Any, rebuilt: Clock, name: str, run: str
) -> None:
    """It shows runs that were built, and by names that move no partition: the last good one is
    visible still."""
    rebuilt.now = BUILT + 2 * DAY
    shown = [
        (table, "g_1" if table.gold else "jr_1", table.of("g_1" if table.gold else "jr_1"))
        for table in TABLES
    ]
    tables = tuple(Shown(name.format(t.table), run.format(of), at) for t, of, at in shown)
    made = Publication("customers", DT, 3, "t", Why.BUILD, Asked("a", 0, None, None), tables)
    s3.put_object(Bucket=ANALYTICS, Key=made.key, Body=made.to_bytes())
    assert state(s3, EXPIRED) == set()


def test_what_nobody_built_replaces_nothing(s3: Any, rebuilt: Clock) -> None:
    """Whoever publishes may show a day at a run that there is not: the last good one stays."""
    invent(s3, "customers", 3)
    assert state(s3, EXPIRED + RETENTION + DAY) == set()


def test_who_signs_for_an_invented_dataset_has_no_visible_run_removed(
    s3: Any, rebuilt: Clock
) -> None:
    invent(s3)
    (one,) = (found for found in runs_at_rest(lying(s3)) if found.run.id == "jr_2")
    instead = f"publications/invented/dt={DT}/000001.json"
    at = rebuilt.now
    expiry = Expiry(one.run, "invented", one.locations, one.listing, instead, at, RETENTION)
    body = sign_expiry(expiry, SIGNER, "k").to_json_line()
    s3.put_object(Bucket=PROVENANCE, Key=expiry.key, Body=body)
    hidden, (why,) = remove(s3, GONE)
    assert hidden == {}
    assert "customers/dt=2026-11-01/000002.json shows run jr_2" in why


def publication_version(s3: Any, number: int) -> ObjectVersion:
    key = f"publications/customers/dt={DT}/{number:06}.json"
    (stored,) = (one for one in list_versions(s3, ANALYTICS, key) if not one.is_delete_marker)
    return stored.version


def delete(s3: Any, version: ObjectVersion) -> None:
    s3.delete_object(Bucket=version.bucket, Key=version.key, VersionId=version.version_id)


def test_who_hides_the_publication_has_nothing_removed(s3: Any, rebuilt: Clock) -> None:
    last = publication_version(s3, 2)
    s3.delete_object(Bucket=ANALYTICS, Key=last.key)
    assert state(s3, EXPIRED) == set()
    delete(s3, last)
    assert state(s3, EXPIRED) == set(), "nor when nothing but the marker is left"


def test_who_deletes_the_last_publication_has_nothing_removed(s3: Any, rebuilt: Clock) -> None:
    """It is on record: nothing but that tells of it."""
    last = publication_version(s3, 2)
    delete(s3, last)
    assert state(s3, EXPIRED, missing=[last]) == set()
    elsewhere = ObjectVersion(ANALYTICS, last.key.replace(DT, "2026-11-02"), "v")
    assert state(s3, EXPIRED, missing=[elsewhere]) == {"jr_2", "g_2"}


def test_who_deletes_an_earlier_publication_has_nothing_removed(s3: Any, rebuilt: Clock) -> None:
    delete(s3, publication_version(s3, 1))
    assert state(s3, EXPIRED) == set()


def test_nor_has_who_deletes_it_once_it_was_stated(s3: Any, rebuilt: Clock) -> None:
    state(s3, EXPIRED)
    delete(s3, publication_version(s3, 2))
    hidden, left = remove(s3, GONE)
    assert hidden == {}
    assert "000001.json shows run g_1" in left[0]


def test_rubbish_among_the_publications_counts_for_nothing(s3: Any, rebuilt: Clock) -> None:
    key = f"publications/customers/dt={DT}/000003.json"
    s3.put_object(Bucket=ANALYTICS, Key=key, Body=b"rubbish")
    day = days_at_rest(s3, ANALYTICS, [DT])[DT]
    assert [one.publication.number for one in day.publications] == [1, 2]
    assert day.objections == ()


@pytest.mark.parametrize("number", [2, 1], ids=["a gap", "the run that expired"])
def test_who_publishes_later_leaves_explained_what_was_removed_before(
    s3: Any, rebuilt: Clock, number: int
) -> None:
    """Whoever may publish makes no honest removal a finding: not of all days that ever expired."""
    state(s3, EXPIRED)
    remove(s3, GONE)
    rebuilt.now = GONE + HOUR
    tables = tuple(Shown(table.table, "jr_1", table.of("jr_1")) for table in TABLES)
    made = Publication("other", DT, number, "t", Why.BUILD, Asked("a", 0, None, None), tables)
    s3.put_object(Bucket=ANALYTICS, Key=made.key, Body=made.to_bytes())
    ((_, objected),) = held = judged(s3, "jr_1")
    assert objected is not None
    one, key = removable(held)[Run(DT, "jr_1")], f"silver/customers/dt={DT}/run=jr_1/part-0.parquet"
    assert one.explains(PROCESSED, key, GONE)
    assert not one.explains(PROCESSED, key, GONE + HOUR)
    (marker,) = (each for each in list_versions(s3, PROCESSED, key) if each.is_delete_marker)
    delete(s3, marker.version)
    assert remove(s3, GONE + 2 * HOUR)[0] == {}, "and nothing more is removed"


def test_publications_are_listed_once_however_many_datasets_are_invented(
    s3: Any, rebuilt: Clock
) -> None:
    for number in range(30):
        invent(s3, f"invented_{number}")
    s3.put_object(Bucket=ANALYTICS, Key=f"publications/{'x' * 1000}/y", Body=b"")
    asked: list[str] = []

    def note(model: Any, params: Any, **_: Any) -> None:
        asked.append(f"{model.name} {params['url']}")

    s3.meta.events.register("before-call.s3", note)
    assert state(s3, EXPIRED) == {"jr_1", "g_1"}
    remove(s3, GONE)
    judged(s3, "jr_1")
    lists = [call for call in asked if call.startswith("ListObjectVersions")]
    of_publications = [call for call in lists if "publications" in call]
    assert len(of_publications) == 3, "one each for who states, who removes and who judges"
    lineage = [call for call in asked if call.startswith("GetObject") and "lineage" in call]
    assert len(lineage) == 2, "that of the runs that are shown, none of what lies nowhere"


def test_a_run_that_no_statement_has_room_for_stays(s3: Any, rebuilt: Clock) -> None:
    """KMS signs 4,096 bytes: the audit goes on with the others."""

    def sign(expiry: Expiry) -> bytes:
        if len(expiry.locations) > 1:
            raise ValueError("5000 bytes to sign; KMS takes 4096")
        return sign_expiry(expiry, SIGNER, "k").to_json_line()

    assert state(s3, EXPIRED, sign=sign) == {"g_1"}


def test_what_was_stated_long_ago_is_done(s3: Any, rebuilt: Clock) -> None:
    state(s3, EXPIRED)
    assert remove(s3, EXPIRED + 32 * DAY) == ({}, [])


def test_it_explains_for_ever_what_was_hidden(s3: Any, rebuilt: Clock) -> None:
    state(s3, EXPIRED)
    remove(s3, GONE)
    run = Run(DT, "jr_1")
    found = removable(judged(s3, run.id))
    key = f"silver/customers/dt={DT}/run=jr_1/part-0.parquet"
    assert found[run].explains(PROCESSED, key, GONE)
    assert found[run].expiry.key == expiry_key(run)
