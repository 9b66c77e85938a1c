"""Attacks on the records: forged, replayed, changed, or put where the recorder's belong."""

from __future__ import annotations

import base64
import hashlib
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from tests.attacks.attack import Finding, made
from tests.attacks.world import INSIDER, UPLOADER, World, lifted

from custody.core.formats.dsse import PAYLOAD_TYPE, Envelope, Signature
from custody.core.records.model import LandingRecord, UnreadableReason, UnreadableRecord
from custody.core.records.names import conflict_key, late_key, record_id
from custody.core.records.statement import to_statement
from custody.objects import ObjectVersion
from rehearsal.landing import Landed


def _about(world: World, verdict: str, record: LandingRecord) -> list[Finding]:
    return [
        Finding(
            verdict,
            record.version.bucket,
            record.version.key,
            record.version.version_id,
            world.arn(INSIDER),
        )
    ]


def _conflict(world: World, landed: Landed) -> list[Finding]:
    return [world.finding("CONFLICT", landed, INSIDER)]


def _beside(world: World, landed: Landed) -> str:
    """Where the recorder would put a record that contradicts the one in its place."""
    return conflict_key(world.place(landed), hashlib.sha256(landed.key.encode()).hexdigest())


# Forged


@made(INSIDER)
def forged_of_nothing(world: World) -> list[Finding]:
    """signs a record of a file nobody wrote with the platform's own key"""
    record = world.invented(world.record_of(world.land("model-1.csv")), "never-written.csv")
    world.put_record(world.place_of(record), record)
    return _about(world, "UNWITNESSED", record)


@made(INSIDER)
def forged_of_another_buckets_object(world: World) -> list[Finding]:
    """signs a record of an object in a bucket that is none of the platform's"""
    model = world.invented(world.record_of(world.land("model-2.csv")), "elsewhere.csv")
    record = replace(model, version=replace(model.version, bucket="somebody-elses-bucket"))
    world.put_record(world.place_of(record), record)
    return _about(world, "UNWITNESSED", record)


@made(INSIDER)
def forged_with_an_invented_time(world: World) -> list[Finding]:
    """signs a record of a file nobody wrote, dated into the future to stay within its grace"""
    model = world.invented(world.record_of(world.land("model-3.csv")), "from-the-future.csv")
    later = datetime.now(UTC) + timedelta(days=3650)
    record = replace(model, event=replace(model.event, time=later), hashed_at=later)
    world.put_record(world.place_of(replace(record, event=model.event)), record)
    return _about(world, "UNWITNESSED", record)


@made(INSIDER)
def forged_of_a_real_file(world: World) -> list[Finding]:
    """cuts the recorder off, and signs the record of the file that landed himself"""
    model = world.record_of(world.land("model-4.csv"))
    with world.without_notifications():
        cut = world.land("recorded-by-insider.csv")
    record = replace(model, version=replace(model.version, key=cut.key, version_id=cut.version_id))
    world.put_record(world.place_of(record), record)
    return _about(world, "CONFLICT", record)


@made(INSIDER)
def second_with_another_hash(world: World) -> list[Finding]:
    """signs a second record of a file, with another hash"""
    landed = world.land("contradicted.csv")
    record = replace(world.record_of(landed), sha256=hashlib.sha256(b"other").hexdigest())
    world.put_record(conflict_key(world.place_of(record), record.sha256), record)
    return _conflict(world, landed)


@made(INSIDER)
def second_that_says_unreadable(world: World) -> list[Finding]:
    """signs a second record of a file that says nobody could read it"""
    landed = world.land("called-unreadable.csv")
    honest = world.record_of(landed)
    unreadable = UnreadableRecord(
        version=honest.version,
        size_bytes=honest.size_bytes,
        etag=honest.etag,
        sequencer=honest.sequencer,
        event=honest.event,
        reason=next(iter(UnreadableReason)),
        answer="403 AccessDenied",
        tried_at=honest.hashed_at,
        recorder=honest.recorder,
    )
    world.put_record(_beside(world, landed), world.sign(to_statement(unreadable)))
    return _conflict(world, landed)


@made(INSIDER)
def second_with_another_uploader(world: World) -> list[Finding]:
    """signs a record over the recorder's own that names another uploader"""
    landed = world.land("another-uploader.csv")
    honest = world.record_of(landed)
    record = replace(honest, event=replace(honest.event, principal_id="AWS:AIDAINNOCENT"))
    world.put_record(world.place_of(honest), record)
    return _conflict(world, landed)


# Replayed


