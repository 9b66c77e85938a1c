"""What lies between digests that verify: nothing, a hole, a gap, or another chain."""

from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.trail_history import HOUR, LAYOUT, MINUTE, NOON

from custody.core.trail.defects import TrailDefect, TrailDefectKind
from custody.core.trail.digest_chain import MAX_NAMED_APART, DigestChain, Stretch
from custody.core.trail.digest_signatures import SignedDigest
from custody.core.trail.digests import Digest, Previous

K = TrailDefectKind


def link(
    start: datetime, end: datetime, previous: SignedDigest | None, name: str = ""
) -> SignedDigest:
    """A signed digest; what it is signed with is not looked at here."""
    digest = Digest(
        account_id=LAYOUT.account_id,
        bucket=LAYOUT.bucket,
        key=LAYOUT.digest_key(end),
        start=start,
        end=end,
        end_text="",
        fingerprint="",
        previous=previous
        and Previous(LAYOUT.bucket, previous.digest.key, previous.sha256, previous.signature),
        log_files=(),
    )
    return SignedDigest(digest, f"{name}{end:%d%H%M%S}".rjust(64, "0"), f"{end:%d%H%M%S}")


def chain_of(*ends: datetime) -> list[SignedDigest]:
    """A chain whose digests end at these times, the first one beginning at noon."""
    links: list[SignedDigest] = []
    for end in ends:
        before = links[-1] if links else None
        links.append(link(before.digest.end if before else NOON, end, before))
    return links


def hourly(count: int) -> list[SignedDigest]:
    return chain_of(*(NOON + (n + 1) * HOUR for n in range(count)))


def walk(
    links: list[SignedDigest], **options: datetime | None
) -> tuple[DigestChain, list[TrailDefect]]:
    chain = DigestChain(LAYOUT, cadence=HOUR, since=options.get("since"))
    found = [defect for one in links for defect in chain.follow(one)]
    return chain, found


def periods(found: list[TrailDefect]) -> list[tuple[datetime | None, datetime | None]]:
    return [(defect.period_start, defect.period_end) for defect in found]


@given(st.lists(st.integers(1, 5 * 3600), min_size=1, max_size=20, unique=True))
def test_a_whole_chain_has_no_defects_whatever_its_pace(seconds):
    links = chain_of(*(NOON + timedelta(seconds=s) for s in sorted(seconds)))
    chain, found = walk(links)
    assert found == []
    assert chain.finish(due_by=links[-1].digest.end) == []


@given(st.integers(3, 30).flatmap(
    lambda n: st.tuples(st.just(n), st.sets(st.integers(1, n - 2), min_size=1))
))  # fmt: skip
def test_each_missing_digest_of_a_steady_chain_is_named_with_its_period(counts):
    count, gone = counts
    links = hourly(count)
    _, found = walk([one for n, one in enumerate(links) if n not in gone])
    assert {(f.kind, f.key, f.period_start, f.period_end) for f in found} == {
        (K.DIGEST_MISSING, links[n].digest.key, links[n].digest.start, links[n].digest.end)
        for n in gone
    }
    assert len(found) == len(gone)


@pytest.mark.parametrize("seconds", [-2, 2])
def test_a_digest_a_little_late_or_early_does_not_make_one_more(seconds):
    links = chain_of(
        NOON + HOUR + timedelta(seconds=seconds), NOON + 2 * HOUR, NOON + 3 * HOUR, NOON + 4 * HOUR
    )
    _, found = walk([links[0], links[3]])
    assert periods(found) == [
        (NOON + 2 * HOUR, NOON + 3 * HOUR),
        (links[0].digest.end, NOON + 2 * HOUR),
    ]


def test_one_digest_that_is_missing_need_not_cover_an_hour():
    links = chain_of(NOON + HOUR, NOON + HOUR + 10 * MINUTE, NOON + 2 * HOUR)
    _, found = walk([links[0], links[2]])
    assert periods(found) == [(NOON + HOUR, NOON + HOUR + 10 * MINUTE)]


def test_a_remembered_head_is_named_where_the_cadence_would_not():
    links = chain_of(NOON + HOUR, NOON + 100 * MINUTE, NOON + 130 * MINUTE, NOON + 190 * MINUTE)
    chain = DigestChain(LAYOUT, cadence=HOUR, head=links[1].head)
    found = chain.follow(links[0]) + chain.follow(links[3])
    assert [defect.key for defect in found] == [links[2].digest.key, links[1].digest.key]


def test_a_long_hole_names_the_newest_and_sums_up_the_rest():
    links = hourly(200)
    _, found = walk([links[0], links[-1]])
    assert len(found) == MAX_NAMED_APART + 1
    assert found[0].key == links[-2].digest.key
    assert periods(found)[-1] == (NOON + HOUR, NOON + (199 - MAX_NAMED_APART) * HOUR)


def test_which_digest_names_a_time_and_which_cannot_be_told():
    links = hourly(6)
    chain, _ = walk([one for n, one in enumerate(links) if n != 3])

    def covering(minutes: float) -> str | None:
        return chain.covering(NOON + minutes * MINUTE, within=5 * MINUTE)

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
    chain, _ = walk(hourly(2))
    assert chain.is_before(NOON - 6 * MINUTE, within=5 * MINUTE)
    assert not chain.is_before(NOON - 4 * MINUTE, within=5 * MINUTE)
    assert not chain.is_before(NOON + 6 * MINUTE, within=5 * MINUTE)


def test_a_chain_that_is_begun_in_its_middle_says_nothing_of_before():
    chain, found = walk(hourly(4)[2:], since=NOON + 121 * MINUTE)
    assert found == []
    assert chain.covering(NOON, within=MINUTE) is None
    assert not chain.is_before(NOON, within=MINUTE)


def test_an_empty_chain_covers_nothing():
    chain, _ = walk([])
    assert chain.is_empty
    assert chain.covering(NOON, within=MINUTE) is None
    assert not chain.is_before(NOON, within=MINUTE)
    assert chain.finish(due_by=NOON) == []


def test_the_end_of_a_hole_is_in_it_and_its_beginning_is_not():
    hole = Stretch(NOON, NOON + HOUR)
    still = timedelta(0)
    assert not hole.touches(NOON, within=still)
    assert hole.touches(NOON + MINUTE, within=still)
    assert hole.touches(NOON + HOUR, within=still)
    assert not hole.touches(NOON + HOUR + MINUTE, within=still)
