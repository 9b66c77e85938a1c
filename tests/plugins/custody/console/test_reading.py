"""What is shown is what was signed, read again only when it is old."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest
from moto import mock_aws
from tests.support.consoles import JOBS, removed
from tests.support.judging_runs import BASIS, PARTS, REPORT, RUN
from tests.support.moto_aws import REGION, make_bucket
from tests.support.s3_answers import encrypt_anew
from tests.support.transparency import KEY, ORIGIN, OTHER_SIGNER, SIGNER

from custody.aws.runs.keeping import keep_run
from custody.aws.s3.heads import SEAL_HEAD, TRAIL_HEAD, remember
from custody.console.reading import FRESH_FOR, Console, Overviews
from custody.core.console.overview import Overview
from custody.core.paging.found import Found
from custody.core.runs.chain import Link, Reached
from custody.core.tlog.checkpoint import Checkpoint
from custody.core.tlog.signed_note import NoteSigner
from custody.core.trail.heads import Heads
from custody.core.trail.report import Head
from custody.settings import Settings

PROVENANCE, ANALYTICS, TRAIL = (
    f"custody-test-{name}" for name in ("provenance", "analytics", "trail")
)
NOW = RUN.as_of + timedelta(minutes=5)
SETTINGS = Settings.parse(
    {
        **JOBS,
        "project": "custody",
        "stage": "test",
        "region": REGION,
        "account_id": "111122223333",
        "provenance_bucket": PROVENANCE,
        "analytics_bucket": ANALYTICS,
        "trail_bucket": TRAIL,
        "trail_name": "custody-test",
    }
)
DIGEST = (
    f"AWSLogs/111122223333/CloudTrail-Digest/{REGION}/2026/11/01/111122223333_CloudTrail-Digest_"
    f"{REGION}_custody-test_{REGION}_20261101T070000Z.json.gz"
)


@pytest.fixture
def s3() -> Iterator[Any]:
    with mock_aws():
        client = boto3.client("s3", region_name=REGION)
        for bucket in (PROVENANCE, ANALYTICS):
            make_bucket(client, bucket)
        yield client


def state(s3: Any, *, signer: NoteSigner = SIGNER) -> None:
    """A run that found a removal, and how far everybody has come."""
    report = replace(REPORT, found=Found((removed(),)).to_document())
    parts = {**PARTS, "report": report.to_bytes()}
    link = Link(Reached(RUN.end, RUN.end, RUN.start), None)
    keep_run(s3, PROVENANCE, RUN, BASIS, parts, signer=signer, key_arn="k", link=link)
    remember(s3, ANALYTICS, SEAL_HEAD, Checkpoint(ORIGIN, 7, bytes(32)).sign(signer))
    end = datetime(2026, 11, 1, 7, tzinfo=UTC)
    head = Head(TRAIL, DIGEST, "00" * 32, "00", end)
    remember(s3, ANALYTICS, TRAIL_HEAD, Heads({REGION: head}).to_json().encode())


def read(s3: Any) -> Overview:
    return Console(s3, SETTINGS, KEY).overview(NOW.date(), NOW)


def seen(overview: Overview) -> list[datetime | None]:
    return [watcher.seen for watcher in overview.watchers]


def test_what_was_signed_is_shown(s3: Any) -> None:
    state(s3)
    overview = read(s3)
    assert list(overview.findings) == [removed().fingerprint]
    judged, audited, sealed, proven = seen(overview)
    assert (judged, audited) == (RUN.end, None)
    assert sealed is not None
    assert proven == datetime(2026, 11, 1, 7, tzinfo=UTC)
    assert "7 entries" in {watcher.detail for watcher in overview.watchers}


def test_what_another_signed_is_not_shown(s3: Any) -> None:
    state(s3, signer=OTHER_SIGNER)
    overview = read(s3)
    assert overview.findings == {}
    assert seen(overview)[:3] == [None, None, None]
    assert not overview.is_well
    assert overview.disbelieved == [f"{RUN.day} {RUN.id}"]


def test_the_memory_of_pages_bends_nothing(s3: Any) -> None:
    """Airflow's role writes it, so it is not asked."""
    state(s3)
    s3.put_object(
        Bucket=ANALYTICS,
        Key=f"pages/findings/{removed().fingerprint}.json",
        Body=b'{"open": false}',
    )
    assert len(read(s3).open) == 1


