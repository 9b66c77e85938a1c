"""What the provenance bucket as a whole testifies."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from tests.plugins.custody.core.records.test_checking import RECORD, ROTATED
from tests.support.ledger_cases import RECORDER, policy

from custody.core.ledger.kinds.defects import MalformedRecord
from custody.core.ledger.stored_records import (
    RECORDED_WITHIN,
    found_records,
    is_note_write,
    noted_late,
    split_envelopes,
    stored_late,
)
from custody.core.records.checking import ReadEnvelope
from custody.core.records.model import LandingRecord
from custody.core.records.names import conflict_key, late_key, record_id, record_key
from custody.core.trail.events import TrailEvent
from custody.core.trail.principals import Principal
from custody.objects import ObjectVersion

PLACE = record_key(RECORD.event.time, record_id(ObjectVersion("raw", RECORD.version.key, "v1")))
BESIDE = conflict_key(PLACE, RECORD.sha256)
ELSEWHERE = record_key(RECORD.event.time, record_id(ObjectVersion("raw", "another", "v1")))


def stored(
    place: str,
    claim: LandingRecord | None = RECORD,
    trouble: str | None = None,
    version_id: str = "p1",
) -> Any:
    return ReadEnvelope(
        ObjectVersion("provenance", place, version_id), ROTATED, "new", claim, trouble
    )


def writing(place: str) -> TrailEvent:
    return TrailEvent(
        event_id="e1",
        name="PutObject",
        time=ROTATED,
        bucket="provenance",
        key=place,
        version_id="p1",
        delete_marker=False,
        request_id="P1",
        bytes_in=1,
        who=Principal("arn:aws:iam::111122223333:user/insider", "IAMUser", "AIDA", None),
        source_ip=None,
        user_agent=None,
        updates=None,
        log="log",
        proven=True,
    )


def test_a_record_under_its_key() -> None:
    (record,), malformed = split_envelopes([stored(PLACE)], [writing(ELSEWHERE)])
    assert malformed == []
    assert (record.key, record.key_id, record.claim) == (PLACE, "new", RECORD)
    assert (record.displaced, record.undeclared_write, record.displacing_write) == (
        False,
        None,
        None,
    )


def test_trouble_stays_with_its_record() -> None:
    (record,), malformed = split_envelopes([stored(PLACE, trouble="the key")], [])
    assert (record.trouble, malformed) == ("the key", [])


def test_an_undeclared_write_is_known_by_its_key() -> None:
    event = writing(PLACE)
    (record,), _ = split_envelopes([stored(PLACE)], [event])
    assert (record.undeclared_write, record.displaced) == (event, False)


def test_an_undeclared_write_is_of_its_own_version_and_no_other() -> None:
    event = replace(writing(PLACE), version_id="p2")
    his = stored(PLACE, version_id="p2")
    found, _ = split_envelopes([stored(PLACE), his], [event])
    assert [record.undeclared_write for record in found] == [None, event]


def test_an_undeclared_write_that_names_no_version_may_be_of_each() -> None:
    event = replace(writing(PLACE), version_id=None)
    (record,), _ = split_envelopes([stored(PLACE)], [event])
    assert record.undeclared_write == event


def test_a_proven_undeclared_write_counts_before_an_unproven_one() -> None:
    event = writing(PLACE)
    unproven = replace(event, event_id="e9", time=ROTATED + timedelta(days=1), proven=False)
    for order in ([event, unproven], [unproven, event]):
        (record,), _ = split_envelopes([stored(PLACE)], order)
        assert record.undeclared_write == event


def test_a_displaced_record_knows_who_wrote_under_its_key() -> None:
    event = writing(PLACE)
    (record,), _ = split_envelopes([stored(BESIDE)], [event])
    assert (record.displaced, record.undeclared_write, record.displacing_write) == (
        True,
        None,
        event,
    )


def test_a_displaced_record_may_itself_be_an_undeclared_write() -> None:
    event = writing(BESIDE)
    (record,), _ = split_envelopes([stored(BESIDE)], [event])
    assert (record.displaced, record.undeclared_write, record.displacing_write) == (
        True,
        event,
        None,
    )


@pytest.mark.parametrize(
    "place",
    [
        BESIDE.upper(),
        BESIDE.removesuffix(".json"),
        BESIDE + ".json",
        BESIDE.replace(".conflict-ab", ".conflict-"),
        BESIDE.replace(".conflict-", "-conflict-"),
        BESIDE + "\n",
    ],
)
def test_only_a_name_that_the_recorder_gives_is_a_displaced_record(place: str) -> None:
    (record,), _ = split_envelopes([stored(place)], [])
    assert not record.displaced


def test_something_malformed_is_about_itself() -> None:
    event = writing(PLACE)
    found, malformed = split_envelopes([stored(PLACE, None, "not JSON")], [event])
    assert found == []
    assert malformed == [
        MalformedRecord("provenance", PLACE, "p1", ROTATED, "not JSON", event),
    ]


def test_something_malformed_under_a_contested_key_is_left_to_the_conflict() -> None:
    rubbish = stored(PLACE, None, "not JSON")
    for order in ([rubbish, stored(BESIDE)], [stored(BESIDE), rubbish]):
        (record,), malformed = split_envelopes(order, [])
        assert (record.key, record.displaced, malformed) == (BESIDE, True, [])


def test_only_the_contested_key_is_left_to_the_conflict() -> None:
    _, malformed = split_envelopes([stored(ELSEWHERE, None, "not JSON"), stored(BESIDE)], [])
    assert [record.key for record in malformed] == [ELSEWHERE]


def test_something_malformed_put_over_a_record_is_found() -> None:
    record, rubbish = stored(PLACE), stored(PLACE, None, "not JSON", version_id="p2")
    found, malformed = split_envelopes([record, rubbish], [])
    assert [seen.key for seen in found] == [PLACE]
    assert [(it.key, it.version_id) for it in malformed] == [(PLACE, "p2")]


def test_something_malformed_beside_a_key_contests_nothing() -> None:
    """Else rubbish with the right name would hide rubbish in the place itself."""
    places = [PLACE, BESIDE]
    found, malformed = split_envelopes([stored(place, None, "not JSON") for place in places], [])
    assert (found, [record.key for record in malformed]) == ([], places)


@pytest.mark.parametrize(
    ("after", "late"), [(timedelta(0), False), (RECORDED_WITHIN, False), (timedelta(hours=9), True)]
)
def test_a_record_is_late_by_the_write_that_it_is_about(after: timedelta, late: bool) -> None:
    envelope = replace(stored(PLACE), stored_at=RECORD.event.time + after)
    assert stored_late(envelope) is late


def test_what_is_no_record_is_late_by_the_day_it_is_filed_under() -> None:
    midnight = RECORD.event.time.replace(hour=0, minute=0, second=0, microsecond=0)
    rubbish = stored(PLACE, claim=None, trouble="rubbish")
    assert not stored_late(replace(rubbish, stored_at=midnight))
    assert stored_late(replace(rubbish, stored_at=midnight + timedelta(hours=9)))
    assert stored_late(replace(stored("no day", claim=None), stored_at=midnight))


def test_a_note_of_the_recorder_says_which_record_is_late() -> None:
    rules = policy(ROTATED)
    key = late_key(ROTATED, "ab" * 32)
    note = by_recorder(key)
    for write in note, replace(note, proven=False):
        assert is_note_write(write, rules)
        assert noted_late([write], {}, rules) == {"ab" * 32}
    for other in (
        replace(note, bucket="raw"),
        replace(note, key=key.replace("late", "incoming")),
        replace(note, key="provenance/late/x"),
        replace(note, name="DeleteObject"),
    ):
        assert not is_note_write(other, rules)
    assert not noted_late([writing(key)], {}, rules)


def test_a_note_counts_before_its_event_has_come_and_not_if_another_wrote_it() -> None:
    rules = replace(policy(ROTATED + timedelta(hours=1)), delivery=timedelta(hours=48))
    key = late_key(ROTATED, "ab" * 32)
    lying, noted = {key: ROTATED}, {"ab" * 32}
    assert noted_late([], lying, rules) == noted
    assert not noted_late([], lying, replace(rules, as_of=ROTATED + timedelta(hours=48)))
    assert not noted_late([], lying, replace(rules, closed=ROTATED + timedelta(seconds=1)))
    assert not noted_late([], {f"{key}x": ROTATED}, rules)
    assert not noted_late([writing(key)], lying, rules)
    # Anybody could invent that; and who writes beside the recorder does not unsay his word.
    assert noted_late([replace(writing(key), proven=False)], lying, rules) == noted
    assert noted_late([writing(key), by_recorder(key)], lying, rules) == noted


def by_recorder(key: str) -> TrailEvent:
    recorder = Principal(f"{RECORDER}/x", "AssumedRole", "AROA:x", RECORDER)
    return replace(writing(key), who=recorder)


def test_what_is_under_a_key_of_ours_that_is_away_is_no_malformed_record():
    away = replace(stored(PLACE, None, "KMS.DisabledException"), key_away="k")
    found = found_records([away, stored(ELSEWHERE)], [], policy(ROTATED))
    assert ([one.key for one in found.records], found.malformed) == ([ELSEWHERE], [])
    assert found.locked == [away]
