"""The custody gate in front of landed files, against S3 as moto serves it."""

from __future__ import annotations

import gzip
import hashlib
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pytest
from botocore.exceptions import ClientError
from botocore.stub import Stubber
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from tests.support.s3_answers import encrypt_anew

from custody.aws.records import custody_gate
from custody.aws.records.custody_gate import Gate, open_verified, record_of
from custody.aws.s3.listing import StoredVersion, list_current
from custody.core.case.key_ring import ALWAYS
from custody.core.datasets.landed.parts import WHOLE, Cut, Part
from custody.core.datasets.landed.text import BrokenFileError, TextCheck
from custody.core.formats.dsse import PAYLOAD_TYPE, Envelope, Signature, pae
from custody.core.records.checking import TrustedKey
from custody.core.records.model import (
    LandingEvent,
    LandingRecord,
    Record,
    Recorder,
    UnreadableReason,
    UnreadableRecord,
)
from custody.core.records.names import record_id, record_key
from custody.core.records.statement import to_statement

RAW, PROVENANCE, KEY = "custody-test-raw", "custody-test-provenance", "incoming/c/dt=1/a b+é%.csv"
KEY_ARN = "arn:aws:kms:us-east-1:111122223333:key/0a1b2c3d-0000-4000-8000-000000000001"
BODY = b"id\n1\n"
NO_CSV = partial(TextCheck, "file.not_csv")


class Bronze:
    """Bronze with a recorder that has a key of its own."""

    def __init__(self, s3: Any) -> None:
        self.s3 = s3
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.signs_until: datetime | None = None

    @property
    def gate(self) -> Gate:
        der = self.key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        return Gate(PROVENANCE, {KEY_ARN: TrustedKey(KEY_ARN, der, ALWAYS, self.signs_until)})

    def land(self, body: bytes = BODY, key: str = KEY) -> StoredVersion:
        self.s3.put_object(Bucket=RAW, Key=key, Body=body)
        [landed] = list_current(self.s3, RAW, key)
        return landed

    def record(self, landed: StoredVersion, *, days: int = 0, **claims: Any) -> LandingRecord:
        """Store the signed record of an object, in the folder of another day if told."""
        time = landed.last_modified + timedelta(days=days)
        record = LandingRecord(
            version=landed.version,
            sha256=hashlib.sha256(BODY).hexdigest(),
            size_bytes=len(BODY),
            etag="d41d8cd98f00b204e9800998ecf8427e",
            sequencer="00",
            checksum=None,
            event=LandingEvent("ObjectCreated:Put", time, "R", "H", "127.0.0.1", "AWS:A"),
            hashed_at=datetime(2026, 11, 1, tzinfo=UTC),
            recorder=Recorder("recorder", "1"),
        )
        self.store(landed, self.signed(replace(record, **claims)), time)
        return record

    def signed(self, record: Record) -> bytes:
        payload = to_statement(record)
        sig = self.key.sign(pae(PAYLOAD_TYPE, payload), ec.ECDSA(SHA256()))
        return Envelope(payload, PAYLOAD_TYPE, (Signature(KEY_ARN, sig),)).to_json_line()

    def store(self, landed: StoredVersion, envelope: bytes, time: datetime) -> None:
        name = record_key(time, record_id(landed.version))
        self.s3.put_object(Bucket=PROVENANCE, Key=name, Body=envelope)


@pytest.fixture
def bronze(s3: Any, raw: str, provenance: str) -> Bronze:
    assert (raw, provenance) == (RAW, PROVENANCE)
    return Bronze(s3)


@pytest.mark.parametrize("days", [-1, 0, 1])
def test_finds_the_record_in_the_folder_of_a_day_around(bronze: Bronze, days: int) -> None:
    landed = bronze.land()
    record = bronze.record(landed, days=days)

    assert record_of(bronze.s3, landed, bronze.gate) == record


def in_parts(landed: StoredVersion) -> StoredVersion:
    """The same by a multipart upload, which S3 dates by when it began."""
    return replace(landed, etag=f"{landed.etag}-2")


@pytest.mark.parametrize("days", [2, 7, 8])
def test_an_upload_in_parts_may_have_begun_long_before_its_record(
    bronze: Bronze, days: int
) -> None:
    landed = bronze.land()
    record = bronze.record(landed, days=days)

    assert record_of(bronze.s3, in_parts(landed), bronze.gate) == record


