"""in-toto Statement v1: which artefacts a claim is about, and what kind of claim it is.

Rules from https://github.com/in-toto/attestation (``spec/v1/statement.md``).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from custody.core.dsse import MAX_ENVELOPE_BYTES
from custody.core.untrusted import Fields, MalformedInput, load_json

STATEMENT_V1: Final = "https://in-toto.io/Statement/v1"
MAX_SUBJECTS: Final = 10_000


@dataclass(frozen=True)
class Subject:
    """One artefact: its name and its SHA-256 (64 lower-case hexadecimal digits)."""

    name: str
    sha256: str


@dataclass(frozen=True)
class Statement:
    """What is claimed (``predicate``, shaped by ``predicate_type``) about which artefacts."""

    subjects: tuple[Subject, ...]
    predicate_type: str
    predicate: Mapping[str, object]

    def to_bytes(self) -> bytes:
        """The statement as compact UTF-8 JSON, the payload of a DSSE envelope."""
        document = {
            "_type": STATEMENT_V1,
            "subject": [
                {"name": subject.name, "digest": {"sha256": subject.sha256}}
                for subject in self.subjects
            ],
            "predicateType": self.predicate_type,
            "predicate": self.predicate,
        }
        return json.dumps(
            document, ensure_ascii=False, allow_nan=False, separators=(",", ":")
        ).encode("utf-8")

    @classmethod
    def parse(cls, payload: bytes) -> Statement:
        """Read a Statement v1; unknown fields are ignored. Raises ``MalformedInput``."""
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


def _subject(fields: Fields) -> Subject:
    # A name is "s3://" + bucket (63) + "/" + key (1,024 bytes), so it needs more than MAX_TEXT.
    return Subject(
        name=fields.text("name", max_length=2048), sha256=fields.child("digest").sha256("sha256")
    )
