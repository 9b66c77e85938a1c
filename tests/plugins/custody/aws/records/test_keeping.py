"""Written once, never replaced; a contradiction is kept beside, not instead."""

from dataclasses import replace

import pytest
from botocore.exceptions import ClientError
from tests.plugins.custody.core.records.test_statement import RECORD, UNREADABLE
from tests.support.moto_aws import KEY_ARN, refusal, signing_kms

from custody.aws.kms.signing import sign_statement
from custody.aws.records.keeping import Outcome, keep_record
from custody.core.formats.dsse import Envelope
from custody.core.records.model import Record, UnreadableReason
from custody.core.records.names import conflict_key, record_id, record_key
from custody.core.records.statement import from_statement, read_record, to_statement

OF_ANOTHER = replace(RECORD, version=replace(RECORD.version, key="another"))
PLACE = record_key(RECORD.event.time, record_id(RECORD.version))
CONTRADICTION = replace(RECORD, sha256="cd" * 32)


def keep(s3, provenance: str, record: Record = RECORD):
    envelope = sign_statement(signing_kms(), KEY_ARN, to_statement(record))
    return keep_record(s3, provenance, record, envelope)


def stored(s3, provenance: str) -> dict[str, bytes]:
    """Every version of every object, newest first, by key (and number for older ones)."""
    found: dict[str, bytes] = {}
    for version in s3.list_object_versions(Bucket=provenance).get("Versions", []):
        name = version["Key"] if version["IsLatest"] else f"{version['Key']} (replaced)"
        body = s3.get_object(Bucket=provenance, Key=version["Key"], VersionId=version["VersionId"])
        found[name] = body["Body"].read()
    return found


def test_a_new_record_stands_at_its_place(s3, provenance):
    kept = keep(s3, provenance)
    assert (kept.outcome, kept.key) == (Outcome.RECORDED, PLACE)
    found = stored(s3, provenance)
    assert list(found) == [PLACE]
    assert from_statement(Envelope.parse(found[PLACE]).payload) == RECORD


def test_a_second_delivery_changes_nothing(s3, provenance):
    keep(s3, provenance)
    before = stored(s3, provenance)
    kept = keep(s3, provenance, replace(RECORD, hashed_at=RECORD.hashed_at.replace(second=59)))
    assert (kept.outcome, kept.key) == (Outcome.ALREADY_RECORDED, PLACE)
    assert stored(s3, provenance) == before


@pytest.mark.parametrize(
    "contradiction",
    [CONTRADICTION, replace(RECORD, size_bytes=RECORD.size_bytes + 1)],
    ids=["another hash", "another size"],
)
def test_a_contradiction_is_kept_beside_the_record(s3, provenance, contradiction):
    keep(s3, provenance)
    first = stored(s3, provenance)[PLACE]
    kept = keep(s3, provenance, contradiction)
    evidence = conflict_key(PLACE, contradiction.sha256)
    assert (kept.outcome, kept.key) == (Outcome.CONFLICT, evidence)
    found = stored(s3, provenance)
    assert set(found) == {PLACE, evidence}
    assert found[PLACE] == first
    assert from_statement(Envelope.parse(found[evidence]).payload) == contradiction


def test_the_same_contradiction_again_changes_nothing(s3, provenance):
    keep(s3, provenance)
    keep(s3, provenance, CONTRADICTION)
    before = stored(s3, provenance)
    assert keep(s3, provenance, CONTRADICTION).outcome is Outcome.CONFLICT
    assert stored(s3, provenance) == before


@pytest.mark.parametrize(
    "undeclared",
    [
        b"",
        b"not an envelope",
        b"x" * 2_000_000,
        sign_statement(
            signing_kms(),
            KEY_ARN,
            to_statement(OF_ANOTHER),
        ).to_json_line(),
    ],
    ids=["empty", "no envelope", "huge", "record of another object"],
)
def test_what_lies_under_the_key_of_a_record_cannot_suppress_it(s3, provenance, undeclared):
    s3.put_object(Bucket=provenance, Key=PLACE, Body=undeclared)
    kept = keep(s3, provenance)
    assert (kept.outcome, kept.key) == (Outcome.CONFLICT, conflict_key(PLACE, RECORD.sha256))
    assert stored(s3, provenance)[PLACE] == undeclared


def test_a_record_of_what_could_not_be_read_stands_at_the_same_place(s3, provenance):
    kept = keep(s3, provenance, UNREADABLE)
    assert (kept.outcome, kept.key) == (Outcome.RECORDED_UNREADABLE, PLACE)
    assert read_record(Envelope.parse(stored(s3, provenance)[PLACE]).payload) == UNREADABLE


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (UNREADABLE, replace(UNREADABLE, reason=UnreadableReason.GONE)),
        (RECORD, UNREADABLE),  # deleted between two deliveries
    ],
)
def test_that_it_cannot_be_read_adds_nothing_to_a_record(s3, provenance, first, second):
    keep(s3, provenance, first)
    before = stored(s3, provenance)
    assert keep(s3, provenance, second).outcome is Outcome.ALREADY_RECORDED
    assert stored(s3, provenance) == before


def test_a_hash_of_what_was_said_to_be_unreadable_is_kept_beside(s3, provenance):
    """Were it not, whoever squats there with such a claim would suppress the true record."""
    keep(s3, provenance, UNREADABLE)
    assert keep(s3, provenance, RECORD).outcome is Outcome.CONFLICT
    assert set(stored(s3, provenance)) == {PLACE, conflict_key(PLACE, RECORD.sha256)}


def test_what_squats_cannot_suppress_that_it_could_not_be_read(s3, provenance):
    s3.put_object(Bucket=provenance, Key=PLACE, Body=b"undeclared")
    evidence = conflict_key(PLACE, record_id(RECORD.version))
    kept = keep(s3, provenance, UNREADABLE)
    assert (kept.outcome, kept.key) == (Outcome.CONFLICT, evidence)


def answer_first(s3, refusals: list[str]) -> None:
    left = iter(refusals)

    def refuse(**_: object):
        code = next(left, None)
        return refusal(code, 409) if code else None

    s3.meta.events.register("before-call.s3.PutObject", refuse)


def test_a_racing_write_is_tried_again(s3, provenance):
    answer_first(s3, ["ConditionalRequestConflict"] * 3)
    assert keep(s3, provenance).outcome is Outcome.RECORDED


def test_a_race_that_does_not_end_is_an_error(s3, provenance):
    answer_first(s3, ["ConditionalRequestConflict"] * 4)
    with pytest.raises(ClientError, match="ConditionalRequestConflict"):
        keep(s3, provenance)
    assert stored(s3, provenance) == {}


def test_any_other_refusal_is_an_error(s3, provenance):
    answer_first(s3, ["AccessDenied"])
    with pytest.raises(ClientError, match="AccessDenied"):
        keep(s3, provenance)


def test_every_write_is_conditional(s3, provenance):
    """A write without `If-None-Match` could replace a record."""
    conditions = []
    s3.meta.events.register(
        "before-call.s3.PutObject",
        lambda params, **_: conditions.append(params["headers"].get("If-None-Match")),
    )
    keep(s3, provenance)
    keep(s3, provenance, CONTRADICTION)
    assert conditions == ["*"] * 3
