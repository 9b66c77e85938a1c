"""Delivery: what is due goes out once, whatever fails or dies on the way."""

from __future__ import annotations

import asyncio
import datetime as dt
import gzip
import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from tests.infra.local.cloudtrail.samples import PLACE, record, trail

from localaws.cloudtrail.delivery.delivery import Delivery
from localaws.cloudtrail.delivery.permissions import DeliveryError
from localaws.cloudtrail.delivery.publickeys import SigningKey
from localaws.cloudtrail.journal import Journal
from localaws.cloudtrail.knobs import Knobs
from localaws.cloudtrail.settings import CloudTrailSettings
from localaws.cloudtrail.trails import Trail

START = dt.datetime(2026, 11, 2, 11, 59, 30, tzinfo=dt.UTC).timestamp()
NOON = START + 30
HOUR = 3600
ARN = trail().arn


@dataclass
class Bucket:
    """Takes files as S3 does with If-None-Match, and refuses when told to."""

    objects: dict[str, bytes] = field(default_factory=dict)
    metadata: dict[str, Mapping[str, str]] = field(default_factory=dict)
    kms_keys: dict[str, str | None] = field(default_factory=dict)
    refusal: DeliveryError | None = None
    refused_key: str | None = None
    writes: int = 0

    async def put(
        self,
        *,
        trail_arn: str,  # noqa: ARG002
        bucket: str,
        key: str,
        body: bytes,
        kms_key_id: str | None,
        metadata: Mapping[str, str],
    ) -> None:
        if self.refusal is not None:
            raise self.refusal
        if self.refused_key is not None and key.endswith(self.refused_key):
            raise DeliveryError("SlowDown", "not this one")
        self.writes += 1
        name = f"{bucket}/{key}"
        if name not in self.objects:
            self.objects[name] = body
            self.metadata[name] = metadata
            self.kms_keys[name] = kms_key_id

    def logs(self) -> dict[str, dict[str, Any]]:
        return {
            n: json.loads(gzip.decompress(b)) for n, b in self.objects.items() if "Digest" not in n
        }

    def digests(self) -> list[dict[str, Any]]:
        found = [json.loads(gzip.decompress(b)) for n, b in self.objects.items() if "Digest" in n]
        return sorted(found, key=lambda digest: str(digest["digestEndTime"]))

    def event_ids(self) -> list[str]:
        return sorted(r["eventID"] for log in self.logs().values() for r in log["Records"])


@dataclass
class Account:
    """Trails as a control plane would hold them."""

    trails: list[Trail]

    def of(self, account_id: str) -> list[Trail]:
        assert account_id == PLACE.account_id
        return self.trails


@dataclass
class Rig:
    """A delivery with a clock that only tests move."""

    path: Path
    bucket: Bucket = field(default_factory=Bucket)
    account: Account = field(default_factory=lambda: Account([trail()]))
    now: float = START
    count: int = 0
    journal: Journal = field(init=False)
    delivery: Delivery = field(init=False)

    def __post_init__(self) -> None:
        self.restart()

    def restart(self) -> None:
        """A new process on the same home; the old one did not get to say goodbye."""
        self.journal = Journal(self.path / "journal.sqlite")
        self.delivery = _delivery(self)

    def event(
        self, *, own: bool = False, hold: float = 0.0, trails: tuple[str, ...] = (ARN,)
    ) -> str:
        self.count += 1
        event_id = f"event-{self.count:04}"
        moment = dt.datetime.fromtimestamp(self.now, dt.UTC)
        self.journal.append(
            record(event_id=event_id, completed_at=moment), trails, [self.now + hold], own
        )
        return event_id

    def run(self) -> None:
        asyncio.run(self.delivery.run_once())


def _delivery(rig: Rig) -> Delivery:
    return Delivery(
        journal=rig.journal,
        trails=rig.account,
        knobs=Knobs(seed=0),
        writer=rig.bucket,
        key=lambda: SigningKey.of(rig.path, "us-east-1"),
        settings=CloudTrailSettings(events_per_file=10, catch_up_digests=5),
        place=PLACE,
        clock=lambda: rig.now,
    )


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = Path(tmp_path_factory.mktemp("keys"))
    SigningKey.of(directory, "us-east-1")
    return directory


@pytest.fixture
def rig(tmp_path: Path, keys: Path) -> Rig:
    (tmp_path / "us-east-1.pem").write_bytes((keys / "us-east-1.pem").read_bytes())
    return Rig(tmp_path)


def test_a_log_file_has_aws_name_and_form(rig: Rig) -> None:
    event_id = rig.event()
    rig.run()
    ((name, log),) = rig.bucket.logs().items()
    assert re.fullmatch(
        r"trail-bucket/AWSLogs/111122223333/CloudTrail/us-east-1/2026/11/02/"
        r"111122223333_CloudTrail_us-east-1_20261102T1159Z_[A-Za-z0-9]{16}\.json\.gz",
        name,
    )
    assert list(log) == ["Records"]
    assert [r["eventID"] for r in log["Records"]] == [event_id]
    assert rig.delivery.status(ARN).latest_delivery == START


