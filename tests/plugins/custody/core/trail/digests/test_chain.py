"""What lies between digests that verify: nothing, a hole, a gap, or another chain."""

from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.trail_history import HOUR, LAYOUT, MINUTE, NOON

from custody.core.trail.defects import TrailDefect, TrailDefectKind
from custody.core.trail.digests.chain import DigestChain
from custody.core.trail.digests.coverage import Coverage
from custody.core.trail.digests.document import Digest, Previous
from custody.core.trail.digests.missing import MAX_NAMED_APART
from custody.core.trail.digests.signatures import SignedDigest
from custody.core.trail.layout import DigestName

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
    assert chain.finish(due_by=links[-1].digest.end).defects == ()


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


def test_an_empty_chain_covers_nothing():
    chain, _ = walk([])
    assert chain.is_empty
    finished = chain.finish(due_by=NOON)
    assert (finished.defects, finished.coverage) == ((), Coverage())


def test_a_chain_is_finished_once_and_nothing_follows():
    links = hourly(2)
    chain, _ = walk(links[:1])
    chain.finish(due_by=None)
    unproven = DigestName(links[1].digest.key, links[1].digest.end, backfill=False)
    for late in (
        lambda: chain.follow(links[1]),
        lambda: chain.unproven(unproven),
        lambda: chain.finish(due_by=None),
    ):
        with pytest.raises(ValueError, match="the chain is finished"):
            late()


def test_digests_must_come_in_order():
    links = hourly(3)
    chain, _ = walk([links[0], links[2]])
    with pytest.raises(ValueError, match="out of order"):
        chain.follow(links[1])
    with pytest.raises(ValueError, match="out of order"):
        chain.unproven(DigestName(links[1].digest.key, links[1].digest.end, backfill=False))
