"""What nobody can see is not plain, though Python may call it printable."""

import pytest

from custody.core.formats.plain_text import is_plain

UNSEEN = "\ufe0f\U000e0100\u034f\u180b\u180f\u17b4\u2800\u3164\uffa0\u115f\u1160\U0001d159"


@pytest.mark.parametrize("text", ["", "a b.csv", "é.csv", "文.csv", "नि", "\U0001f600", "e\u0301"])
def test_what_can_be_read_is_plain(text):
    assert is_plain(text)


@pytest.mark.parametrize("character", UNSEEN)
def test_what_shows_nothing_is_not_plain(character):
    assert character.isprintable()
    assert not is_plain(f"a{character}.csv")


@pytest.mark.parametrize("character", "\n\x1b\u00a0\u00ad\u200b\u202e\u2066\ufeff\U000e0001\ud800")
def test_what_moves_or_hides_others_is_not_plain(character):
    assert not is_plain(f"a{character}.csv")