def test_files_are_bounded_and_hold_every_event_once(rig: Rig) -> None:
    ids = [rig.event() for _ in range(25)]
    rig.run()
    sizes = sorted(len(log["Records"]) for log in rig.bucket.logs().values())
    assert sizes == [5, 10, 10]
    assert rig.bucket.event_ids() == ids


def test_records_of_a_file_are_in_no_order(rig: Rig) -> None:
    ids = [rig.event() for _ in range(10)]
    rig.run()
    (log,) = rig.bucket.logs().values()
    assert [r["eventID"] for r in log["Records"]] != ids


def test_an_event_held_back_comes_when_it_is_due(rig: Rig) -> None:
    late = rig.event(hold=60)
    soon = rig.event()
    rig.run()
    assert rig.bucket.event_ids() == [soon]
    rig.now += 60
    rig.run()
    assert rig.bucket.event_ids() == sorted([late, soon])


def test_flush_delivers_what_is_not_yet_due(rig: Rig) -> None:
    late = rig.event(hold=9999)
    written = asyncio.run(rig.delivery.flush())
    assert rig.bucket.event_ids() == [late]
    assert written == [f"s3://{name}" for name in rig.bucket.logs()]


def test_each_trail_gets_its_own_file(rig: Rig) -> None:
    other = trail(arn=ARN + "-2", name="other", bucket="other-bucket", prefix="p", kms_key_id="key")
    rig.account.trails.append(other)
    rig.event(trails=(ARN, other.arn))
    rig.run()
    names = sorted(rig.bucket.logs())
    assert names[0].startswith("other-bucket/p/AWSLogs/")
    assert names[1].startswith("trail-bucket/AWSLogs/")
    assert rig.bucket.kms_keys[names[0]] == "key"
    assert rig.bucket.kms_keys[names[1]] is None


def test_our_own_deliveries_ride_along_but_cause_none(rig: Rig) -> None:
    own = rig.event(own=True)
    rig.run()
    rig.run()
    assert rig.bucket.logs() == {}
    real = rig.event()
    rig.run()
    assert rig.bucket.event_ids() == sorted([own, real])
    asyncio.run(rig.delivery.flush())
    assert len(rig.bucket.logs()) == 1


def test_a_refused_file_is_delivered_once_the_bucket_takes_it(rig: Rig) -> None:
    event_id = rig.event()
    rig.bucket.refusal = DeliveryError("AccessDenied", "no")
    rig.run()
    assert rig.bucket.logs() == {}
    assert rig.delivery.status(ARN).latest_delivery_error == "AccessDenied"
    with pytest.raises(DeliveryError, match="AccessDenied"):
        asyncio.run(rig.delivery.flush())
    rig.bucket.refusal = None
    rig.run()
    assert rig.bucket.event_ids() == [event_id]
    assert rig.delivery.status(ARN).latest_delivery_error is None


def test_a_kill_before_the_write_loses_nothing(rig: Rig) -> None:
    waiting = rig.event(hold=60)
    planned = rig.event()
    rig.bucket.refusal = DeliveryError("InternalError", "the process dies here")
    rig.run()
    rig.restart()
    rig.bucket.refusal = None
    rig.run()
    assert rig.bucket.event_ids() == [planned]
    rig.now += 60
    rig.run()
    assert rig.bucket.event_ids() == sorted([waiting, planned])


