"""in-toto Statement v1: which artefacts a claim is about, and what kind of claim it is.

Rules from https://github.com/in-toto/attestation (`spec/v1/statement.md` and
`spec/v1/digest_set.md`).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from custody.core.formats.dsse import MAX_ENVELOPE_BYTES
from custody.core.formats.untrusted import Fields, MalformedInput, load_json

STATEMENT_V1: Final = "https://in-toto.io/Statement/v1"
MAX_SUBJECTS: Final = 10_000

_S3_OBJECT_VERSION: Final = "s3ObjectVersion"


@dataclass(frozen=True)
class Subject:
    """One artefact: its name, what identifies it for good, and what else is said of it.

    `sha256` is that of its bytes. `s3_object_version` identifies an S3 object version whose
    bytes are not known: DigestSet allows "another identifier if the underlying implementation
    ensures immutability", and S3 never changes a version. It is
    `custody.core.records.names.record_id` of the version. Both are 64 lower-case hexadecimal
    digits; raises `ValueError` without any.
    `annotations` is any JSON object and means what the predicate type says it means.
    """

    name: str
    sha256: str | None = None
    s3_object_version: str | None = None
    annotations: Mapping[str, object] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.sha256 is None and self.s3_object_version is None:
            raise ValueError("a subject must have a digest: that is what it is matched by")

    @property
    def digest(self) -> dict[str, str]:
        """The in-toto DigestSet: algorithm names to values."""
        values = {"sha256": self.sha256, _S3_OBJECT_VERSION: self.s3_object_version}
        return {name: value for name, value in values.items() if value is not None}

    def to_descriptor(self) -> dict[str, object]:
        """The subject as a ResourceDescriptor (`spec/v1/resource_descriptor.md`)."""
        descriptor: dict[str, object] = {"name": self.name, "digest": self.digest}
        if self.annotations:
            descriptor["annotations"] = self.annotations
        return descriptor


@dataclass(frozen=True)
class Statement:
    """What is claimed (`predicate`, shaped by `predicate_type`) about which artefacts."""

    subjects: tuple[Subject, ...]
    predicate_type: str
    predicate: Mapping[str, object]

    def to_bytes(self) -> bytes:
        """The statement as compact UTF-8 JSON, the payload of a DSSE envelope."""
        document = {
            "_type": STATEMENT_V1,
            "subject": [subject.to_descriptor() for subject in self.subjects],
            "predicateType": self.predicate_type,
            "predicate": self.predicate,
        }
        return json.dumps(
            document, ensure_ascii=False, allow_nan=False, separators=(",", ":")
        ).encode("utf-8")

    @classmethod
    def parse(cls, payload: bytes) -> Statement:
        """Read a Statement v1; unknown fields are ignored. Raises `MalformedInput`."""
        fields = Fields.of(
            load_json(payload, what="statement", max_bytes=MAX_ENVELOPE_BYTES), "statement"
        )
        kind = fields.text("_type")
        if kind != STATEMENT_V1:
            raise MalformedInput(
                fields.where("_type"), f"must be {STATEMENT_V1}, not {kind[:60]!r}"
            )
        subjects = fields.items("subject", max_items=MAX_SUBJECTS)
        if not subjects:
            raise MalformedInput(fields.where("subject"), "must name at least one artefact")
        return cls(
            subjects=tuple(
                _subject(Fields.of(item, f"statement.subject[{i}]"))
                for i, item in enumerate(subjects)
            ),
            predicate_type=fields.text("predicateType"),
            predicate=fields.child("predicate").values,
        )

    def check_type(self, predicate_type: str) -> None:
        """Raises `MalformedInput` for a statement of another predicate type."""
        if self.predicate_type != predicate_type:
            raise MalformedInput(
                "statement.predicateType",
                f"must be {predicate_type}, not {self.predicate_type[:80]!r}",
            )


def _subject(fields: Fields) -> Subject:
    """As the specification says, digests of unknown algorithms are ignored."""
    digest = fields.child("digest")
    if digest.has(_S3_OBJECT_VERSION):
        version = digest.sha256(_S3_OBJECT_VERSION)
        sha256 = digest.sha256("sha256") if digest.has("sha256") else None
    else:
        version, sha256 = None, digest.sha256("sha256")
    return Subject(
        # "s3://" + bucket (63) + "/" + key (1,024 bytes): a name needs more than MAX_TEXT.
        name=fields.text("name", max_length=2048),
        sha256=sha256,
        s3_object_version=version,
        annotations=fields.child("annotations").values if fields.has("annotations") else {},
    )
