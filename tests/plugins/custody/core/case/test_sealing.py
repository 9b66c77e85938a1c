"""What is kept against what is sealed."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from tests.plugins.custody.core.seal.test_appends import DAY, note, opened

from custody.core.case.key_ring import ALWAYS
from custody.core.case.sealing import SEALED_WITHIN, KeptRecord, troubles_with_seal
from custody.core.records.checking import TrustedKey
from custody.core.seal.appends import SealedRecord
from custody.core.seal.entries import RecordEntry

PLACE = f"provenance/incoming/dt={DAY}/a.json"
KEPT = KeptRecord(PLACE, "ab" * 32, None)
SEALED = SealedRecord(1, RecordEntry(PLACE, "ab" * 32))
OTHER = SealedRecord(2, RecordEntry(PLACE, "cd" * 32))
APPENDS = opened(note(0, 3), size=3)
REPLACED_AT = datetime(2026, 11, 1, 9, tzinfo=UTC)
RETIRED = TrustedKey("arn:old", b"", ALWAYS, REPLACED_AT)


def troubles(kept, sealed, appends=APPENDS):
    return list(troubles_with_seal(kept, sealed, appends))


def test_what_is_sealed_and_there_is_well():
    assert troubles([KEPT], [SEALED]) == []
    assert troubles([], []) == []


def test_what_is_not_sealed_yet_is_no_trouble():
    assert troubles([KEPT], []) == []
    assert troubles([replace(KEPT, signer=RETIRED)], []) == []


def test_what_is_sealed_and_not_there_is_told():
    (trouble,) = troubles([], [SEALED])
    assert trouble == f"The seal holds {PLACE} with SHA-256 {'ab' * 32}, which is not there."
    assert len(troubles([KEPT], [SEALED, OTHER])) == 1


def test_what_took_the_place_of_something_sealed_is_told_twice():
    assert len(troubles([KEPT], [OTHER])) == 2


def days(number):
    return timedelta(days=number)


@pytest.mark.parametrize(
    ("reached", "is_late"),
    [(DAY, False), (DAY + SEALED_WITHIN, False), (DAY + SEALED_WITHIN + days(1), True)],
)
@pytest.mark.parametrize("sealed", [[], [SealedRecord(3, SEALED.entry)]], ids=["never", "late"])
def test_a_key_that_was_replaced_signed_nothing_that_is_sealed_later(reached, is_late, sealed):
    """It may sign any date: a record that its thief dates into its time was not sealed then."""
    appends = opened(note(0, 3, reached), note(3, 1), size=4)
    found = troubles([replace(KEPT, signer=RETIRED)], sealed, appends)
    assert [("arn:old" in each, "replaced" in each) for each in found] == [(True, True)] * is_late
    assert (
        troubles([replace(KEPT, signer=replace(RETIRED, valid_until=None))], sealed, appends) == []
    )


def test_what_a_replaced_key_signed_and_was_sealed_in_time_stays_good():
    appends = opened(note(0, 3), note(3, 1, DAY + SEALED_WITHIN + days(100)), size=4)
    assert troubles([replace(KEPT, signer=RETIRED)], [SEALED], appends) == []
