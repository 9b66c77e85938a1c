"""Attacks on the trail's log files. Each has a log file of its own, delivered for the purpose."""

from __future__ import annotations

import gzip
import json
import random
import string
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

from tests.attacks.attack import Finding, Outcome, made
from tests.attacks.world import FOLDER, INSIDER, UPLOADER, World, lifted

from rehearsal.landing import Landed

Records = list[dict[str, Any]]


def _log_of(world: World, name: str) -> tuple[str, Landed]:
    """The key of the log file with the event of a file landing, just delivered; and the file."""
    world.flush()
    before = set(world.logs())
    landed = world.recorded(name)
    world.flush()
    # CloudTrail may have delivered by itself meanwhile.
    for key in set(world.logs()) - before:
        content = gzip.decompress(world.read(key)[0])
        if landed.version_id.encode() in content:
            return key, landed
    raise AssertionError(f"no log file has the event of {landed.key}")


def _edit(world: World, name: str, change: Callable[[Records], Records]) -> list[Finding]:
    """Change the events of a log file; its events stay proven by the older version."""
    key, _ = _log_of(world, name)
    records = json.loads(gzip.decompress(world.read(key)[0]))["Records"]
    edited = json.dumps({"Records": change(records)}).encode()
    return [world.broken(key, world.put_in_trail(key, gzip.compress(edited)))]


def _spoil(world: World, name: str, change: Callable[[bytes], bytes]) -> list[Finding]:
    """Change the bytes of a log file."""
    key, _ = _log_of(world, name)
    return [world.broken(key, world.put_in_trail(key, change(world.read(key)[0])))]


@made(INSIDER)
def a_log_blames_another(world: World) -> list[Finding]:
    """changes a log file so that it names another principal"""

    def blame(records: Records) -> Records:
        for record in records:
            record["userIdentity"] = {"type": "IAMUser", "principalId": "AIDA", "arn": "arn:x"}
        return records

    return _edit(world, "log-blames.csv", blame)


@made(INSIDER)
def an_event_is_taken_out(world: World) -> list[Finding]:
    """takes the event of an upload out of a log file"""
    return _edit(
        world,
        "log-event-removed.csv",
        lambda records: [r for r in records if r["eventName"] != "PutObject"],
    )


@made(INSIDER)
def an_event_is_doubled(world: World) -> list[Finding]:
    """adds a copy of an event with another identity to a log file"""

    def double(records: Records) -> Records:
        copies = [{**r, "eventID": f"{n:032x}", "userIdentity": {"type": "Root", "arn": "arn:x"}}
                  for n, r in enumerate(records)]  # fmt: skip
        return records + copies

    return _edit(world, "log-event-doubled.csv", double)


@made(INSIDER)
def events_are_reordered(world: World) -> list[Finding]:
    """rewrites a log file with its events in another order"""
    return _edit(world, "log-reordered.csv", lambda records: [*records[1:], records[0], {}][:-1])


@made(INSIDER)
def a_log_is_emptied(world: World) -> list[Finding]:
    """replaces a log file by one without events"""
    return _edit(world, "log-emptied.csv", lambda _: [])


@made(INSIDER)
def trailing_bytes(world: World) -> list[Finding]:
    """appends bytes behind a log file's gzip data, which some readers pass over"""
    return _spoil(world, "log-trailing.csv", lambda body: body + b"\0\0\0\0")


@made(INSIDER)
def a_second_member(world: World) -> list[Finding]:
    """appends a second gzip member with more events to a log file"""
    more = gzip.compress(b'{"Records": []}')
    return _spoil(world, "log-second-member.csv", lambda body: body + more)