def test_nothing_at_all_is_not_well(s3: Any) -> None:
    overview = read(s3)
    assert seen(overview) == [None] * 4
    assert not overview.is_well


@pytest.mark.parametrize("name", [SEAL_HEAD, TRAIL_HEAD])
def test_a_head_that_s3_does_not_hand_out_hides_nothing_else(s3: Any, name: str) -> None:
    state(s3)
    encrypt_anew(s3, name)
    overview = read(s3)
    assert list(overview.findings) == [removed().fingerprint]
    assert not overview.is_well
    of_heads = dict(zip([SEAL_HEAD, TRAIL_HEAD], seen(overview)[2:], strict=True))
    assert [head for head, at in of_heads.items() if at is None] == [name]


class Clock:
    now = NOW

    def __call__(self) -> datetime:
        return self.now


def test_who_reloads_costs_nothing_and_sees_what_is_new_soon(s3: Any) -> None:
    clock = Clock()
    opened = []

    def console() -> Console:
        opened.append(clock.now)
        return Console(s3, SETTINGS, KEY)

    overviews = Overviews(console, clock)
    assert overviews.of(1)[0].findings == {}
    state(s3)
    clock.now = NOW + FRESH_FOR
    assert overviews.of(1)[0].findings == {}
    assert opened == [NOW]
    clock.now += timedelta(seconds=1)
    assert len(overviews.of(1)[0].findings) == 1
    assert len(opened) == 2


def test_other_settings_are_another_deployment(s3: Any) -> None:
    state(s3)
    clock = Clock()
    settings = [SETTINGS]
    overviews = Overviews(lambda: Console(s3, settings[0], KEY), clock)
    assert len(overviews.of(1)[0].findings) == 1
    settings[0] = Settings.parse({**SETTINGS.fields.values, "provenance_bucket": ANALYTICS})
    clock.now = NOW + FRESH_FOR * 2
    overview, now = overviews.of(1)
    assert overview.findings == {}
    assert now == settings[0]


def test_a_deployment_that_is_another_is_opened_though_nobody_asks_for_an_overview(s3: Any) -> None:
    clock, settings = Clock(), [SETTINGS]
    overviews = Overviews(lambda: Console(s3, settings[0], KEY), clock)
    first = overviews.console()
    settings[0] = Settings.parse({**SETTINGS.fields.values, "provenance_bucket": ANALYTICS})
    clock.now = NOW + FRESH_FOR
    assert overviews.console() is first
    clock.now += timedelta(seconds=1)
    assert overviews.console().settings == settings[0]


def test_an_overview_of_another_deployment_is_not_shown_again(s3: Any) -> None:
    state(s3)
    clock, settings = Clock(), [SETTINGS]
    overviews = Overviews(lambda: Console(s3, settings[0], KEY), clock)
    overviews.console()
    clock.now = NOW + FRESH_FOR
    assert len(overviews.of(1)[0].findings) == 1
    settings[0] = Settings.parse({**SETTINGS.fields.values, "provenance_bucket": ANALYTICS})
    clock.now += timedelta(seconds=1)
    overview, now = overviews.of(1)
    assert (overview.findings, now) == ({}, settings[0])


def test_few_periods_are_kept(s3: Any) -> None:
    overviews = Overviews(lambda: Console(s3, SETTINGS, KEY), Clock())
    for days in range(1, 8):
        overviews.of(days)
    assert list(overviews._kept) == [4, 5, 6, 7]