@made(INSIDER)
def replayed_over_itself(world: World) -> list[Finding]:
    """puts a record's own bytes over it again"""
    landed = world.recorded("replayed-over-itself.csv")
    world.put_record(world.place(landed), world.envelope_of(landed))
    return _conflict(world, landed)


@made(INSIDER)
def replayed_on_another_day(world: World) -> list[Finding]:
    """files a copy of a record under another day"""
    landed = world.recorded("replayed-tomorrow.csv")
    today, tomorrow = datetime.now(UTC), datetime.now(UTC) + timedelta(days=1)
    place = world.place(landed).replace(f"dt={today:%Y-%m-%d}", f"dt={tomorrow:%Y-%m-%d}")
    world.put_record(place, world.envelope_of(landed))
    return _conflict(world, landed)


@made(INSIDER)
def replayed_elsewhere(world: World) -> list[Finding]:
    """files a copy of a record under a name that is no record's"""
    landed = world.recorded("replayed-elsewhere.csv")
    folder = world.place(landed).rpartition("/")[0]
    world.put_record(f"{folder}/replayed.json", world.envelope_of(landed))
    return _conflict(world, landed)


@made(INSIDER)
def moved_to_another_file(world: World) -> list[Finding]:
    """puts the record of one file over the record of another"""
    landed, other = world.recorded("moved-from.csv"), world.recorded("moved-to.csv")
    world.put_record(world.place(other), world.envelope_of(landed))
    return _conflict(world, landed)


@made(INSIDER)
def two_exchanged(world: World) -> list[Finding]:
    """exchanges the records of two files"""
    one, other = world.recorded("exchanged-1.csv"), world.recorded("exchanged-2.csv")
    first, second = world.envelope_of(one), world.envelope_of(other)
    world.put_record(world.place(one), second)
    world.put_record(world.place(other), first)
    return [*_conflict(world, one), *_conflict(world, other)]


# Changed


@made(INSIDER)
def edited_in_place(world: World) -> list[Finding]:
    """changes the hash in a record and leaves its signature"""
    landed = world.land("edited-record.csv")
    record = replace(world.record_of(landed), sha256=hashlib.sha256(b"other").hexdigest())
    honest = Envelope.parse(world.envelope_of(landed))
    edited = Envelope(to_statement(record), PAYLOAD_TYPE, honest.signatures)
    world.put_record(world.place(landed), edited.to_json_line())
    return [world.finding("BAD_SIGNATURE", landed, INSIDER)]


@made(INSIDER)
def resigned_with_another_key(world: World) -> list[Finding]:
    """changes a record and signs it with a KMS key of his own"""
    landed = world.land("resigned.csv")
    record = replace(world.record_of(landed), sha256=hashlib.sha256(b"other").hexdigest())
    own = world.client("kms").create_key(KeySpec="ECC_NIST_P256", KeyUsage="SIGN_VERIFY")
    envelope = world.sign(to_statement(record), own["KeyMetadata"]["Arn"])
    world.put_record(world.place(landed), envelope)
    return [world.finding("BAD_SIGNATURE", landed, INSIDER)]


@made(INSIDER)
def signed_with_another_key_under_our_name(world: World) -> list[Finding]:
    """signs a forged record with a KMS key of his own and calls it the platform's"""
    landed = world.land("resigned-in-our-name.csv")
    record = replace(world.record_of(landed), sha256=hashlib.sha256(b"other").hexdigest())
    own = world.client("kms").create_key(KeySpec="ECC_NIST_P256", KeyUsage="SIGN_VERIFY")
    signed = Envelope.parse(world.sign(to_statement(record), own["KeyMetadata"]["Arn"]))
    ours = world.platform.settings["signing_key_arn"]
    renamed = (Signature(ours, signed.signatures[0].sig),)
    envelope = Envelope(signed.payload, PAYLOAD_TYPE, renamed).to_json_line()
    world.put_record(world.place(landed), envelope)
    return [world.finding("BAD_SIGNATURE", landed, INSIDER)]


@made(INSIDER)
def unsigned(world: World) -> list[Finding]:
    """puts a record without any signature over the recorder's"""
    landed = world.recorded("unsigned.csv")
    document = json.loads(world.envelope_of(landed)) | {"signatures": []}
    world.put_record(world.place(landed), json.dumps(document).encode())
    return [world.finding("BAD_SIGNATURE", landed, INSIDER)]


# Rubbish where records belong; the file's own record is untouched, so it stays VERIFIED.


