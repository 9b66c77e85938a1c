"""Answers to findings, and the key that signs them, for tests."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from tests.support.consoles import NOW, removed
from tests.support.moto_aws import KEY_ARN, PRIVATE_KEY

from custody.core.answers.model import Answer, Kind
from custody.core.answers.statement import StoredAnswer, read_answer, to_payload
from custody.core.formats.dsse import PAYLOAD_TYPE, Envelope, Signature, pae
from custody.objects import ObjectVersion

ALICE: Final = "arn:aws:sts::111122223333:assumed-role/custody-test-on-call/alice"
AIRFLOW: Final = "arn:aws:iam::111122223333:role/custody-test-airflow"
FINDING: Final = removed().fingerprint
AT: Final = NOW - timedelta(minutes=2)
KEYS: Final = {KEY_ARN: PRIVATE_KEY.public_key()}


def taken(*, at: datetime = AT, days: int = 1, **more: Any) -> Answer:
    """Somebody takes the finding on."""
    given = {"finding": FINDING, "by": ALICE, "reason": "I look at it"} | more
    return Answer(kind=Kind.ACKNOWLEDGED, at=at, until=at + timedelta(days=days), **given)


def closed(*, at: datetime = AT, **more: Any) -> Answer:
    """Somebody closes the finding."""
    given = {"finding": FINDING, "by": ALICE, "reason": "change 42"} | more
    return Answer(kind=Kind.CLOSED, at=at, **given)


def signed(answer: Answer, key: ec.EllipticCurvePrivateKey = PRIVATE_KEY) -> bytes:
    """The object that holds an answer."""
    payload = to_payload(answer)
    signature = key.sign(pae(PAYLOAD_TYPE, payload), ec.ECDSA(SHA256()))
    return Envelope(payload, PAYLOAD_TYPE, (Signature(KEY_ARN, signature),)).to_json_line()


def stored(raw: bytes, key: str, at: datetime = AT) -> StoredAnswer:
    """What is read of an object among the answers that was stored then."""
    return read_answer(raw, KEYS, ObjectVersion("provenance", key, "a1"), at)
