"""Which delivery times a chain of digests covers, and which it leaves open."""

from datetime import timedelta

from tests.plugins.custody.core.trail.digests.test_chain import hourly, walk
from tests.support.trail_history import HOUR, MINUTE, NOON

from custody.core.trail.digests.coverage import Coverage, Period
from custody.core.trail.digests.signatures import SignedDigest


def covered(links: list[SignedDigest]) -> Coverage:
    return walk(links)[0].finish(due_by=None).coverage


def test_which_digest_names_a_time_and_which_cannot_be_told():
    links = hourly(6)
    coverage = covered([one for n, one in enumerate(links) if n != 3])

    def covering(minutes: float) -> str | None:
        return coverage.covering(NOON + minutes * MINUTE, within=5 * MINUTE)

    assert covering(4) is None  # perhaps from before the beginning
    assert covering(6) == links[0].digest.key
    assert covering(60) == links[0].digest.key
    assert covering(61) == links[1].digest.key
    assert covering(174) == links[2].digest.key
    assert covering(176) is None  # the hole, from 180 to 240
    assert covering(245) is None
    assert covering(246) == links[4].digest.key
    assert covering(355) == links[5].digest.key
    assert covering(356) is None  # perhaps in the next one


def test_what_lies_before_the_beginning_is_not_in_a_digest():
    coverage = covered(hourly(2))
    assert coverage.is_before(NOON - 6 * MINUTE, within=5 * MINUTE)
    assert not coverage.is_before(NOON - 4 * MINUTE, within=5 * MINUTE)
    assert not coverage.is_before(NOON + 6 * MINUTE, within=5 * MINUTE)


def test_a_chain_that_is_begun_in_its_middle_says_nothing_of_before():
    chain, found = walk(hourly(4)[2:], since=NOON + 121 * MINUTE)
    assert found == []
    coverage = chain.finish(due_by=None).coverage
    assert coverage.covering(NOON, within=MINUTE) is None
    assert not coverage.is_before(NOON, within=MINUTE)


def test_no_chain_covers_nothing():
    coverage = Coverage()
    assert coverage.covering(NOON, within=MINUTE) is None
    assert not coverage.is_before(NOON, within=MINUTE)
    assert not coverage.leaves_open(NOON, within=MINUTE)


def test_the_end_of_a_hole_is_in_it_and_its_beginning_is_not():
    hole = Period(NOON, NOON + HOUR)
    still = timedelta(0)
    assert not hole.may_include(NOON, within=still)
    assert hole.may_include(NOON + MINUTE, within=still)
    assert hole.may_include(NOON + HOUR, within=still)
    assert not hole.may_include(NOON + HOUR + MINUTE, within=still)
