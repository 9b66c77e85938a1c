"""Names of log files and digests, as the CloudTrail User Guide gives them."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.trail_history import LAYOUT

from custody.core.trail.layout import DigestName, TrailLayout

END = datetime(2026, 11, 2, 13, 1, 31, tzinfo=UTC)
DIGEST = (
    "AWSLogs/111122223333/CloudTrail-Digest/us-east-1/2026/11/02/"
    "111122223333_CloudTrail-Digest_us-east-1_custody-test_us-east-1_20261102T130131Z.json.gz"
)
LOG = (
    "AWSLogs/111122223333/CloudTrail/us-east-1/2026/11/02/"
    "111122223333_CloudTrail_us-east-1_20261102T1300Z_FH8SNsRrUGUTxPcp.json.gz"
)
ELSEWHERE = TrailLayout(
    "b", "444455556666", "eu-west-1", "t_r.a-il", "us-east-1", "audit/logs", "o-exampleorgid"
)


def test_a_digest_is_named_by_trail_regions_and_end():
    assert LAYOUT.digest_key(END) == DIGEST
    assert LAYOUT.digest_name(DIGEST) == DigestName(DIGEST, END, backfill=False)


def test_other_regions_lie_beside():
    other = LAYOUT.in_region("eu-west-1")
    key = other.digest_key(END)
    assert key == DIGEST.replace("us-east-1", "eu-west-1", 2)
    assert (LAYOUT.is_home, other.is_home) == (True, False)
    assert other.log_prefix == f"{LAYOUT.logs_root}eu-west-1/"
    assert other.digest_prefix == f"{LAYOUT.digests_root}eu-west-1/"
    assert LAYOUT.digest_name(key) is None
    assert [LAYOUT.region_of_digest(k) for k in (key, DIGEST, LOG, "", "x/eu-west-1/y")] == [
        "eu-west-1",
        "us-east-1",
        None,
        None,
        None,
    ]


def test_prefix_and_organization_come_before_and_within():
    key = ELSEWHERE.digest_key(END)
    assert key == (
        "audit/logs/AWSLogs/o-exampleorgid/444455556666/CloudTrail-Digest/eu-west-1/2026/11/02/"
        "444455556666_CloudTrail-Digest_eu-west-1_t_r.a-il_us-east-1_20261102T130131Z.json.gz"
    )
    assert ELSEWHERE.log_prefix == (
        "audit/logs/AWSLogs/o-exampleorgid/444455556666/CloudTrail/eu-west-1/"
    )


def test_backfilled_digests_are_told_apart():
    key = LAYOUT.digest_key(END, backfill=True)
    assert key == DIGEST.replace("Z.json.gz", "Z_backfill.json.gz")
    assert LAYOUT.digest_name(key) == DigestName(key, END, backfill=True)


@given(st.datetimes(datetime(2013, 11, 2), datetime(9998, 12, 31), timezones=st.just(UTC)))  # noqa: DTZ001
def test_every_digest_key_can_be_read_again(end):
    end = end.replace(microsecond=0)
    for layout in (LAYOUT, ELSEWHERE):
        for backfill in (False, True):
            name = layout.digest_name(layout.digest_key(end, backfill=backfill))
            assert (name.end, name.backfill) == (end, backfill)


OTHERS = (
    "",
    DIGEST + "\n",
    DIGEST + ".bak",
    DIGEST.replace("13013", "25013"),
    DIGEST.replace("20261102T", "00010101T"),
    DIGEST.replace("2026/11/02", "2026/11/2"),
    DIGEST.replace("20261102", "\uff120261102"),
    "x" + DIGEST,
    DIGEST.replace("us-east-1/", "us-east-2/"),
    DIGEST.replace("111122223333_", "444455556666_"),
    LOG,
)


@pytest.mark.parametrize("key", OTHERS)
def test_other_keys_are_no_digest(key):
    assert LAYOUT.digest_name(key) is None
    assert not LAYOUT.is_digest_of_another_trail(key)


def test_digests_of_another_trail_beside_ours():
    other = replace(LAYOUT, trail="another_trail").digest_key(END)
    assert LAYOUT.digest_name(other) is None
    assert LAYOUT.is_digest_of_another_trail(other)
    assert not LAYOUT.is_digest_of_another_trail(DIGEST)


def test_a_log_file_is_named_by_its_time():
    assert LAYOUT.log_time(LOG) == datetime(2026, 11, 2, 13, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    "key",
    [
        LOG.replace("T1300Z", "T1360Z"),
        LOG.replace("FH8S", "FH8_"),
        LOG.replace("FH8S", "FH8"),
        LOG.replace("FH8S", "\uff26H8S"),
        LOG.replace(".gz", ""),
        LOG + "/",
        LOG.replace("111122223333_", "444455556666_"),
        DIGEST,
    ],
)
def test_other_keys_are_no_log_file(key):
    assert LAYOUT.log_time(key) is None


@given(st.text(max_size=200))
def test_no_key_makes_it_fail(text):
    for key in (text, LAYOUT.log_prefix + text, LAYOUT.digest_prefix + text):
        LAYOUT.log_time(key)
        LAYOUT.digest_name(key)
        LAYOUT.is_digest_of_another_trail(key)
