"""Every folder ``ledger_cases/<case>/`` is a test: testimony in, ledger rows out.

``ledger_testimony`` says what a case holds. ``expect.yaml`` are the rows, in any order, and no
others; only the columns written there are compared.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from tests.support.ledger_testimony import (
    CASES,
    Row,
    camel,
    envelope,
    merged,
    policy,
    read,
    said_in,
)
from tests.support.management_records import (
    INSIDER,
    ROLE,
    call,
    partition_moved,
    role_taken,
    session,
)
from tests.support.trail_records import put

from custody.core.ledger.defects import (
    DatedDefect,
    MalformedRecord,
    malformed_record_row,
    trail_row,
)
from custody.core.ledger.rows import CATALOG, LedgerRow
from custody.core.ledger.stored_records import split_envelopes
from custody.core.ledger.undeclared import catalog_rows
from custody.core.ledger.versions import ObjectHistory, histories, rows_of
from custody.core.trail.events import TrailEvent, merge
from custody.core.trail.log_files import read_log
from custody.core.trail.principals import Principal


def rows(
    case: Path, shuffled: random.Random | None = None, *, proven: bool = True
) -> Iterator[LedgerRow]:
    testimony = said_in(case, shuffled, proven=proven)
    rules = testimony.policy
    by_id: dict[str, list[TrailEvent]] = {}
    for event in testimony.log.events:
        by_id.setdefault(event.event_id, []).append(event)
    events = [merge(deliveries) for deliveries in by_id.values()]
    seen, malformed = split_envelopes(
        testimony.envelopes,
        [
            event
            for event in events
            if event.bucket == "provenance"
            and not event.who.is_one_of(rules.recorders)
            and event.key
        ],
    )
    for history in histories(events, seen):
        yield from rows_of(history, rules, testimony.log.principals)
    yield from (malformed_record_row(record, rules) for record in malformed)


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
    check(case, list(rows(case)))


@pytest.mark.parametrize("case", FOLDERS, ids=lambda case: case.name)
def test_verdicts_do_not_depend_on_order_or_repetition(case: Path) -> None:
    for seed in range(5):
        shuffled = random.Random(seed)  # noqa: S311 - a repeatable order, no secret
        check(case, list(rows(case, shuffled)))


REMOVALS = CASES / "removals_are_told_unless_a_writer_clears_its_working_files"


def test_a_removal_pages_nobody_before_it_is_proven() -> None:
    proven, unproven = (list(rows(REMOVALS, proven=proven)) for proven in (True, False))
    assert {row.verdict for row in proven} == {"REMOVED"}
    assert {row.verdict for row in unproven} == {"PENDING"}
    assert len(proven) == len(unproven)


@pytest.mark.parametrize("proven", [True, False])
def test_only_a_proven_event_says_who_broke_the_trail_or_wrote_rubbish(*, proven: bool) -> None:
    event = {
        **read(CASES / "defaults.yaml")["cloudtrail_logs"],
        "eventid": "e1",
        "requestparameters": {"bucketName": "trail", "key": "log.json.gz"},
    }
    content = json.dumps({"Records": [camel(event)]}).encode()
    (write,) = read_log(content, log="log", proven=proven, digest="digest").events
    rules = policy(datetime(2026, 11, 1, 8, tzinfo=UTC))
    defect = DatedDefect("trail", "log.json.gz", "v2", rules.as_of, "Changed.", "its digest")
    rubbish = MalformedRecord("provenance", "r.json", "p1", rules.as_of, "not JSON", write)
    for row in (trail_row(defect, rules, write), malformed_record_row(rubbish, rules)):
        assert row.principal_arn == (write.who.arn if proven else None)
        assert (write.who.arn in row.verdict_reason) is proven
        assert row.verdict in {"TRAIL_BROKEN", "BAD_SIGNATURE"}
        assert row.log_key == ("log" if proven else None)
        shown_by = "its digest" if row.verdict == "TRAIL_BROKEN" else None
        assert row.digest_key == ("digest" if proven else shown_by)


def test_every_case_is_found() -> None:
    assert {path.parent for path in CASES.glob("*/*.yaml")} == set(FOLDERS)


def test_principals_are_matched_by_their_role() -> None:
    session = Principal("arn:aws:sts::1:assumed-role/x/s", "AssumedRole", "A:s", "arn:role/x")
    assert session.is_one_of(["arn:role/x"])
    assert not session.is_one_of(["arn:role/y"])


def told(record: dict[str, Any], *, proven: bool = True) -> list[LedgerRow]:
    """The rows of a change of the catalog."""
    content = json.dumps({"Records": [record]}).encode()
    rules = replace(
        policy(datetime(2026, 11, 1, 8, tzinfo=UTC)),
        database="custody_local",
        catalog_writers=(f"{ROLE}airflow",),
    )
    calls = read_log(content, log="log", proven=proven).calls
    return [row for call in calls for row in catalog_rows(call, rules)]


def test_a_partition_that_somebody_else_moves_is_named_by_its_place_in_the_catalog() -> None:
    (row,) = told(partition_moved(INSIDER, "s3://analytics/nothing/"))
    assert (row.verdict, row.principal_arn) == ("UNEXPECTED_PRINCIPAL", INSIDER["arn"])
    assert (row.bucket, row.object_key) == (CATALOG, "custody_local/reconciliation/2026-11-01/06")
    assert (row.version_id, row.pipeline_layer) == ("null", "catalog")
    assert "s3://analytics/nothing/" in row.verdict_reason
    assert row.event_time == datetime(2026, 11, 1, 6, tzinfo=UTC)


def test_moving_it_again_is_another_finding() -> None:
    """Otherwise the second would never be paged: the first stays open."""
    (one,) = told(partition_moved(INSIDER))
    (other,) = told(partition_moved(INSIDER, requestID="M2", eventID="m2"))
    assert one.fingerprint != other.fingerprint


def test_whoever_keeps_the_catalog_changes_it_and_other_databases_are_not_ours() -> None:
    assert told(partition_moved(session("airflow", "ASIA1"))) == []
    others = {"databaseName": "other", "tableName": "t", "entries": []}
    assert told(partition_moved(INSIDER, requestParameters=others)) == []
    assert told(role_taken("glue", "ASIA1", INSIDER)) == []


def test_dropped_tables_and_the_whole_database_are_named() -> None:
    dropped = call("glue", "DeleteTable", INSIDER, {"databaseName": "custody_local", "name": "t"})
    everything = call("glue", "DeleteDatabase", INSIDER, {"name": "custody_local"})
    assert [row.object_key for row in told(dropped) + told(everything)] == [
        "custody_local/t",
        "custody_local",
    ]


def test_a_change_of_the_catalog_pages_nobody_before_it_is_proven() -> None:
    (row,) = told(partition_moved(INSIDER), proven=False)
    assert row.verdict == "PENDING"


GLUE_SESSION, AUDIT_SESSION = session("glue", "ASIA1"), session("audit", "ASIA2")


@pytest.mark.parametrize(
    ("place", "who", "found"),
    [
        ("provenance/lineage/dt=2026-11-01/", GLUE_SESSION, []),
        ("provenance/lineage/dt=2026-11-01/", AUDIT_SESSION, ["UNEXPECTED_PRINCIPAL"]),
        ("seal/checkpoint", AUDIT_SESSION, []),
        ("seal/checkpoint", INSIDER, ["UNEXPECTED_PRINCIPAL"]),
        ("anything/else", GLUE_SESSION, ["UNEXPECTED_PRINCIPAL"]),
        # What lies there is judged with what it claims to be: a record, or lineage.
        ("provenance/incoming/dt=2026-11-01/x.json", INSIDER, []),
        ("provenance/lineage/dt=2026-11-01/x.json", INSIDER, []),
    ],
)
def test_who_may_write_beside_the_records(
    place: str, who: dict[str, Any], found: list[str]
) -> None:
    rules = replace(
        policy(datetime(2026, 11, 1, 8, tzinfo=UTC)),
        prefix_writers={"provenance/lineage/": (f"{ROLE}glue",), "seal/": (f"{ROLE}audit",)},
    )
    record = put(userIdentity=who)
    record["requestParameters"] |= {"bucketName": "provenance", "key": place}
    for proven in (True, False):
        events = read_log(
            json.dumps({"Records": [record]}).encode(), log="log", proven=proven
        ).events
        history = ObjectHistory("provenance", place, events, ())
        rows = list(rows_of(history, rules, {}))
        assert [row.verdict for row in rows] == (found if proven else ["PENDING"] * len(found))
        assert all(row.principal_arn == who["arn"] for row in rows)
        assert all(row.version_id == "v1" for row in rows)


def test_two_writes_that_name_no_version_are_two_findings() -> None:
    """Otherwise the second would never be paged."""
    found = list(rows(CASES / "an_event_without_a_version_takes_it_from_its_request"))
    more = list(rows(CASES / "an_upload_completed_twice_is_one_write"))
    unnamed = [row for row in found + more if row.version_id == "null"]
    assert len({row.fingerprint for row in unnamed}) == len(unnamed) == 3


def test_of_two_records_in_one_place_the_same_is_believed_whichever_is_read_first() -> None:
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
