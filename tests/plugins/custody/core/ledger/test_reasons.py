"""The sentences that explain verdicts, word for word: they are stored and searched for."""

from dataclasses import replace
from datetime import timedelta

import pytest
from tests.plugins.custody.core.ledger.test_verdicts import (
    AFTER,
    BAD,
    BIGGER,
    BY_INSIDER,
    CLAIM,
    CRM,
    DISPLACED,
    FORGED,
    FORGING,
    GOOD,
    IN_GRACE,
    INSIDER,
    OF_INSIDER,
    OTHER_BYTES,
    OTHER_REQUEST,
    PROVEN,
    UNPROVEN,
    WRITTEN,
    facts,
    policy,
)

from custody.core.ledger.facts import StoredRecord
from custody.core.ledger.reasons import of_version
from custody.core.ledger.verdicts import Ground, judge
from custody.core.records.model import UnreadableReason, UnreadableRecord
from custody.core.trail.events import TrailEvent

CRM_ARN, INSIDER_ARN = CRM.arn, INSIDER.arn
UNREADABLE = replace(
    GOOD,
    claim=UnreadableRecord(
        version=CLAIM.version,
        size_bytes=100,
        etag="e",
        sequencer="00",
        reason=next(iter(UnreadableReason)),
        answer="AccessDenied",
        event=CLAIM.event,
        tried_at=WRITTEN,
        recorder=CLAIM.recorder,
    ),
)
WHY = next(iter(UnreadableReason)).value
TWICE = (PROVEN, replace(PROVEN, event_id="e2"))

