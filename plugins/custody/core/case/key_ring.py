"""The public keys an auditor trusts, as one document to keep away from the account.

JSON: `v` (1); `deployment`, what they are the keys of (`custody.core.case.pins`; documents written
before there were pins have none); `records` and `lineage`, lists of `key_id` and `public_key`
(PEM), those of records with a period (`valid_from`, `valid_until`, UTC) where it is limited;
`builders`, the jobs (ARNs) that the keys of lineage sign for; `seal`, a list of vkeys
(https://c2sp.org/signed-note); `cloudtrail`, a list of `fingerprint` and `public_key` (base64
of DER, as `ListPublicKeys` gives it).
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from custody.core.case.pins import Pins
from custody.core.formats.s3_fields import instant
from custody.core.formats.signatures import load_public_key
from custody.core.formats.timestamps import format_utc
from custody.core.formats.untrusted import Fields, MalformedInput, load_json
from custody.core.lineage.trust import Trust
from custody.core.records.checking import TrustedKey
from custody.core.tlog.signed_note import NoteKey
from custody.core.trail.digests.signatures import load_digest_key

VERSION: Final = 1
ALWAYS: Final = datetime.min.replace(tzinfo=UTC)
"""`valid_from` of a key whose period nobody limited."""

_MAX_BYTES: Final = 1024 * 1024
_MAX_KEYS: Final = 1000


@dataclass(frozen=True)
class KeyName:
    """One key: what it signs, its id, and the SHA-256 (hexadecimal) of its public half, in DER
    (SubjectPublicKeyInfo; for the seal, of the vkey's 32 bytes; for CloudTrail, PKCS#1)."""

    signs: str
    key_id: str
    sha256: str


@dataclass(frozen=True)
class KeyRing:
    """Keys of records by key id, of lineage with its builders, of the seal, and of CloudTrail by
    fingerprint; and the deployment that they are of, None if that is not known."""

    records: Mapping[str, TrustedKey] = field(default_factory=dict)
    lineage: Trust = field(default_factory=lambda: Trust({}, frozenset()))
    seal: tuple[NoteKey, ...] = ()
    cloudtrail: Mapping[str, rsa.RSAPublicKey] = field(default_factory=dict)
    deployment: Pins | None = None

    def names(self) -> list[KeyName]:
        """Every key, to be compared with what somebody else says of them."""
        keys = {
            "records": {name: key.der for name, key in self.records.items()},
            "lineage": {name: _der(key) for name, key in self.lineage.public_keys.items()},
            "seal": {key.vkey: key.public_key for key in self.seal},
            "cloudtrail": {name: _pkcs1(key) for name, key in self.cloudtrail.items()},
        }
        return [
            KeyName(signs, key_id, hashlib.sha256(der).hexdigest())
            for signs, of_kind in keys.items()
            for key_id, der in sorted(of_kind.items())
        ]

    def beyond(self, trusted: KeyRing) -> list[str]:
        """What is in this ring and not in `trusted`: keys, builders, another deployment.

        Not periods: they end after a ring was written, and those of `trusted` are what counts.
        """
        known = set(trusted.names())
        missing = [
            f"the key of {name.signs} {name.key_id} (sha256 {name.sha256})"
            for name in self.names()
            if name not in known
        ]
        missing += [
            f"the builder {builder}"
            for builder in sorted(self.lineage.builders - trusted.lineage.builders)
        ]
        if self.deployment is not None and trusted.deployment is not None:
            missing += [
                f"a deployment of which {difference}"
                for difference in trusted.deployment.differences(self.deployment)
            ]
        return missing

    def to_json(self) -> bytes:
        """The document, the same bytes for the same keys."""
        pinned = {} if self.deployment is None else {"deployment": self.deployment.document()}
        document = {
            "v": VERSION,
            **pinned,
            "records": [_record_document(key) for _, key in sorted(self.records.items())],
            "lineage": [
                {"key_id": key_id, "public_key": _pem(key)}
                for key_id, key in sorted(self.lineage.public_keys.items())
            ],
            "builders": sorted(self.lineage.builders),
            "seal": sorted(key.vkey for key in self.seal),
            "cloudtrail": [
                {"fingerprint": name, "public_key": base64.b64encode(_pkcs1(key)).decode()}
                for name, key in sorted(self.cloudtrail.items())
            ],
        }
        return json.dumps(document, indent=1, sort_keys=True).encode() + b"\n"

    @classmethod
    def parse(cls, raw: bytes) -> KeyRing:
        """Read the document; raises `MalformedInput` naming the field."""
        fields = Fields.of(load_json(raw, what="keys", max_bytes=_MAX_BYTES), "keys")
        if fields.count("v") != VERSION:
            raise MalformedInput("keys.v", f"must be {VERSION}")
        records = [_trusted_key(item) for item in _each(fields, "records")]
        if len({key.key_id for key in records}) != len(records):
            raise MalformedInput("keys.records", "names a key twice: which period is it?")
        return cls(
            records={key.key_id: key for key in records},
            lineage=Trust(
                {item.text("key_id"): _p256(item) for item in _each(fields, "lineage")},
                frozenset(_texts(fields, "builders")),
            ),
            seal=tuple(NoteKey.parse(vkey) for vkey in _texts(fields, "seal")),
            cloudtrail={
                item.text("fingerprint"): _rsa(item) for item in _each(fields, "cloudtrail")
            },
            deployment=Pins.parse(fields.child("deployment")) if fields.has("deployment") else None,
        )


def _each(fields: Fields, name: str) -> list[Fields]:
    if not fields.has(name):
        return []
    items = fields.items(name, max_items=_MAX_KEYS)
    return [Fields.of(item, f"{fields.where(name)}[{i}]") for i, item in enumerate(items)]


def _texts(fields: Fields, name: str) -> list[str]:
    if not fields.has(name):
        return []
    items = fields.items(name, max_items=_MAX_KEYS)
    named = Fields({f"{name}[{i}]": item for i, item in enumerate(items)}, fields.path)
    return [named.text(each) for each in named.values]


def _trusted_key(fields: Fields) -> TrustedKey:
    return TrustedKey(
        key_id=fields.text("key_id"),
        der=_der(_p256(fields)),
        valid_from=instant(fields, "valid_from") if fields.has("valid_from") else ALWAYS,
        valid_until=instant(fields, "valid_until") if fields.has("valid_until") else None,
    )


def _record_document(key: TrustedKey) -> dict[str, str]:
    document = {"key_id": key.key_id, "public_key": _pem(load_public_key(key.der))}
    if key.valid_from != ALWAYS:
        document["valid_from"] = format_utc(key.valid_from)
    if key.valid_until is not None:
        document["valid_until"] = format_utc(key.valid_until)
    return document


def _p256(fields: Fields) -> ec.EllipticCurvePublicKey:
    text = fields.text("public_key", max_length=4096)
    try:
        return load_public_key(text.encode())
    except ValueError as error:
        raise MalformedInput(fields.where("public_key"), str(error)) from error


def _rsa(fields: Fields) -> rsa.RSAPublicKey:
    text = fields.text("public_key", max_length=8192)
    try:
        return load_digest_key(base64.b64decode(text, validate=True))
    except (binascii.Error, ValueError) as error:
        raise MalformedInput(fields.where("public_key"), str(error)) from error


def _der(key: ec.EllipticCurvePublicKey) -> bytes:
    return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def _pem(key: ec.EllipticCurvePublicKey) -> str:
    return key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


def _pkcs1(key: rsa.RSAPublicKey) -> bytes:
    return key.public_bytes(Encoding.DER, PublicFormat.PKCS1)
