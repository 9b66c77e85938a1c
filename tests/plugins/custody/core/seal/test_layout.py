from datetime import date

import pytest

from custody.core.seal.layout import LeafRange, append_path, day_folder, log_origin
from custody.core.tlog.signed_note import NoteKey

DAY = date(2026, 11, 1)


def test_the_log_is_named_after_its_place():
    origin = log_origin("custody-dev-provenance-111122223333")
    assert origin == "custody-dev-provenance-111122223333.s3.amazonaws.com/seal"
    assert NoteKey(origin, bytes(32)).name == origin


def test_appends_are_listed_in_their_order():
    assert append_path(7) == "append/0000000000000000007"
    assert sorted(map(append_path, (10, 9, 2**62))) == [*map(append_path, (9, 10, 2**62))]


def test_a_range_is_read_from_the_name_that_says_it():
    leaves = LeafRange(9, 2**62)
    assert leaves.path(DAY) == "day/2026-11-01/0000000000000000009-4611686018427387904"
    assert leaves.path(DAY).startswith(day_folder(DAY))
    assert LeafRange.from_path(leaves.path(DAY)) == leaves


@pytest.mark.parametrize(
    "path",
    ["", "day/2026-11-01/", "day/2026-11-01/1-2", f"day/2026-11-01/{0:019d}-{9:019d}.json"]
    + [f"day/2026-11-01/{start:019d}-{end:019d}" for start, end in ((5, 5), (6, 5))],
)
def test_other_names_say_nothing(path):
    assert LeafRange.from_path(path) is None
