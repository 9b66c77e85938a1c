"""Proving a deployment's trail: from a moment on, or from the head remembered."""

import gzip
import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import boto3
import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from tests.support import trail_records
from tests.support.management_records import INSIDER, ROLE, role_taken, session
from tests.support.moto_aws import REGION, answer, make_bucket
from tests.support.trail_history import (
    ANOTHER_KEY,
    HOUR,
    LAYOUT,
    NOON,
    PRIVATE_KEY,
    History,
    MemoryStore,
    fingerprint,
    log_key,
)

from custody.aws.trail.log_reading import LogToRead, read_log_file
from custody.aws.trail.proof import ProvenTrail, TrailClients, prove_onward, prove_recent
from custody.aws.trail.store import S3TrailStore
from custody.core.ledger.attribution import attribute, calls_of
from custody.core.ledger.policy import Policy
from custody.core.trail.defects import TrailDefect, TrailDefectKind
from custody.core.trail.layout import TrailLayout
from custody.core.trail.span import Span
from custody.settings import Settings

SETTINGS = Settings.parse(
    {
        "trail_bucket": LAYOUT.bucket,
        "account_id": LAYOUT.account_id,
        "region": LAYOUT.region,
        "trail_name": LAYOUT.trail,
        "digest_seconds": "3600",
    }
)
HOURS = 6
ELSEWHERE = LAYOUT.in_region("eu-west-1")


@pytest.fixture
def history(s3: Any) -> History:
    """Six hours of a trail in two regions, in S3; what is given is the one at home."""
    store = MemoryStore()
    made = History(store).hours(HOURS)
    History(store, layout=ELSEWHERE, logs_per_hour=1, key=ANOTHER_KEY).hours(HOURS)
    make_bucket(s3, LAYOUT.bucket)
    for key, (stored,) in made.store.objects.items():
        s3.put_object(
            Bucket=LAYOUT.bucket, Key=key, Body=stored.body, Metadata=dict(stored.metadata)
        )
    return made


def test_an_organizations_trail_is_proven_in_this_accounts_folder(s3: Any, clients: Any) -> None:
    """Its bucket has a folder for the organization, and in it one for each account."""
    ours = replace(LAYOUT, organization_id="o-abcdefghij")
    store = MemoryStore()
    made = History(store, layout=ours).hours(HOURS)
    History(store, layout=ours.in_region(ELSEWHERE.region), key=ANOTHER_KEY).hours(HOURS)
    another = History(store, layout=replace(ours, account_id="999988887777")).hours(HOURS)
    store.objects.pop(another.logs[1][0])  # which is the other account's to find out
    make_bucket(s3, LAYOUT.bucket)
    for key, (stored,) in store.objects.items():
        metadata = dict(stored.metadata)
        s3.put_object(Bucket=LAYOUT.bucket, Key=key, Body=stored.body, Metadata=metadata)
    settings = Settings.parse({**SETTINGS.fields.values, "organization_id": "o-abcdefghij"})
    proven = prove_onward(clients, settings, as_of=made.end, since=NOON, remembered=None)
    assert proven.defects == ()
    assert proven.digests_verified == 2 * HOURS
    assert {log.key.split("/")[1] for log in proven.logs} == {"o-abcdefghij"}
    s3.delete_object(Bucket=LAYOUT.bucket, Key=made.logs[1][0])
    again = prove_onward(clients, settings, as_of=made.end, since=NOON, remembered=None)
    read = [read_log_file(S3TrailStore(s3, LAYOUT.bucket), log) for log in again.logs]
    assert [log.defect.key for log in read if log.defect] == [made.logs[1][0]]


@pytest.fixture
def clients(s3: Any) -> TrailClients:
    """A CloudTrail that knows the trail, and each region its key, in an account of two regions; S3
    dates objects now, so skew is no matter."""
    ec2 = boto3.client("ec2", region_name=REGION)
    regions = {"Regions": [{"RegionName": LAYOUT.region}, {"RegionName": ELSEWHERE.region}]}
    ec2.meta.events.register("before-call.ec2.DescribeRegions", lambda **_: answer(regions))
    asked = {
        LAYOUT.region: cloudtrail_of(LAYOUT.region, PRIVATE_KEY),
        ELSEWHERE.region: cloudtrail_of(ELSEWHERE.region, ANOTHER_KEY),
    }
    return TrailClients(s3, ec2, asked.__getitem__)


