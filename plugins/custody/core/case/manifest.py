"""What a case file holds: the table of contents, by which an outsider finds and checks the rest.

Nothing in the manifest has to be believed. It says where things are; what they prove is in their
signatures (`custody.core.case.check`).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from custody.core.formats.s3_fields import bucket_name, object_key
from custody.core.formats.untrusted import Fields, MalformedInput, load_json
from custody.objects import ObjectVersion

MANIFEST: Final = "manifest.json"
KEYS: Final = "keys.json"
CASE_V1: Final = "https://custody.example/custody/case/v1"
CASE_V2: Final = "https://custody.example/custody/case/v2"
"""Has `seal`, and a deployment in its keys."""

MAX_MEMBERS: Final = 20_000
MAX_MANIFEST_BYTES: Final = 16 * 1024 * 1024

_MEMBER = re.compile(r"(?:[a-z]+/)?[a-z0-9.-]{1,80}", re.ASCII)


@dataclass(frozen=True)
class Member:
    """One file of the case: its SHA-256 (64 hexadecimal digits) and its size in bytes."""

    sha256: str
    size: int


@dataclass(frozen=True)
class Filed:
    """An envelope: its object key in the provenance bucket, the member that holds it, and the
    member that proves it to be sealed (None: it was not)."""

    key: str
    member: str
    proof: str | None


@dataclass(frozen=True)
class CaseObject:
    """An object version and its records. `content` is the member with its bytes, if it has."""

    version: ObjectVersion
    records: tuple[Filed, ...]
    content: str | None


@dataclass(frozen=True)
class CaseDigest:
    """A CloudTrail digest: its object key, its member, and the user metadata of its object."""

    key: str
    member: str
    metadata: Mapping[str, str]


@dataclass(frozen=True)
class CaseLog:
    """A CloudTrail log file: its object key and its member."""

    key: str
    member: str


@dataclass(frozen=True)
class CaseTrail:
    """What of the trail is in the case."""

    bucket: str
    digests: tuple[CaseDigest, ...]
    logs: tuple[CaseLog, ...]


@dataclass(frozen=True)
class CaseEntries:
    """The entries of the append to the seal that begins with leaf `start`: its member."""

    start: int
    member: str


@dataclass(frozen=True)
class CaseSeal:
    """What is sealed of the days of the case's records: the members with the signed checkpoint,
    with the signed notes of all appends that led to it, and with the entries of those days."""

    checkpoint: str
    appends: str
    entries: tuple[CaseEntries, ...]


@dataclass(frozen=True)
class Manifest:
    """The table of contents. `objects` begins with the one that the case is about. `format` is that
    of the case: its first version has no `seal`."""

    provenance_bucket: str
    objects: tuple[CaseObject, ...]
    lineage: tuple[Filed, ...]
    trail: CaseTrail | None
    members: Mapping[str, Member]
    seal: CaseSeal | None = None
    format: str = CASE_V2

    def used(self) -> Iterator[str]:
        """Every member that has a part in the case, each as often as it is named."""
        yield KEYS
        envelopes = [*self.lineage, *(filed for item in self.objects for filed in item.records)]
        for filed in envelopes:
            yield filed.member
            if filed.proof is not None:
                yield filed.proof
        yield from (item.content for item in self.objects if item.content is not None)
        if self.trail is not None:
            yield from (digest.member for digest in self.trail.digests)
            yield from (log.member for log in self.trail.logs)
        if self.seal is not None:
            yield from (self.seal.checkpoint, self.seal.appends)
            yield from (each.member for each in self.seal.entries)

    def _named(self) -> Iterator[tuple[str, list[object]]]:
        yield "objects", [item.version for item in self.objects]
        yield "lineage", [filed.key for filed in self.lineage]
        if self.trail is not None:
            yield "trail.digests", [digest.key for digest in self.trail.digests]
            yield "trail.logs", [log.key for log in self.trail.logs]
        if self.seal is not None:
            yield "seal.entries", [each.start for each in self.seal.entries]

    def to_bytes(self) -> bytes:
        """Canonical JSON: one manifest has one form."""
        document: dict[str, object] = {
            "format": self.format,
            "provenance_bucket": self.provenance_bucket,
            "objects": [
                {
                    "bucket": item.version.bucket,
                    "key": item.version.key,
                    "version_id": item.version.version_id,
                    "records": [_filed_document(filed) for filed in item.records],
                    **({} if item.content is None else {"content": item.content}),
                }
                for item in self.objects
            ],
            "lineage": [_filed_document(filed) for filed in self.lineage],
            "members": {
                name: {"sha256": member.sha256, "size": member.size}
                for name, member in self.members.items()
            },
        }
        if self.trail is not None:
            document["trail"] = {
                "bucket": self.trail.bucket,
                "digests": [
                    {"key": d.key, "member": d.member, "metadata": dict(d.metadata)}
                    for d in self.trail.digests
                ],
                "logs": [{"key": log.key, "member": log.member} for log in self.trail.logs],
            }
        if self.seal is not None:
            document["seal"] = {
                "checkpoint": self.seal.checkpoint,
                "appends": self.seal.appends,
                "entries": [{"start": e.start, "member": e.member} for e in self.seal.entries],
            }
        text = json.dumps(document, ensure_ascii=False, indent=1, sort_keys=True)
        return text.encode("utf-8") + b"\n"

    @classmethod
    def parse(cls, raw: bytes) -> Manifest:
        """Read a manifest; raises `MalformedInput` for one that is not as `to_bytes` writes it,
        or that does not name each of its members once, or names anything else twice."""
        fields = Fields.of(load_json(raw, what=MANIFEST, max_bytes=MAX_MANIFEST_BYTES), "manifest")
        if (kind := fields.text("format")) not in {CASE_V1, CASE_V2}:
            raise MalformedInput(
                "manifest.format", f"must be {CASE_V1} or {CASE_V2}, not {kind[:80]!r}"
            )
        manifest = cls(
            provenance_bucket=bucket_name(fields, "provenance_bucket"),
            objects=tuple(_case_object(item) for item in _each(fields, "objects")),
            lineage=tuple(_filed(item) for item in _each(fields, "lineage")),
            trail=_trail(fields.child("trail")) if fields.has("trail") else None,
            members=_members(fields.child("members")),
            seal=_seal(fields.child("seal")) if fields.has("seal") else None,
            format=kind,
        )
        if not manifest.objects:
            raise MalformedInput("manifest.objects", "must name the object that the case is about")
        if sorted(manifest.used()) != sorted(manifest.members):
            raise MalformedInput("manifest.members", "are not those that the manifest uses, once")
        for what, named in manifest._named():
            if len(set(named)) != len(named):
                raise MalformedInput(f"manifest.{what}", "names something twice")
        if manifest.to_bytes() != raw:
            raise MalformedInput("manifest", "is not in its canonical form")
        return manifest


def _filed_document(filed: Filed) -> dict[str, str]:
    document = {"key": filed.key, "member": filed.member}
    return document if filed.proof is None else {**document, "proof": filed.proof}


def _each(fields: Fields, name: str) -> list[Fields]:
    items = fields.items(name, max_items=MAX_MEMBERS)
    return [Fields.of(item, f"{fields.where(name)}[{i}]") for i, item in enumerate(items)]


def _case_object(fields: Fields) -> CaseObject:
    return CaseObject(
        version=ObjectVersion(
            bucket_name(fields, "bucket"), object_key(fields, "key"), fields.text("version_id")
        ),
        records=tuple(_filed(item) for item in _each(fields, "records")),
        content=_member(fields, "content") if fields.has("content") else None,
    )


def _filed(fields: Fields) -> Filed:
    return Filed(
        key=object_key(fields, "key"),
        member=_member(fields, "member"),
        proof=_member(fields, "proof") if fields.has("proof") else None,
    )


def _trail(fields: Fields) -> CaseTrail:
    return CaseTrail(
        bucket=bucket_name(fields, "bucket"),
        digests=tuple(
            CaseDigest(
                object_key(item, "key"), _member(item, "member"), _metadata(item.child("metadata"))
            )
            for item in _each(fields, "digests")
        ),
        logs=tuple(
            CaseLog(object_key(item, "key"), _member(item, "member"))
            for item in _each(fields, "logs")
        ),
    )


def _seal(fields: Fields) -> CaseSeal:
    return CaseSeal(
        checkpoint=_member(fields, "checkpoint"),
        appends=_member(fields, "appends"),
        entries=tuple(
            CaseEntries(item.count("start"), _member(item, "member"))
            for item in _each(fields, "entries")
        ),
    )


def _metadata(fields: Fields) -> dict[str, str]:
    """What S3 accepts as user metadata has 2 KiB."""
    return {name: fields.text(name, max_length=2048) for name in fields.values}


def _member(fields: Fields, name: str) -> str:
    value = fields.text(name)
    if not _MEMBER.fullmatch(value) or value == MANIFEST:
        raise MalformedInput(fields.where(name), f"{value[:80]!r} is no name of a member")
    return value


def _members(fields: Fields) -> dict[str, Member]:
    if len(fields.values) > MAX_MEMBERS:
        raise MalformedInput(fields.path, f"has more than {MAX_MEMBERS} members")
    found = {}
    for name in fields.values:
        member = fields.child(name)
        found[name] = Member(member.sha256("sha256"), member.count("size"))
    return found