def _rubbish(world: World, name: str, body: bytes) -> list[Finding]:
    place = world.place(world.recorded(name))
    version = world.put_record(place, body)
    return [Finding("BAD_SIGNATURE", world.provenance, place, version, world.arn(INSIDER))]


@made(INSIDER)
def of_another_type(world: World) -> list[Finding]:
    """signs a statement of another predicate type in the place of a record"""
    honest = Envelope.parse(world.envelope_of(world.recorded("model-5.csv")))
    statement = json.loads(honest.payload) | {"predicateType": "https://custody.example/other/v1"}
    return _rubbish(world, "of-another-type.csv", world.sign(json.dumps(statement).encode()))


@made(INSIDER)
def oversized(world: World) -> list[Finding]:
    """puts two megabytes in the place of a record"""
    return _rubbish(world, "oversized.csv", b"{" + b" " * (2 * 1024 * 1024) + b"}")


@made(INSIDER)
def deeply_nested(world: World) -> list[Finding]:
    """puts JSON nested 100,000 deep in the place of a record"""
    return _rubbish(world, "deeply-nested.csv", b"[" * 100_000 + b"]" * 100_000)


@made(INSIDER)
def deeply_nested_and_signed(world: World) -> list[Finding]:
    """signs a statement nested 100,000 deep"""
    return _rubbish(world, "nested-payload.csv", world.sign(b"[" * 100_000 + b"]" * 100_000))


@made(INSIDER)
def with_many_signatures(world: World) -> list[Finding]:
    """gives a record 5,000 signatures to check"""
    document = json.loads(world.envelope_of(world.recorded("many-signatures.csv")))
    document["signatures"] = [
        {"keyid": f"key-{n}", "sig": base64.b64encode(bytes(64)).decode()} for n in range(5_000)
    ]
    return _rubbish(world, "many-signatures.csv", json.dumps(document).encode())


@made(INSIDER)
def squatted(world: World) -> list[Finding]:
    """puts rubbish in the place of a record before the recorder gets there"""
    with world.without_subscription():
        landed = world.land("squatted.csv")
        world.put_record(world.place(landed), b"occupied")
    world.drain()
    return _conflict(world, landed)


@made(INSIDER)
def a_record_is_locked_away(world: World) -> list[Finding]:
    """puts a record over the recorder's that is encrypted with a key of his own (SSE-C)"""
    landed = world.recorded("locked-away.csv")
    place = world.place(landed)
    body = world.envelope_of(landed)
    with lifted(world, world.provenance) as s3:
        put = s3.put_object(
            Bucket=world.provenance,
            Key=place,
            Body=body,
            SSECustomerAlgorithm="AES256",
            SSECustomerKey="k" * 32,
        )
    version = str(put["VersionId"])
    return [Finding("BAD_SIGNATURE", world.provenance, place, version, world.arn(INSIDER))]


@made(INSIDER, call="CreateAccessKey")
def a_record_is_said_to_be_late(world: World) -> list[Finding]:
    """cuts the recorder off while a file lands, and plants the note that its record is late"""
    with world.without_notifications():
        landed = world.land("said-to-be-late.csv")
    version = ObjectVersion(world.raw, landed.key, landed.version_id)
    place = late_key(datetime.now(UTC), record_id(version))
    note = world.put_record(place, b"{}")
    return [
        world.finding("UNRECORDED", landed, UPLOADER),
        Finding("UNEXPECTED_PRINCIPAL", world.provenance, place, note, world.arn(INSIDER)),
    ]


@made(INSIDER)
def lineage_is_forged(world: World) -> list[Finding]:
    """puts a forged statement among the lineage"""
    place = f"provenance/lineage/dt={datetime.now(UTC):%Y-%m-%d}/forged.json"
    version = world.put_record(place, world.sign(b"{}"))
    return [Finding("BAD_SIGNATURE", world.provenance, place, version, world.arn(INSIDER))]


ATTACKS = [
    forged_of_nothing,
    forged_of_another_buckets_object,
    forged_with_an_invented_time,
    forged_of_a_real_file,
    second_with_another_hash,
    second_that_says_unreadable,
    second_with_another_uploader,
    replayed_over_itself,
    replayed_on_another_day,
    replayed_elsewhere,
    moved_to_another_file,
    two_exchanged,
    edited_in_place,
    resigned_with_another_key,
    signed_with_another_key_under_our_name,
    unsigned,
    of_another_type,
    oversized,
    deeply_nested,
    deeply_nested_and_signed,
    with_many_signatures,
    squatted,
    a_record_is_locked_away,
    a_record_is_said_to_be_late,
    lineage_is_forged,
]
