"""Hiding what lay of a run is explained by a statement, if who may did it, and by nothing else."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from tests.support.expiring import DT, EXPIRED, RETENTION, expiry, published
from tests.support.removals import GLUE, INSIDER, POLICY, call

from custody.core.ledger.kinds.at_rest import (
    HeldVersion,
    ObjectAtRest,
    RecordedVersion,
    Removers,
    rows_at_rest,
)
from custody.core.ledger.kinds.expiry import expiry_row
from custody.core.ledger.versions import ObjectHistory, rows_of
from custody.core.publications.expiry import OBJECTION, Removable, objection
from custody.core.publications.expiry_statement import StoredExpiry
from custody.core.trail.events import TrailEvent
from custody.core.trail.principals import Principal
from custody.objects import ObjectVersion

ROLE = "arn:aws:iam::111122223333:role/custody-test-expiry"
EXPIRER = Principal(f"{ROLE}/job", "AssumedRole", "AROAEXPIRY", ROLE)
KEY = f"silver/customers/dt={DT}/run=jr_1/part-0.parquet"
SINCE = EXPIRED + OBJECTION
LATER = SINCE + timedelta(hours=1)
NONCURRENT = RETENTION
REMOVABLE = {expiry().run: Removable(expiry(), SINCE)}
JUDGED = replace(POLICY, expirers=(ROLE,), as_of=LATER + timedelta(hours=1))


def hidden(who: Principal = EXPIRER, *, at: datetime = LATER, key: str = KEY) -> TrailEvent:
    return call(who, at=at, key=key, version="m1", is_marker=True, bucket="processed")


def reconciled(event: TrailEvent, removable: dict = REMOVABLE) -> list[tuple[str, str | None]]:
    assert event.key is not None
    history = ObjectHistory("processed", event.key, (event,), ())
    rows = rows_of(history, replace(JUDGED, removable=removable), {})
    return [(row.verdict, row.principal_arn) for row in rows]


def audited(
    *calls: TrailEvent,
    at: datetime = LATER,
    removable: dict = REMOVABLE,
    gone: bool = False,
    as_of: datetime = JUDGED.as_of,
) -> list[tuple[str, str | None]]:
    marker = HeldVersion(ObjectVersion("processed", KEY, "m1"), at, is_marker=True)
    written = RecordedVersion(
        ObjectVersion("processed", KEY, "v1"),
        written_at=EXPIRED - RETENTION,
        recorded_at=EXPIRED - RETENTION,
        sha256s=frozenset({"ab" * 32}),
        size_bytes=1,
        key_id="k",
        record_key="p",
    )
    found = ObjectAtRest("processed", KEY, (marker,), frozenset(), (written,) if gone else ())
    policy = replace(JUDGED, as_of=as_of, removable=removable)
    rows = rows_at_rest(found, Removers(calls), policy, NONCURRENT)
    return [(row.verdict, row.principal_arn) for row in rows]


def test_what_the_statement_names_is_hidden_by_who_may() -> None:
    assert reconciled(hidden()) == []
    assert audited(hidden()) == []
    assert audited() == [], "also when the events of that day are not read any more"


@pytest.mark.parametrize("who", [INSIDER, GLUE])
def test_by_anybody_else_it_is_a_finding(who: Principal) -> None:
    assert reconciled(hidden(who)) == [("REMOVED", who.arn)]
    assert audited(hidden(who)) == [("REMOVED", who.arn)]


def test_without_a_statement_it_is_a_finding() -> None:
    assert reconciled(hidden(), {}) == [("REMOVED", EXPIRER.arn)]
    assert audited(hidden(), removable={}) == [("REMOVED", EXPIRER.arn)]
    other = KEY.replace("jr_1", "jr_2")
    assert reconciled(hidden(key=other)) == [("REMOVED", EXPIRER.arn)]
    assert reconciled(hidden(key="silver/x.parquet")) == [("REMOVED", EXPIRER.arn)]


def test_before_people_could_object_it_is_a_finding() -> None:
    early = SINCE - timedelta(seconds=1)
    assert reconciled(hidden(at=early)) == [("REMOVED", EXPIRER.arn)]
    assert audited(hidden(at=early), at=early) == [("REMOVED", EXPIRER.arn)]


def test_a_version_is_never_his_to_delete() -> None:
    deleted = replace(hidden(), delete_marker=False, version_id="v1")
    assert reconciled(deleted) == [("REMOVED", EXPIRER.arn)]


def test_the_versions_below_stay_as_long_as_replaced_ones_do() -> None:
    assert audited(gone=True) == [("REMOVED", None)]
    assert audited(gone=True, as_of=LATER + NONCURRENT) == []


def test_an_honest_statement_is_no_finding() -> None:
    day = published("jr_1", "jr_2")
    version = ObjectVersion("provenance", expiry().key, "v1")
    read = StoredExpiry(version, EXPIRED, expiry())
    assert expiry_row(read, objection(expiry(), day), POLICY) is None
    visible = expiry("jr_2", instead=1)
    row = expiry_row(replace(read, expiry=visible), objection(visible, day), POLICY)
    assert row is not None
    assert (row.verdict, row.object_version) == ("CONFLICT", version)
    assert "000002.json shows run jr_2" in row.verdict_reason
    forged = expiry_row(replace(read, expiry=None, trouble="is not signed"), None, POLICY)
    assert forged is not None
    assert (forged.verdict, forged.pipeline_layer) == ("BAD_SIGNATURE", "provenance")
    assert "no run expires: is not signed" in forged.verdict_reason