def cloudtrail_of(region: str, key: Any) -> Any:
    client = boto3.client("cloudtrail", region_name=region)
    der = key.public_key().public_bytes(Encoding.DER, PublicFormat.PKCS1)
    public = {"Fingerprint": fingerprint(key), "Value": der}
    trail = {
        "Name": LAYOUT.trail,
        "S3BucketName": LAYOUT.bucket,
        "HomeRegion": LAYOUT.home_region,
        "LogFileValidationEnabled": True,
        "IsMultiRegionTrail": True,
    }
    answers = {
        "ListPublicKeys": {"PublicKeyList": [public]},
        "DescribeTrails": {"trailList": [trail]},
        "GetTrail": {"Trail": trail},
        "GetTrailStatus": {"IsLogging": True, "StartLoggingTime": NOON},
    }
    for operation, told in answers.items():
        client.meta.events.register(
            f"before-call.cloudtrail.{operation}", lambda told=told, **_: answer(told)
        )
    return client


def test_who_took_a_role_in_another_region_is_behind_what_is_done_at_home(s3, clients, history):
    """As at the global endpoint of STS, whose calls are logged in one region alone."""
    at = history.end - 0.5 * HOUR
    taken = role_taken("glue", "ASIA1", INSIDER, awsRegion=ELSEWHERE.region)
    put = trail_records.put(userIdentity=session("glue", "ASIA1"), eventID="p1")
    for layout, record in ((ELSEWHERE, taken), (LAYOUT, put)):
        body = gzip.compress(json.dumps({"Records": [record]}).encode())
        key = log_key(at, "deeds0123456789a", layout)
        s3.put_object(Bucket=LAYOUT.bucket, Key=key, Body=body)
    deeds = [log for log in recent(clients, history, None).logs if "deeds" in log.key]
    store = S3TrailStore(s3, LAYOUT.bucket)
    read = [read_log_file(store, log).content for log in deeds]
    policy = Policy(
        as_of=history.end,
        grace=HOUR,
        layers={},
        writers={},
        recorders=(),
        assumed_by={f"{ROLE}glue": ()},
    )
    _, sessions = calls_of([call for log in read for call in log.calls], policy)
    (write,) = [attribute(event, sessions) for log in read for event in log.events]
    assert write.who.arn == INSIDER["arn"]


def onward(clients: TrailClients, history: History, remembered: bytes | None) -> ProvenTrail:
    return prove_onward(
        clients,
        SETTINGS,
        as_of=history.end,
        since=history.end - HOUR,
        remembered=remembered,
    )


def recent(clients: TrailClients, history: History, remembered: bytes | None) -> ProvenTrail:
    span = Span(history.end - HOUR, history.end + 2 * HOUR)
    return prove_recent(clients, SETTINGS, as_of=history.end, span=span, remembered=remembered)


def last_logs(history: History) -> list[str]:
    """The log files of the last hour, those at home first."""
    return [*history.logs[-1], log_key(history.end - 0.9 * HOUR, layout=ELSEWHERE)]


def keys_of(logs: Iterable[LogToRead]) -> list[str]:
    return [log.key for log in logs]


def test_the_trail_is_proven_as_far_back_as_its_events_need(clients, history):
    proven = recent(clients, history, None)
    assert (proven.defects, proven.trouble) == ((), None)
    assert {r: report.digests_verified for r, report in proven.reports.items()} == {
        LAYOUT.region: 3,
        ELSEWHERE.region: 3,
    }
    assert keys_of(proven.logs) == last_logs(history)
    last = LAYOUT.digest_key(history.end), ELSEWHERE.digest_key(history.end)
    assert {log.named.digest_key for log in proven.logs} == set(last)


def test_without_a_head_everything_is_proven(clients, history):
    proven = onward(clients, history, None)
    assert (proven.defects, proven.trouble) == ((), None)
    assert (proven.digests_verified, len(proven.logs)) == (2 * HOURS, 3 * HOURS)
    assert keys_of(log for log in proven.logs if log.wanted) == last_logs(history)


def test_heads_are_gone_on_from(s3, clients, history):
    heads = onward(clients, history, None).heads(())
    assert {head.key for head in heads.by_region.values()} == {
        LAYOUT.digest_key(history.end),
        ELSEWHERE.digest_key(history.end),
    }
    proven = gone_on(s3, clients, history, heads.to_json())
    assert (proven.defects, proven.trouble, proven.heads(())) == ((), None, heads)
    # Those from `since` on are proven anew, the older ones are not.
    assert keys_of(proven.logs) == last_logs(history)