def test_a_kill_after_the_write_delivers_nothing_twice(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    event_id = rig.event()

    def dies(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as dying:
        dying.setattr(Journal, "file_delivered", dies)
        with pytest.raises(KeyboardInterrupt):
            rig.run()
    assert rig.bucket.event_ids() == [event_id]
    rig.restart()
    rig.run()
    assert rig.bucket.writes == 2
    assert rig.bucket.event_ids() == [event_id]
    rig.now = NOON
    rig.run()
    assert [len(digest["logFiles"]) for digest in rig.bucket.digests()] == [1]


def test_a_trail_deleted_before_delivery_takes_its_events_with_it(rig: Rig) -> None:
    rig.event()
    rig.account.trails.clear()
    rig.run()
    assert rig.journal.counts()["pending_events"] == 0
    assert rig.bucket.logs() == {}


# Digests


def test_a_digest_every_hour_even_when_nothing_happened(rig: Rig) -> None:
    rig.run()
    rig.now = NOON
    rig.event()
    rig.run()
    rig.now = NOON + HOUR
    rig.run()
    rig.now = NOON + 2 * HOUR
    rig.run()
    first, second, third = rig.bucket.digests()
    assert (first["digestStartTime"], first["digestEndTime"]) == (
        "2026-11-02T11:59:30Z",
        "2026-11-02T12:00:00Z",
    )
    # Delivered exactly at noon: the window is start < t <= end.
    assert [len(d["logFiles"]) for d in (first, second, third)] == [1, 0, 0]
    assert first["previousDigestSignature"] is None
    assert second["previousDigestS3Object"] == first["digestS3Object"]
    assert third["previousDigestS3Object"] == second["digestS3Object"]
    assert third["digestStartTime"] == second["digestEndTime"] == "2026-11-02T13:00:00Z"


def test_a_digest_names_each_file_with_the_hash_of_its_content(rig: Rig) -> None:
    rig.run()
    for _ in range(12):
        rig.event()
    rig.run()
    rig.now = NOON
    rig.run()
    (digest,) = rig.bucket.digests()
    assert {f"{f['s3Bucket']}/{f['s3Object']}" for f in digest["logFiles"]} == set(
        rig.bucket.logs()
    )
    for named in digest["logFiles"]:
        body = rig.bucket.objects[f"{named['s3Bucket']}/{named['s3Object']}"]
        assert named["hashValue"] == hashlib.sha256(gzip.decompress(body)).hexdigest()


def test_the_signature_is_in_the_objects_metadata(rig: Rig) -> None:
    rig.run()
    rig.now = NOON
    rig.run()
    (name,) = (n for n in rig.bucket.objects if "Digest" in n)
    assert re.fullmatch(r"[0-9a-f]{512}", rig.bucket.metadata[name]["signature"])


def test_after_a_stop_the_chain_goes_on_with_the_hours_in_between(rig: Rig) -> None:
    rig.run()
    rig.now = NOON
    rig.run()
    rig.restart()
    rig.now = NOON + 3 * HOUR + 120
    rig.run()
    digests = rig.bucket.digests()
    assert [d["digestEndTime"][11:19] for d in digests] == [
        "12:00:00", "13:00:00", "14:00:00", "15:00:00",
    ]  # fmt: skip
    assert [d["previousDigestS3Object"] for d in digests[1:]] == [
        d["digestS3Object"] for d in digests[:-1]
    ]


def test_a_refused_digest_holds_the_chain_until_the_bucket_takes_it(rig: Rig) -> None:
    rig.run()
    rig.bucket.refusal = DeliveryError("AccessDenied", "no")
    rig.now = NOON
    rig.run()
    rig.now = NOON + HOUR
    rig.run()
    assert rig.delivery.status(ARN).latest_digest_error == "AccessDenied"
    rig.bucket.refusal = None
    rig.restart()
    rig.run()
    first, second = rig.bucket.digests()
    assert second["previousDigestS3Object"] == first["digestS3Object"]


def test_a_later_digest_never_overtakes_a_refused_one(rig: Rig) -> None:
    rig.run()
    rig.bucket.refused_key = "T120000Z.json.gz"
    rig.now = NOON + HOUR
    rig.run()
    assert rig.bucket.digests() == []
    rig.bucket.refused_key = None
    rig.run()
    assert len(rig.bucket.digests()) == 2


def test_a_trail_that_is_not_validated_has_no_digests(rig: Rig) -> None:
    rig.account.trails[:] = [trail(validated=False)]
    rig.event()
    rig.run()
    rig.now = NOON
    rig.run()
    assert len(rig.bucket.logs()) == 1
    assert rig.bucket.digests() == []


def test_stopping_a_trail_ends_its_chain_and_starting_begins_another(rig: Rig) -> None:
    rig.run()
    rig.event()
    rig.run()
    rig.account.trails[:] = [trail(logging=False)]
    rig.now += 10
    rig.run()
    (last,) = rig.bucket.digests()
    assert len(last["logFiles"]) == 1
    rig.now = NOON + HOUR + 60
    rig.run()
    assert len(rig.bucket.digests()) == 1
    rig.account.trails[:] = [trail()]
    rig.run()
    rig.now = NOON + 2 * HOUR
    rig.run()
    newest = rig.bucket.digests()[-1]
    assert newest["previousDigestS3Object"] is None
    assert newest["digestStartTime"] == "2026-11-02T13:01:00Z"


def test_two_digests_at_once_take_two_windows(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    async def wait(seconds: float) -> None:
        rig.now += seconds

    monkeypatch.setattr(asyncio, "sleep", wait)
    rig.event()
    rig.run()
    first = asyncio.run(rig.delivery.digest_now())
    second = asyncio.run(rig.delivery.digest_now())
    assert len(first) == len(second) == 1
    assert first != second
    digests = rig.bucket.digests()
    assert [len(d["logFiles"]) for d in digests] == [1, 0]
    assert digests[1]["digestStartTime"] == digests[0]["digestEndTime"]