Evidence = list[TrailEvent | StoredRecord]
SENTENCES = [
    (
        Ground.BAD_RECORD,
        [PROVEN, BAD],
        (
            "The record provenance/incoming/dt=2026-11-01/r1.json is not to be believed: the "
            "signature "
            "does not match the payload."
        ),
    ),
    (
        Ground.BAD_RECORD,
        [PROVEN, replace(BAD, undeclared_write=FORGING)],
        (
            "The record provenance/incoming/dt=2026-11-01/r1.json is not to be believed: the "
            "signature "
            f"does not match the payload; it was written by {INSIDER_ARN}."
        ),
    ),
    (
        Ground.RECORDS_DISAGREE,
        [PROVEN, FORGED, OTHER_BYTES],
        (
            "2 records disagree about this version: abababababab (100 bytes), cdcdcdcdcdcd "
            "(100 bytes)"
            f"; one was written by {INSIDER_ARN}, who is not the recorder; the object was "
            "written by "
            f"{CRM_ARN}."
        ),
    ),
    (
        Ground.RECORDS_DISAGREE,
        [GOOD, OTHER_BYTES],
        (
            "2 records disagree about this version: abababababab (100 bytes), cdcdcdcdcdcd (100 "
            "bytes)."
        ),
    ),
    (
        Ground.RECORD_DISPLACED,
        [PROVEN, DISPLACED],
        (
            "The recorder found something that is not its record in the place of this version's "
            "record."
        ),
    ),
    (
        Ground.RECORD_DISPLACED,
        [PROVEN, replace(DISPLACED, displacing_write=FORGING)],
        (
            "The recorder found something that is not its record in the place of this "
            "version's record"
            f", written by {INSIDER_ARN}."
        ),
    ),
    (
        Ground.RECORD_BY_OTHERS,
        [PROVEN, FORGED],
        (
            f"A record of this version was written by {INSIDER_ARN}, who is not the recorder; the "
            f"object was written by {CRM_ARN}."
        ),
    ),
    (
        Ground.WRITTEN_TWICE,
        [*TWICE, GOOD],
        "2 CloudTrail events claim to have written this version: e1, e2.",
    ),
    (
        Ground.OTHER_REQUEST,
        [PROVEN, OTHER_REQUEST],
        "CloudTrail says request R1 wrote this version, the record says R9.",
    ),
    (
        Ground.FEWER_BYTES,
        [PROVEN, BIGGER],
        "CloudTrail saw 100 bytes arrive, the record says 101.",
    ),
    (
        Ground.UNPROVEN,
        [UNPROVEN, GOOD],
        (
            f"Written by {CRM_ARN} and recorded; no digest vouches yet for every log file "
            "that tells "
            "of it."
        ),
    ),
    (
        Ground.UNPROVEN,
        [replace(GOOD, undeclared_write=replace(FORGING, proven=False))],
        (
            "Without a write, but recorded; no digest vouches yet for the log file that says "
            "who wrote "
            "the record."
        ),
    ),
    (
        Ground.RECORD_AWAITED,
        [PROVEN],
        f"Written by {CRM_ARN}; its record may still arrive within 30 minutes of the write.",
    ),
    (
        Ground.EVENT_AWAITED,
        [GOOD],
        "Recorded; its CloudTrail event may still arrive within 30 minutes of the write.",
    ),
    (
        Ground.NO_RECORD,
        [PROVEN],
        f"{CRM_ARN} wrote this version with PutObject and no record of it exists 30 minutes later.",
    ),
    (
        Ground.NO_EVENT,
        [GOOD],
        "No CloudTrail event shows this write; the record names AIDACRM as the uploader.",
    ),
    (
        Ground.NO_EVENT,
        [FORGED],
        (
            "No CloudTrail event shows anybody writing this version; its record was written by "
            f"{INSIDER_ARN}, who is not the recorder."
        ),
    ),
    (
        Ground.UNREADABLE,
        [PROVEN, UNREADABLE],
        (
            f"{CRM_ARN} wrote this version with PutObject and nobody can hash it: {WHY} "
            "(AccessDenied)."
        ),
    ),
    (
        Ground.OTHER_CALLER,
        [PROVEN, OF_INSIDER],
        (
            f"CloudTrail says {CRM_ARN} (AIDACRM) wrote this version from 203.0.113.7, the record "
            "says AIDAINSIDER did from 203.0.113.7."
        ),
    ),
    (
        Ground.RECORD_EARLY,
        [PROVEN, replace(GOOD, stored_at=WRITTEN - timedelta(minutes=6))],
        (
            "The record provenance/incoming/dt=2026-11-01/r1.json was stored at 2026-11-01 "
            "05:54:01, and tells of a write at 2026-11-01 06:00:01: S3 announces none before."
        ),
    ),
    (
        Ground.RECORD_LATE,
        [PROVEN],
        f"Written by {CRM_ARN}; the recorder was told of it and has noted that its record is late.",
    ),
    (
        Ground.NO_EVENT,
        [UNREADABLE],
        (
            f"No CloudTrail event shows this write, and nobody can hash what it wrote: {WHY} "
            "(AccessDenied); the announcement names AIDACRM as the uploader."
        ),
    ),
    (
        Ground.RECORD_LOCKED,
        [PROVEN],
        f"Written by {CRM_ARN}; its record cannot be read while a key of the platform is away.",
    ),
    (
        Ground.UNDECLARED_WRITER,
        [BY_INSIDER, OF_INSIDER],
        f"{INSIDER_ARN} wrote this version and is not one of the declared writers of bronze.",
    ),
    (
        Ground.AGREEMENT,
        [PROVEN, GOOD],
        f"CloudTrail and the record agree: written by {CRM_ARN}.",
    ),
]


@pytest.mark.parametrize(("ground", "evidence", "sentence"), SENTENCES)
def test_each_ground_has_its_sentence(ground: Ground, evidence: Evidence, sentence: str) -> None:
    known = facts(
        tuple(e for e in evidence if isinstance(e, TrailEvent)),
        tuple(e for e in evidence if isinstance(e, StoredRecord)),
    )
    known = replace(
        known,
        noted_late=ground is Ground.RECORD_LATE,
        record_locked=ground is Ground.RECORD_LOCKED,
    )
    awaited = ground in {Ground.RECORD_AWAITED, Ground.EVENT_AWAITED}
    rules = policy(IN_GRACE if awaited else AFTER)
    judgement = judge(known, rules)
    assert judgement.ground == ground
    assert of_version(judgement, known, rules) == sentence


def test_no_ground_is_without_a_sentence() -> None:
    assert {ground for ground, _, _ in SENTENCES} == set(Ground)
