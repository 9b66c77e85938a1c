"""That a run expires, as an in-toto Statement about what lay there of it, in a DSSE envelope.

The seal's key signs it, to which KMS passes 4,096 bytes at most: what lay there is in it as a hash.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from custody.core.formats.dsse import PAYLOAD_TYPE, Envelope, Signature, pae
from custody.core.formats.s3_fields import instant, object_key
from custody.core.formats.statement import Statement, Subject
from custody.core.formats.timestamps import format_utc
from custody.core.formats.untrusted import Fields, MalformedInput
from custody.core.lineage.model import Run
from custody.core.publications.expiry import Expiry
from custody.core.publications.model import place_of
from custody.core.tlog.signed_note import NoteKey, NoteSigner
from custody.objects import ObjectVersion

EXPIRY_V1: Final = "https://custody.example/custody/expiry/v1"

PUT_WITHIN: Final = timedelta(minutes=10)
"""How far the time that it names may be from when it was stored."""

_MAX_LOCATIONS: Final = 100
_MAX_LOCATION: Final = 2048


@dataclass(frozen=True, slots=True)
class StoredExpiry:
    """An object among the statements, stored at `stored_at`: the `expiry` in it, or why there is
    none to be believed (`trouble`)."""

    version: ObjectVersion
    stored_at: datetime
    expiry: Expiry | None
    trouble: str = ""


def sign_expiry(expiry: Expiry, signer: NoteSigner, key_id: str) -> Envelope:
    """The statement, signed; raises what `signer.sign` raises."""
    payload = _to_payload(expiry)
    signature = signer.sign(pae(PAYLOAD_TYPE, payload))
    return Envelope(payload, PAYLOAD_TYPE, (Signature(key_id, signature),))


def read_expiry(
    raw: bytes, key: NoteKey, version: ObjectVersion, stored_at: datetime
) -> StoredExpiry:
    """The statement in an object that was stored at `stored_at`, if `key` signed it for this place
    and time; never raises for what is in it."""
    try:
        envelope = Envelope.parse(raw)
        signed = pae(envelope.payload_type, envelope.payload)
        if envelope.payload_type != PAYLOAD_TYPE or not any(
            key.verifies(signature.sig, signed) for signature in envelope.signatures
        ):
            raise MalformedInput("statement", "is not signed by the key that seals")
        expiry = _from_payload(envelope.payload)
        if expiry.key != version.key:
            raise MalformedInput("statement", f"belongs at {expiry.key}")
        if abs(stored_at - expiry.stated_at) > PUT_WITHIN:
            at = format_utc(expiry.stated_at)
            raise MalformedInput("statement", f"is of {at}, not of when it was stored")
    except (OverflowError, ValueError) as error:
        return StoredExpiry(version, stored_at, None, str(error))
    return StoredExpiry(version, stored_at, expiry)


def _to_payload(expiry: Expiry) -> bytes:
    predicate: dict[str, object] = {
        "run": {"dt": expiry.run.dt, "id": expiry.run.id},
        "dataset": expiry.dataset,
        "locations": list(expiry.locations),
        "instead": expiry.instead,
        "statedAt": format_utc(expiry.stated_at),
        "retentionDays": expiry.retention.days,
    }
    subject = Subject(f"run:{expiry.run.id}", sha256=expiry.listing)
    return Statement((subject,), EXPIRY_V1, predicate).to_bytes()


def _from_payload(payload: bytes) -> Expiry:
    """Raises `ValueError` (`MalformedInput`)."""
    statement = Statement.parse(payload)
    statement.check_type(EXPIRY_V1)
    if len(statement.subjects) != 1 or statement.subjects[0].sha256 is None:
        raise MalformedInput("statement.subject", "must be what lay of one run")
    predicate = Fields.of(statement.predicate, "statement.predicate")
    run, instead = predicate.child("run"), object_key(predicate, "instead")
    return Expiry(
        run=Run(run.text("dt"), run.text("id")),
        # The first statements named none but there.
        dataset=predicate.optional_text("dataset") or (place_of(instead) or ("",))[0],
        locations=tuple(
            _location(item, predicate)
            for item in predicate.items("locations", max_items=_MAX_LOCATIONS)
        ),
        listing=statement.subjects[0].sha256,
        instead=instead,
        stated_at=instant(predicate, "statedAt"),
        retention=timedelta(days=predicate.count("retentionDays")),
    )


def _location(item: object, predicate: Fields) -> str:
    if not isinstance(item, str) or len(item) > _MAX_LOCATION:
        raise MalformedInput(predicate.where("locations"), "must be texts")
    return item