@made(INSIDER)
def a_log_is_truncated(world: World) -> list[Finding]:
    """cuts a log file off in the middle"""
    return _spoil(world, "log-truncated.csv", lambda body: body[: len(body) // 2])


@made(INSIDER)
def a_log_is_no_gzip(world: World) -> list[Finding]:
    """replaces a log file by plain text"""
    return _spoil(world, "log-plain.csv", lambda _: b"nothing to see here")


@made(INSIDER)
def a_log_is_hidden(world: World) -> list[Finding]:
    """deletes a log file, which hides it behind a delete marker"""
    key, _ = _log_of(world, "log-hidden.csv")
    marker = world.hide(world.trail, key)
    return [world.broken(key, marker), world.removed(key, marker)]


@made(INSIDER, call="DeleteObject")
def a_log_is_destroyed(world: World) -> list[Finding]:
    """deletes a log file for good, past its lock

    Its event was the second witness of that file.
    """
    key, landed = _log_of(world, "log-destroyed.csv")
    gone = world.destroy(world.trail, key)
    return [
        world.broken(key, None),
        world.removed(key, gone),
        world.finding("UNWITNESSED", landed, UPLOADER),
    ]


@made(INSIDER, call="DeleteObjects")
def a_log_is_destroyed_in_a_batch(world: World) -> list[Finding]:
    """destroys a log file by DeleteObjects, which names nothing in CloudTrail

    Whoever made such a call may have been it, and is named for the call alone.
    """
    key, landed = _log_of(world, "log-destroyed-in-a-batch.csv")
    version = world.s3.head_object(Bucket=world.trail, Key=key)["VersionId"]
    with lifted(world, world.trail) as s3:
        s3.delete_objects(
            Bucket=world.trail,
            Delete={"Objects": [{"Key": key, "VersionId": version}]},
            BypassGovernanceRetention=True,
        )
    return [
        world.broken(key, None, by=None),
        world.removed("*", "null"),
        world.finding("UNWITNESSED", landed, UPLOADER),
    ]


@made(INSIDER, call="PutObject")
def a_log_is_replaced_for_good(world: World) -> list[Finding]:
    """puts another log file under the key of one, and deletes the honest version for good"""
    key, landed = _log_of(world, "log-replaced.csv")
    honest = world.s3.head_object(Bucket=world.trail, Key=key)["VersionId"]
    forged = world.put_in_trail(key, gzip.compress(b'{"Records": []}'))
    world.destroy(world.trail, key, honest)
    return [
        world.broken(key, forged),
        world.removed(key, honest),
        world.finding("UNWITNESSED", landed, UPLOADER),
    ]


# Proven long ago


def _proven_long_ago(world: World) -> Iterator[str]:
    """The keys of log files that audits have proven, the oldest first, in which nobody wrote."""
    for key in world.logs():
        if b'"Data"' not in gzip.decompress(world.read(key)[0]):
            yield key


@made(INSIDER)
def an_old_log_is_destroyed(world: World) -> Outcome:
    """deletes a log file for good that every audit has proven so far"""
    key = next(_proven_long_ago(world))
    gone = world.destroy(world.trail, key)
    found = (world.broken(key, None),)
    return Outcome(found, found, reconciled=(*found, world.removed(key, gone)))


@made(INSIDER)
def an_old_log_is_changed(world: World) -> Outcome:
    """changes a log file that every audit has proven so far"""
    key = next(_proven_long_ago(world))
    edited = gzip.compress(b'{"Records": []}')
    found = (world.broken(key, world.put_in_trail(key, edited)),)
    return Outcome(found, found, reconciled=found)


def _new_log(world: World) -> str:
    """The key of a log file as CloudTrail would name one now."""
    account, region = world.platform.settings["account_id"], world.platform.settings["region"]
    letters = random.Random(world.began.isoformat() + str(len(world.injected)))  # noqa: S311
    unique = "".join(letters.choices(string.ascii_letters + string.digits, k=16))
    now = datetime.now(UTC)
    key = (
        f"{world.layout.log_prefix}{now:%Y/%m/%d}/"
        f"{account}_CloudTrail_{region}_{now:%Y%m%dT%H%MZ}_{unique}.json.gz"
    )
    world.injected.append(key)
    return key


def _witnessing(world: World, model: Landed, key: str, version_id: str) -> bytes:
    """A log file in which an uploader writes an object version that he did not."""
    event = {
        "eventVersion": "1.11",
        "eventSource": "s3.amazonaws.com",
        "eventName": "PutObject",
        "eventCategory": "Data",
        "eventTime": f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}",
        "eventID": "00000000-0000-0000-0000-000000000001",
        "requestID": version_id[:16].upper(),
        "userIdentity": {"type": "IAMUser", "principalId": "X", "arn": world.arn(model.principal)},
        "requestParameters": {"bucketName": world.raw, "key": key},
        "responseElements": {"x-amz-version-id": version_id},
    }
    return gzip.compress(json.dumps({"Records": [event]}).encode())


@made(INSIDER)
def an_event_is_invented(world: World) -> list[Finding]:
    """adds a log file in which somebody innocent writes a file"""
    model = world.recorded("model-6.csv")
    key = _new_log(world)
    body = _witnessing(world, model, f"{FOLDER}/invented.csv", "1" * 32)
    return [world.broken(key, world.put_in_trail(key, body))]


@made(INSIDER)
def a_forged_record_gets_its_event(world: World) -> list[Finding]:
    """forges a record of a file nobody wrote, and a log file with an event to match"""
    model = world.land("model-7.csv")
    record = world.invented(world.record_of(model), "borne-out.csv")
    world.put_record(world.place_of(record), record)
    key = _new_log(world)
    body = _witnessing(world, model, record.version.key, record.version.version_id)
    return [
        world.broken(key, world.put_in_trail(key, body)),
        Finding(
            "UNWITNESSED",
            record.version.bucket,
            record.version.key,
            record.version.version_id,
            world.arn(INSIDER),
        ),
    ]


@made(INSIDER)
def a_log_is_filed_under_an_old_day(world: World) -> list[Finding]:
    """adds a log file under a name of hours ago, among logs that are proven already"""
    key = _new_log(world).replace(f"{datetime.now(UTC):T%H%MZ}", "T0001Z")
    return [world.broken(key, world.put_in_trail(key, gzip.compress(b'{"Records": []}')))]


@made(INSIDER)
def a_foreign_file_is_put_among_the_logs(world: World) -> list[Finding]:
    """puts a file that is no log file among the logs"""
    key = f"{world.layout.log_prefix}{datetime.now(UTC):%Y/%m/%d}/notes.txt"
    return [world.broken(key, world.put_in_trail(key, b"notes"))]


ATTACKS = [
    a_log_blames_another,
    an_event_is_taken_out,
    an_event_is_doubled,
    events_are_reordered,
    a_log_is_emptied,
    trailing_bytes,
    a_second_member,
    a_log_is_truncated,
    a_log_is_no_gzip,
    a_log_is_hidden,
    a_log_is_destroyed,
    a_log_is_destroyed_in_a_batch,
    a_log_is_replaced_for_good,
    an_event_is_invented,
    a_forged_record_gets_its_event,
    a_log_is_filed_under_an_old_day,
    a_foreign_file_is_put_among_the_logs,
]
AT_REST = [an_old_log_is_destroyed, an_old_log_is_changed]