def test_no_upload_in_parts_takes_longer_than_its_bucket_lets_it(bronze: Bronze) -> None:
    landed = bronze.land()
    bronze.record(landed, days=9)

    assert _refusal(bronze, in_parts(landed)) == "custody.unrecorded"


def test_a_record_further_away_is_no_record(bronze: Bronze) -> None:
    landed = bronze.land()
    bronze.record(landed, days=2)

    assert _refusal(bronze, landed) == "custody.unrecorded"


@pytest.mark.parametrize(
    "claims",
    [{"key": "incoming/c/dt=1/other.csv"}, {"version_id": "other"}, {"bucket": "another-bucket"}],
    ids=["key", "version", "bucket"],
)
def test_the_record_of_another_object_does_not_admit_this_one(
    bronze: Bronze, claims: dict[str, str]
) -> None:
    landed = bronze.land()
    bronze.record(landed, version=replace(landed.version, **claims))

    assert _refusal(bronze, landed) == "custody.bad_signature"


def test_a_file_that_the_recorder_could_not_read_is_named_as_such(bronze: Bronze) -> None:
    landed = bronze.land()
    hashed = bronze.record(landed)
    could_not = UnreadableRecord(
        version=landed.version,
        size_bytes=hashed.size_bytes,
        etag=hashed.etag,
        sequencer="00",
        event=hashed.event,
        reason=UnreadableReason.CUSTOMER_KEY,
        answer="InvalidRequest: …",
        tried_at=hashed.hashed_at,
        recorder=hashed.recorder,
    )
    bronze.store(landed, bronze.signed(could_not), landed.last_modified)

    assert _refusal(bronze, landed) == "custody.unreadable"
    bronze.store(
        landed,
        bronze.signed(replace(could_not, version=replace(could_not.version, version_id="v"))),
        landed.last_modified,
    )
    assert _refusal(bronze, landed) == "custody.bad_signature"


def test_a_record_by_another_key_or_none_does_not_admit(bronze: Bronze) -> None:
    landed = bronze.land()
    bronze.record(landed)
    trusted = bronze.gate
    bronze.key = ec.generate_private_key(ec.SECP256R1())

    assert _refusal(bronze, landed) == "custody.bad_signature"
    assert _refusal(bronze, landed, Gate(PROVENANCE, {})) == "custody.bad_signature"
    assert record_of(bronze.s3, landed, trusted).version.key == KEY


def test_a_former_key_admits_what_it_signed_while_it_was_the_key(bronze: Bronze) -> None:
    landed = bronze.land()
    record = bronze.record(landed)
    bronze.signs_until = record.hashed_at
    assert record_of(bronze.s3, landed, bronze.gate) == record

    bronze.signs_until = record.hashed_at - timedelta(days=1)
    assert _refusal(bronze, landed) == "custody.bad_signature"


@pytest.mark.parametrize(
    "envelope",
    [b"", b"not json", b"{}", json.dumps({"payload": "e30="}).encode(), b'"' + b"x" * 2**21],
    ids=["empty", "text", "object", "unsigned", "huge"],
)
def test_an_unreadable_record_does_not_admit(bronze: Bronze, envelope: bytes) -> None:
    landed = bronze.land()
    bronze.store(landed, envelope, landed.last_modified)

    assert _refusal(bronze, landed) == "custody.bad_signature"


def test_a_record_that_may_not_be_read_is_an_error_of_ours(bronze: Bronze) -> None:
    landed = bronze.land()
    with Stubber(bronze.s3) as stub:
        stub.add_client_error("get_object", "AccessDenied", http_status_code=403)
        stub.add_client_error("head_object", "403", http_status_code=403)
        with pytest.raises(ClientError, match="AccessDenied"):
            record_of(bronze.s3, landed, bronze.gate)


def test_reads_the_recorded_version_from_its_start(bronze: Bronze) -> None:
    landed = bronze.land()
    record = bronze.record(landed)
    bronze.s3.put_object(Bucket=RAW, Key=KEY, Body=b"a newer version")

    with open_verified(bronze.s3, landed.version, record, NO_CSV(), Cut(WHOLE)) as file:
        assert file.read() == BODY


