"""What no record tells of is hashed as it is found, a night's share at a time."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from tests.support.removals import DAY, HOUR, NOON, POLICY

from custody.core.formats.untrusted import MalformedInput
from custody.core.ledger.kinds import sweep
from custody.core.ledger.kinds.at_rest import (
    HeldVersion,
    ObjectAtRest,
    Reading,
    Removers,
    is_overdue,
    row_of_reading,
    rows_at_rest,
)
from custody.core.ledger.kinds.sweep import (
    Sweep,
    SweptVersion,
    due_tonight,
    swept_so_far,
    with_sweep,
)
from custody.core.ledger.rows import LedgerRow
from custody.core.runs.report import RunReport
from custody.objects import ObjectVersion

OURS, OTHERS = "ab" * 32, "cd" * 32


def named(key: str, version_id: str = "v1") -> ObjectVersion:
    return ObjectVersion("raw", key, version_id)


def held(key: str, *, at: datetime = NOON - DAY, size: int = 5) -> HeldVersion:
    return HeldVersion(named(key), at, is_marker=False, size_bytes=size)


def swept(
    key: str, *, at: datetime = NOON - HOUR, sha256: str | None = OURS, trouble: str | None = None
) -> SweptVersion:
    return SweptVersion(named(key), NOON - DAY, at, sha256, 5 if sha256 else 0, trouble)


def known(*some: SweptVersion) -> dict[ObjectVersion, SweptVersion]:
    return {one.version: one for one in some}


def unrecorded_row(key: str) -> LedgerRow:
    version = held(key)
    found = ObjectAtRest("raw", key, (version,), frozenset({"v1"}), ())
    (row,) = rows_at_rest(found, Removers(), POLICY, 90 * DAY)
    return row


def keys(due: list[HeldVersion]) -> list[str]:
    return [version.version.key for version in due]


def test_the_oldest_come_first_and_what_has_a_hash_is_not_read_again() -> None:
    young, old, done = held("young"), held("old", at=NOON - 2 * DAY), held("done")
    assert keys(due_tonight([young, done, old], known(swept("done")))) == ["old", "young"]


def test_a_night_is_bounded_and_the_next_one_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sweep, "MAX_VERSIONS_A_NIGHT", 2)
    monkeypatch.setattr(sweep, "MAX_BYTES_A_NIGHT", 12)
    here = [held(str(n), at=NOON - (9 - n) * DAY) for n in range(4)]
    assert keys(due_tonight(here, {})) == ["0", "1"]
    state = swept_so_far(here, {}, [swept("0"), swept("1")])
    assert state.left == 2
    assert keys(due_tonight(here, state.versions)) == ["2", "3"]
    wide = [replace(version, size_bytes=7) for version in here]
    assert keys(due_tonight(wide, {})) == ["0"]


def test_what_is_larger_than_a_night_stops_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sweep, "MAX_BYTES_A_NIGHT", 10)
    huge = held("huge", at=NOON - 9 * DAY, size=11)
    assert keys(due_tonight([huge, held("small")], {})) == ["small"]
    assert swept_so_far([huge], {}, []).left == 1


def test_what_cannot_be_read_keeps_no_other_from_its_turn() -> None:
    refused = swept("a", sha256=None, trouble="AccessDenied")
    longer = swept("b", sha256=None, trouble="AccessDenied", at=NOON - 2 * HOUR)
    here = [held("a", at=NOON - 9 * DAY), held("b", at=NOON - 8 * DAY), held("new")]
    assert keys(due_tonight(here, known(refused, longer))) == ["new", "b", "a"]


def test_only_so_much_is_remembered_and_the_rest_is_counted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sweep, "MAX_KEPT_BYTES", 500)
    here = [held(str(n)) for n in range(3)]
    refused = swept("0", sha256=None, trouble="no", at=NOON - DAY)
    state = swept_so_far(here, known(refused), [swept("1"), swept("2")])
    assert set(state.versions) == {named("1"), named("2")}  # a hash is worth more than a refusal
    assert state.left == 1


def test_what_is_gone_is_not_forgotten() -> None:
    assert swept_so_far([], known(swept("gone")), []).versions == known(swept("gone"))


def test_the_row_has_the_hash_and_stays_the_same_finding() -> None:
    row = unrecorded_row("a.csv")
    told = with_sweep(row, known(swept("a.csv")))
    assert (told.verdict, told.fingerprint) == ("UNRECORDED", row.fingerprint)
    assert (told.sha256, told.size_bytes, told.hashed_at) == (OURS, 5, NOON - HOUR)
    assert OURS in told.verdict_reason
    assert "2026-11-02 11:00:00" in told.verdict_reason


@pytest.mark.parametrize(
    ("of", "says"),
    [
        ((), "No sweep has hashed it"),
        ((swept("a.csv", sha256=None, trouble="AccessDenied: no"),), "AccessDenied: no"),
        ((replace(swept("a.csv"), version=named("a.csv", "v2")),), "No sweep has hashed it"),
    ],
)
def test_a_row_without_a_hash_says_why(of: tuple[SweptVersion, ...], says: str) -> None:
    told = with_sweep(unrecorded_row("a.csv"), known(*of))
    assert says in told.verdict_reason
    assert (told.sha256, told.size_bytes, told.hashed_at) == (None, None, None)


def test_no_other_row_is_touched() -> None:
    row = replace(unrecorded_row("a.csv"), verdict="ALTERED")
    assert with_sweep(row, known(swept("a.csv"))) is row


def test_other_bytes_than_swept_are_altered_and_the_same_ones_verify_nothing() -> None:
    """`VERIFIED` would resolve the page about the missing record."""
    of = swept("a.csv").as_recorded
    assert row_of_reading(of, Reading(OURS), POLICY) is None
    row = row_of_reading(of, Reading(OTHERS), POLICY)
    assert row is not None
    assert (row.verdict, row.sha256, row.record_key) == ("ALTERED", OURS, None)
    assert "the sweep of 2026-11-02 11:00:00 says" in row.verdict_reason
    removed = row_of_reading(of, Reading(None, "NoSuchVersion", gone=True), POLICY)
    assert removed is not None
    assert removed.verdict == "REMOVED"


def test_a_swept_version_that_is_gone_is_removed() -> None:
    gone = swept("a.csv", sha256=None, trouble="no").as_recorded
    found = ObjectAtRest("raw", "a.csv", (), frozenset(), (gone,))
    (row,) = rows_at_rest(found, Removers(), POLICY, 90 * DAY)
    assert (row.verdict, row.version_id, row.record_key) == ("REMOVED", "v1", None)


def test_a_version_is_due_when_the_grace_is_over_and_no_note_says_that_it_is_late() -> None:
    old = held("a.csv", at=NOON - POLICY.grace)
    assert is_overdue(old, POLICY)
    assert not is_overdue(replace(old, stored_at=old.stored_at + timedelta(seconds=1)), POLICY)
    assert not is_overdue(replace(old, noted_late=True), POLICY)
    assert not is_overdue(replace(old, is_marker=True), POLICY)
    assert not is_overdue(replace(old, version=ObjectVersion("other", "a", "v1")), POLICY)


def test_what_is_known_goes_from_night_to_night_in_the_report() -> None:
    state = Sweep(
        known(swept("a.csv"), swept("b.csv", sha256=None, trouble="AccessDenied: no")), left=3
    )
    report = RunReport({}, {}, {}, sweep=state.to_document())
    document = RunReport.parse(report.to_bytes()).sweep
    assert document is not None
    assert Sweep.from_document(document) == state
    assert RunReport.parse(RunReport({}, {}, {}).to_bytes()).sweep is None  # an older one


@pytest.mark.parametrize(
    "document",
    [
        {"left": 0},
        {"versions": {}, "left": 0},
        {"versions": [{"bucket": "raw"}], "left": 0},
        {"versions": [swept("a.csv").to_document() | {"sha256": "no"}], "left": 0},
    ],
)
def test_what_is_no_sweep_is_refused(document: dict[str, object]) -> None:
    with pytest.raises(MalformedInput):
        Sweep.from_document(document)
