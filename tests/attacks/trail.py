"""Attacks on the trail as a whole: switched off, blinded, or kept from delivering."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.attacks.attack import Finding, Outcome, made
from tests.attacks.controls import without_removals
from tests.attacks.world import INSIDER, UPLOADER, World
from tests.support.patience import PATIENCE_SECONDS

from rehearsal import tampering
from rehearsal.waiting import wait_until


def _name(world: World) -> dict[str, str]:
    return {"Name": world.platform.settings["trail_name"]}


def _ends_of_chains(world: World) -> list[str]:
    """The newest digest of each region, once CloudTrail has seen that it is to write no more."""
    time.sleep(6)
    return [world.digests(layout)[-1] for layout in world.layouts]


@made(INSIDER, call="StopLogging")
def logging_is_stopped_for_a_while(world: World) -> list[Finding]:
    """stops the trail while a file lands, and starts it again"""
    trail = world.client("cloudtrail")
    trail.stop_logging(**_name(world))
    try:
        ends = _ends_of_chains(world)
        landed = world.land("unlogged.csv")
    finally:
        trail.start_logging(**_name(world))
    return [
        *(world.broken(last, None) for last in ends),
        world.finding("UNWITNESSED", landed, UPLOADER),
    ]


@made(INSIDER, call="UpdateTrail")
def validation_is_switched_off_for_a_while(world: World) -> list[Finding]:
    """switches log file validation off while a file lands, and on again

    The file's event is in a log that nothing vouches for: PENDING for ever, and the gap is told. So
    is the call that switched it off; the one that switched it on again is proven, and is a change
    of the trail by him. Who repairs a trail makes the same call: the gap names nobody.
    """
    trail = world.client("cloudtrail")
    trail.update_trail(**_name(world), EnableLogFileValidation=False)
    try:
        ends = _ends_of_chains(world)
        world.recorded("unvouched.csv")
        world.flush()
    finally:
        trail.update_trail(**_name(world), EnableLogFileValidation=True)
    return [world.broken(last, None, by=None) for last in ends]


def _cut_the_tail(world: World) -> tuple[str, str, datetime]:
    """Keep CloudTrail from writing, and delete its newest digest: its key, its version, and the end
    of its period."""
    world.next_digest()
    key = world.next_digest()
    deny = {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Deny",
                "Principal": {"Service": "cloudtrail.amazonaws.com"},
                "Action": "s3:PutObject",
                "Resource": f"arn:aws:s3:::{world.trail}/*",
            }
        ],
    }
    where = {"Bucket": world.trail}
    policy = world.s3.get_bucket_policy(**where)["Policy"]
    version = world.s3.head_object(**where, Key=key)["VersionId"]
    with tampering.as_deployer(world.platform) as deployer:
        deployer.put_bucket_policy(**where, Policy=json.dumps(deny))
    world.undo.append(lambda: world.s3.put_bucket_policy(**where, Policy=policy))
    world.s3.delete_object(**where, Key=key, VersionId=version, BypassGovernanceRetention=True)
    name = world.layout.digest_name(key)
    assert name is not None
    return key, version, name.end


@made(INSIDER, call="DeleteObject")
def the_tail_is_truncated(world: World) -> Outcome:
    """keeps CloudTrail from writing and deletes the newest digest for good

    Nobody can be named while CloudTrail cannot deliver; once it can, he is, and people are told.
    """
    key, version, end = _cut_the_tail(world)
    # One digest is due and not there: the next is not due yet.
    world.as_of = overdue = end + timedelta(seconds=15)
    wait_until(
        "the digest is overdue", lambda: datetime.now(UTC) > overdue, seconds=PATIENCE_SECONDS
    )
    named = (world.broken(key, None), world.removed(key, version))
    return Outcome((world.broken(key, None, by=None),), named)


@made(INSIDER, call="PutEventSelectors")
def the_selectors_stay_narrowed(world: World) -> Outcome:
    """takes removals out of the trail's event selectors and leaves it so

    That he did is found by itself; that the trail does not see is found for as long as it holds.
    """
    trail, name = world.client("cloudtrail"), world.platform.settings["trail_name"]
    before = trail.get_event_selectors(TrailName=name)["AdvancedEventSelectors"]

    def select(selectors: list[Any]) -> None:
        trail.put_event_selectors(TrailName=name, AdvancedEventSelectors=selectors)

    select(without_removals(before))
    world.undo.append(lambda: select(before))
    return Outcome((world.broken(world.layout.digest_prefix, None, by=None),), ())


@made(INSIDER)
def logging_is_stopped(world: World) -> Outcome:
    """stops the trail and leaves it so"""
    world.settle()  # what CloudTrail could not deliver in the round before
    trail = world.client("cloudtrail")
    trail.stop_logging(**_name(world))
    world.undo.append(lambda: trail.start_logging(**_name(world)))
    time.sleep(6)  # CloudTrail's last digest vouches for the call itself
    return Outcome((world.broken(world.layout.digest_prefix, None),), ())