def test_a_part_is_handed_out_if_all_bytes_are_the_recorded_ones(bronze: Bronze) -> None:
    body = b"id\n1\n2\n3\n"
    landed = bronze.land(body)
    record = replace(bronze.record(landed), sha256=hashlib.sha256(body).hexdigest())
    second = Part(1, 2, len(body))

    with open_verified(bronze.s3, landed.version, record, NO_CSV(), Cut(second)) as file:
        assert file.read() == b"id\n2\n3\n"
    altered = replace(record, sha256=hashlib.sha256(b"id\n7\n2\n3\n").hexdigest())
    with (
        pytest.raises(BrokenFileError, match=r"custody\.altered"),
        open_verified(bronze.s3, landed.version, altered, NO_CSV(), Cut(second)),
    ):
        pytest.fail("the bytes were handed out")


@pytest.mark.parametrize(
    ("body", "code"),
    [(b"id\n2\n", "custody.altered"), (b"", "custody.altered"), (BODY + b"\0", "custody.altered")],
)
def test_other_bytes_than_the_recorded_ones_are_not_handed_out(
    bronze: Bronze, body: bytes, code: str
) -> None:
    landed = bronze.land(body)
    record = bronze.record(landed)

    with (
        pytest.raises(BrokenFileError) as refusal,
        open_verified(bronze.s3, landed.version, record, NO_CSV(), Cut(WHOLE)),
    ):
        pytest.fail("the bytes were handed out")
    assert refusal.value.code == code


def test_recorded_bytes_that_are_no_text_are_not_handed_out(bronze: Bronze) -> None:
    body = b"\x89PNG\x00"
    landed = bronze.land(body)
    record = replace(bronze.record(landed), sha256=hashlib.sha256(body).hexdigest())

    with (
        pytest.raises(BrokenFileError) as refusal,
        open_verified(bronze.s3, landed.version, record, NO_CSV(), Cut(WHOLE)),
    ):
        pytest.fail("the bytes were handed out")
    assert refusal.value.code == "file.not_csv"


def test_a_packed_file_is_verified_as_it_lies_there_and_handed_out_unpacked(
    bronze: Bronze, monkeypatch: pytest.MonkeyPatch
) -> None:
    packed = gzip.compress(BODY)
    landed = bronze.land(packed)
    record = replace(bronze.record(landed), sha256=hashlib.sha256(packed).hexdigest())

    with open_verified(bronze.s3, landed.version, record, NO_CSV(), None) as file:
        assert list(file) == [b"id\n", b"1\n"]

    monkeypatch.setattr(custody_gate, "unpacked", pytest.fail)
    with (
        pytest.raises(BrokenFileError, match=r"custody\.altered"),
        open_verified(bronze.s3, landed.version, replace(record, sha256="0" * 64), NO_CSV(), None),
    ):
        pytest.fail("the bytes were handed out")


@pytest.mark.parametrize(
    ("packed", "code"),
    [
        (gzip.compress(b""), "file.empty"),
        (gzip.compress(b"\x89PNG"), "file.not_csv"),
        (gzip.compress(BODY)[:-1], "file.not_gzip"),
        (BODY, "file.not_gzip"),
        (gzip.compress(bytes(20 * 1024**2)), "file.too_large"),
    ],
)
def test_what_unpacks_to_no_text_is_not_handed_out(
    bronze: Bronze, packed: bytes, code: str
) -> None:
    landed = bronze.land(packed)
    record = replace(bronze.record(landed), sha256=hashlib.sha256(packed).hexdigest())

    with (
        pytest.raises(BrokenFileError) as refusal,
        open_verified(bronze.s3, landed.version, record, NO_CSV(), None),
    ):
        pytest.fail("the bytes were handed out")
    assert refusal.value.code == code


def _refusal(bronze: Bronze, landed: StoredVersion, gate: Gate | None = None) -> str:
    with pytest.raises(BrokenFileError) as refusal:
        record_of(bronze.s3, landed, gate or bronze.gate)
    return refusal.value.code


def test_a_record_that_somebody_encrypted_anew_breaks_its_file_alone(bronze: Bronze) -> None:
    landed = bronze.land()
    record = bronze.record(landed)
    encrypt_anew(bronze.s3, record_key(record.event.time, record_id(landed.version)))
    with pytest.raises(BrokenFileError, match="does not hand out its record") as broken:
        record_of(bronze.s3, landed, bronze.gate)
    assert broken.value.code == "custody.bad_signature"