def gone_on(s3: Any, clients: TrailClients, history: History, remembered: str) -> ProvenTrail:
    begin_listings_behind_something(s3, LAYOUT, ELSEWHERE)
    return onward(clients, history, remembered.encode())


def test_the_head_of_one_region_that_earlier_audits_remembered_is_gone_on_from(
    s3, clients, history
):
    """The other region, which the trail did not log then, is proven from its beginning."""
    heads = onward(clients, history, None).heads(())
    begin_listings_behind_something(s3, LAYOUT)
    earlier = heads.by_region[LAYOUT.region].to_json()
    proven = onward(clients, history, earlier.encode())
    assert Counter(log.region for log in proven.logs) == {
        LAYOUT.region: 2,
        ELSEWHERE.region: HOURS,
    }
    assert (proven.defects, proven.trouble, proven.heads(())) == ((), None, heads)


def test_heads_that_cannot_be_used_are_told_and_everything_proven(clients, history):
    head = onward(clients, history, None).heads(()).by_region[LAYOUT.region]
    foreign = replace(head, bucket="another-bucket").to_json()
    unknown = replace(head, key="x").to_json()
    for remembered, trouble in (
        (b"{", "not JSON"),
        (foreign.encode(), "it is of another trail"),
        (unknown.encode(), "it is of another trail"),
    ):
        proven = onward(clients, history, remembered)
        assert trouble in proven.trouble
        assert (proven.digests_verified, proven.defects) == (2 * HOURS, ())


def begin_listings_behind_something(s3: Any, *layouts: TrailLayout) -> None:
    """moto leaves out the first key behind the one a listing begins at, unless that is there."""
    for prefix in [p for layout in layouts for p in (layout.digest_prefix, layout.log_prefix)]:
        s3.put_object(Bucket=LAYOUT.bucket, Key=f"{prefix}2026/11/01", Body=b"x")


def gone(s3: Any, prefix: str) -> None:
    """Everything under a prefix was deleted for good, versions and all."""
    for version in s3.list_object_versions(Bucket=LAYOUT.bucket, Prefix=prefix)["Versions"]:
        s3.delete_object(Bucket=LAYOUT.bucket, Key=version["Key"], VersionId=version["VersionId"])


def test_a_region_whose_digests_are_gone_is_missed_by_both_jobs(s3, clients, history):
    heads = onward(clients, history, None).heads(())
    remembered = heads.to_json().encode()
    for prefix in (ELSEWHERE.digest_prefix, ELSEWHERE.log_prefix):
        gone(s3, prefix)
    begin_listings_behind_something(s3, LAYOUT)
    for prove in (onward, recent):
        proven = prove(clients, history, remembered)
        (defect,) = proven.defects
        assert defect.kind is TrailDefectKind.NO_DIGESTS
        assert (defect.key, "of eu-west-1" in defect.reason) == (ELSEWHERE.digest_prefix, True)
        # What was proven there is not forgotten, and the other region goes on.
        assert proven.heads(()).by_region[ELSEWHERE.region] == heads.by_region[ELSEWHERE.region]


def test_a_head_does_not_move_past_a_log_that_is_not_what_its_digest_says(clients, history):
    proven = onward(clients, history, None)
    broken = TrailDefect(TrailDefectKind.LOG_ALTERED, LAYOUT.bucket, history.logs[0][0], "why")
    assert set(proven.heads([broken]).by_region) == {ELSEWHERE.region}


def test_what_was_proven_long_ago_is_proven_anew_when_its_day_comes(s3, clients, history):
    """A log file of another day, which nothing that goes on from a head looks at again."""
    heads = onward(clients, history, None).heads(())
    old = history.logs[0][0]
    body = s3.get_object(Bucket=LAYOUT.bucket, Key=old)["Body"].read()
    s3.put_object(Bucket=LAYOUT.bucket, Key=old, Body=b"changed")

    def proven(remembered, *, anew, from_heads=()):
        begin_listings_behind_something(s3, *from_heads)
        trail = prove_onward(
            clients,
            SETTINGS,
            as_of=history.end,
            since=history.end - HOUR,
            remembered=remembered.to_json().encode(),
            anew=anew,
        )
        store = S3TrailStore(s3, LAYOUT.bucket)
        read = [read_log_file(store, log) for log in trail.logs]
        broken = [log.defect for log in read if log.defect is not None]
        assert trail.defects == ()
        return trail.heads(broken), {defect.key for defect in broken}

    found, broken = proven(heads, anew=True)
    assert broken == {old}
    # Found again on each day, until it is as it was: a page that is open stays it.
    assert found == replace(heads, anew=frozenset({LAYOUT.region}))
    assert proven(found, anew=False, from_heads=[ELSEWHERE]) == (found, {old})
    s3.put_object(Bucket=LAYOUT.bucket, Key=old, Body=body)
    assert proven(found, anew=False) == (heads, set())
    s3.put_object(Bucket=LAYOUT.bucket, Key=old, Body=b"changed")
    assert proven(heads, anew=False, from_heads=[LAYOUT]) == (heads, set())


