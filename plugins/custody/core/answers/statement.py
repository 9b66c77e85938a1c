"""An answer as an in-toto Statement about its finding, in a DSSE envelope."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from cryptography.hazmat.primitives.asymmetric import ec

from custody.core.answers.model import MAX_REASON, MAX_USER, PUT_WITHIN, Answer, Kind
from custody.core.formats.dsse import Envelope
from custody.core.formats.s3_fields import instant
from custody.core.formats.signatures import BadSignature, verify
from custody.core.formats.statement import Statement, Subject
from custody.core.formats.timestamps import format_utc
from custody.core.formats.untrusted import Fields, MalformedInput
from custody.objects import ObjectVersion

ANSWER_V1: Final = "https://custody.example/custody/answer/v1"


@dataclass(frozen=True, slots=True)
class StoredAnswer:
    """An object among the answers, stored at `stored_at`: the `answer` in it, or why there is none
    to be believed (`trouble`)."""

    version: ObjectVersion
    stored_at: datetime
    answer: Answer | None
    trouble: str = ""


def to_payload(answer: Answer) -> bytes:
    """The statement as the payload of its envelope."""
    predicate: dict[str, object] = {
        "answer": answer.kind.value,
        "by": answer.by,
        "reason": answer.reason,
        "at": format_utc(answer.at),
    }
    if answer.user:
        predicate["user"] = answer.user
    if answer.until is not None:
        predicate["until"] = format_utc(answer.until)
    finding = Subject(f"finding:{answer.finding}", sha256=answer.finding)
    return Statement((finding,), ANSWER_V1, predicate).to_bytes()


def read_answer(
    raw: bytes,
    keys: Mapping[str, ec.EllipticCurvePublicKey],
    version: ObjectVersion,
    stored_at: datetime,
) -> StoredAnswer:
    """The answer in an object that was stored at `stored_at`, if one of `keys` signed it for this
    place and time; never raises for what is in it."""
    try:
        answer = _from_payload(verify(Envelope.parse(raw), keys))
        if answer.key != version.key:
            raise MalformedInput("statement", f"belongs at {answer.key}")
        if abs(stored_at - answer.at) > PUT_WITHIN:
            raise MalformedInput(
                "statement.predicate.at", f"is {format_utc(answer.at)}, not when it was stored"
            )
    except (BadSignature, ValueError) as error:
        return StoredAnswer(version, stored_at, None, str(error))
    return StoredAnswer(version, stored_at, answer)


def _from_payload(payload: bytes) -> Answer:
    """Raises `ValueError` (`MalformedInput`)."""
    statement = Statement.parse(payload)
    statement.check_type(ANSWER_V1)
    if len(statement.subjects) != 1 or statement.subjects[0].sha256 is None:
        raise MalformedInput("statement.subject", "must be one finding")
    predicate = Fields.of(statement.predicate, "statement.predicate")
    return Answer(
        finding=statement.subjects[0].sha256,
        kind=Kind(predicate.text("answer")),
        by=predicate.text("by"),
        reason=predicate.text("reason", max_length=MAX_REASON),
        at=instant(predicate, "at"),
        until=instant(predicate, "until") if predicate.has("until") else None,
        user=predicate.text("user", max_length=MAX_USER) if predicate.has("user") else "",
    )
