"""What somebody types is an object of this deployment, or refused."""

from __future__ import annotations

import pytest
from tests.support.consoles import SCRIPT

from custody.core.console.objects.asked import MAX_KEY_BYTES, NotAsked, Place, places

BUCKETS = ("raw", "gold")


def test_a_key_may_be_in_any_bucket_and_an_address_names_one() -> None:
    assert places("a b/c.csv", BUCKETS) == [Place("raw", "a b/c.csv"), Place("gold", "a b/c.csv")]
    assert places("s3://gold/a", BUCKETS) == [Place("gold", "a")]


@pytest.mark.parametrize("key", [SCRIPT, " a ", "a%2Fb", "' OR 1=1 --", "../x", "/", "s3:/raw/a"])
def test_nothing_of_a_key_is_decoded_or_cut_off(key: str) -> None:
    assert places(key, BUCKETS)[0].key == key
    assert places(f"s3://raw/{key}", BUCKETS) == [Place("raw", key)]


@pytest.mark.parametrize(
    "typed",
    ["", "s3://raw", "s3://raw/", "s3://other/a", "s3:///a", "s3://RAW/a", "s3://raw@x/a"],
)
def test_what_is_none_of_its_objects_is_refused(typed: str) -> None:
    with pytest.raises(NotAsked):
        places(typed, BUCKETS)


def test_a_key_is_as_long_as_s3_lets_it_be() -> None:
    assert places("é" * (MAX_KEY_BYTES // 2), BUCKETS)
    with pytest.raises(NotAsked):
        places("é" * (MAX_KEY_BYTES // 2) + "x", BUCKETS)