QUARTER = 6 * HOUR
"""What one digest covers where a trail has to last for days."""

DAYS = 9


@pytest.fixture
def days(s3: Any) -> History:
    """Days of a trail with four digests each."""
    made = History(MemoryStore(), cadence=QUARTER).hours(4 * DAYS)
    make_bucket(s3, LAYOUT.bucket)
    for key, (stored,) in made.store.objects.items():
        s3.put_object(
            Bucket=LAYOUT.bucket, Key=key, Body=stored.body, Metadata=dict(stored.metadata)
        )
    return made


def at_home(clients: TrailClients) -> TrailClients:
    regions = {"Regions": [{"RegionName": LAYOUT.region}]}
    ec2 = boto3.client("ec2", region_name=REGION)
    ec2.meta.events.register("before-call.ec2.DescribeRegions", lambda **_: answer(regions))
    return replace(clients, ec2=ec2)


def of_quarter(clients: TrailClients, days: History, number: int) -> ProvenTrail:
    """What is proven for an hour of one of the digests' periods, judged at the end of the days."""
    start = days.start + number * QUARTER
    span = Span(start, start + HOUR)
    settings = Settings.parse({**SETTINGS_OF_DAYS})
    return prove_recent(at_home(clients), settings, as_of=days.end, span=span, remembered=None)


SETTINGS_OF_DAYS = {
    "trail_bucket": LAYOUT.bucket,
    "account_id": LAYOUT.account_id,
    "region": LAYOUT.region,
    "trail_name": LAYOUT.trail,
    "digest_seconds": str(int(QUARTER.total_seconds())),
}


def test_what_is_read_is_bounded_by_the_window_however_old_it_is(s3, clients, days):
    fetched: list[str] = []
    s3.meta.events.register(
        "provide-client-params.s3.GetObject", lambda params, **_: fetched.append(params["Key"])
    )
    reads = []
    for number in (4, 8, 16):
        proven = of_quarter(clients, days, number)
        assert proven.defects == ()
        assert keys_of(proven.logs) == days.logs[number][:1]  # the second is of the next hour
        reads.append(len(fetched))
        fetched.clear()
    # Two days of digests, four a day, and those around them.
    assert len(set(reads)) == 1
    assert reads[0] <= 2 * 4 + 4


def test_a_log_is_fetched_once(s3, clients, days):
    fetched = Counter[str]()
    s3.meta.events.register(
        "provide-client-params.s3.GetObject",
        lambda params, **_: fetched.update([params["Key"]]),
    )
    proven = of_quarter(clients, days, 4 * DAYS - 1)
    store = S3TrailStore(s3, LAYOUT.bucket)
    read = [read_log_file(store, log) for log in proven.logs]
    assert [log.content.log for log in read] == keys_of(proven.logs) != []
    assert {fetched[key] for key in keys_of(proven.logs)} == {1}


@pytest.mark.parametrize(
    "tamper",
    [
        lambda s3, days: s3.put_object(Bucket=LAYOUT.bucket, Key=days.logs[4][0], Body=b"forged"),
        lambda s3, days: s3.delete_object(Bucket=LAYOUT.bucket, Key=days.logs[4][0]),
        lambda s3, days: gone(s3, days.logs[4][0]),
        lambda s3, days: gone(s3, days.digests[5]),
        lambda s3, days: s3.put_object(
            Bucket=LAYOUT.bucket, Key=log_key(days.start + 4.5 * QUARTER), Body=b"added"
        ),
    ],
    ids=["replaced", "hidden", "destroyed", "a digest destroyed", "added"],
)
def test_where_something_is_not_as_cloudtrail_leaves_it_all_is_read_to_find_who(
    s3, clients, days, tamper
):
    honest = of_quarter(clients, days, 4).digests_verified
    tamper(s3, days)
    assert of_quarter(clients, days, 4).digests_verified > honest + 4 * (DAYS - 5)
