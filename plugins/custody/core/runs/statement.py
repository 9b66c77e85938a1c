"""A run's statement: an in-toto Statement whose subjects are its report, the list of its files,
and, of an audit, the summaries of other runs.

Small, because the seal's key signs it, to which KMS passes 4,096 bytes at most: all that grows is
in these, of which it has the hashes (docs/adr/060-what-a-run-states.md).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Final

from custody.core.formats.dsse import PAYLOAD_TYPE, Envelope, Signature, pae
from custody.core.formats.s3_fields import instant, object_key
from custody.core.formats.statement import Statement, Subject
from custody.core.formats.timestamps import format_utc
from custody.core.formats.untrusted import Fields, MalformedInput
from custody.core.lineage.model import HashedObject
from custody.core.runs.chain import Link, Reached
from custody.core.runs.model import PARTS, RUNS, Basis, JudgingRun
from custody.core.tlog.signed_note import NoteKey, NoteSigner
from custody.objects import ObjectVersion

JUDGEMENT_V1: Final = "https://custody.example/custody/judgement/v1"


class BadRun(Exception):
    """A statement or report of a run that must not be believed; the text says why."""


@dataclass(frozen=True, slots=True)
class RunStatement:
    """What a run states: by what it judged, and which object version with which SHA-256 is each of
    its `PARTS`, and `RUNS` if it is an audit; where runs make a chain, its `link`."""

    run: JudgingRun
    basis: Basis
    parts: Mapping[str, HashedObject]
    link: Link | None = None


def sign_run(statement: RunStatement, signer: NoteSigner, key_id: str) -> Envelope:
    """The statement, signed; raises what `signer.sign` raises."""
    payload = to_payload(statement)
    signature = signer.sign(pae(PAYLOAD_TYPE, payload))
    return Envelope(payload, PAYLOAD_TYPE, (Signature(key_id, signature),))


def open_run(raw: bytes, key: NoteKey) -> RunStatement:
    """The statement in an envelope that `key` signed; raises `BadRun`."""
    try:
        envelope = Envelope.parse(raw)
        signed = pae(envelope.payload_type, envelope.payload)
        if envelope.payload_type != PAYLOAD_TYPE or not any(
            key.verifies(signature.sig, signed) for signature in envelope.signatures
        ):
            raise BadRun("is not signed by the key that seals")
        return from_payload(envelope.payload)
    except MalformedInput as error:
        raise BadRun(str(error)) from error


def to_payload(statement: RunStatement) -> bytes:
    """The statement as the payload of its envelope."""
    run = statement.run
    predicate: dict[str, object] = {
        "run": document_of(run),
        "basis": {name: {"sha256": value} for name, value in asdict(statement.basis).items()},
    }
    if (link := statement.link) is not None:
        reached = {name: format_utc(value) for name, value in asdict(link.reached).items()}
        predicate["chain"] = {**reached, "previous": link.previous}
    names = (*PARTS, RUNS) if RUNS in statement.parts else PARTS
    subjects = tuple(
        Subject(
            part.version.uri,
            sha256=part.sha256,
            annotations={"versionId": part.version.version_id},
        )
        for part in (statement.parts[name] for name in names)
    )
    return Statement(subjects, JUDGEMENT_V1, predicate).to_bytes()


def from_payload(payload: bytes) -> RunStatement:
    """Read the payload of an envelope; raises `MalformedInput`."""
    statement = Statement.parse(payload)
    statement.check_type(JUDGEMENT_V1)
    predicate = Fields.of(statement.predicate, "statement.predicate")
    run, basis = run_of(predicate.child("run")), predicate.child("basis")
    return RunStatement(
        run=run,
        basis=Basis(*(basis.child(name).sha256("sha256") for name in Basis.__slots__)),
        parts=_parts(statement, run),
        link=_link(predicate.child("chain"), run) if predicate.has("chain") else None,
    )


def document_of(run: JudgingRun) -> dict[str, object]:
    """A run as JSON values, which `run_of` reads back."""
    return {
        "job": run.job,
        "id": run.id,
        "asOf": format_utc(run.as_of),
        "start": format_utc(run.start),
        "end": format_utc(run.end),
    }


def run_of(told: Fields) -> JudgingRun:
    """The run of such a document; raises `MalformedInput`."""
    try:
        return JudgingRun(
            job=told.text("job"),
            id=told.text("id"),
            as_of=instant(told, "asOf"),
            start=instant(told, "start"),
            end=instant(told, "end"),
        )
    except MalformedInput:
        raise
    except ValueError as error:
        raise MalformedInput(told.where("id"), str(error)) from error


def _link(chain: Fields, run: JudgingRun) -> Link:
    """A link; of hours that were not over when it was judged, none is judged or final."""
    judged, recorded, closed = (instant(chain, name) for name in Reached.__slots__)
    if not closed <= recorded <= judged <= run.as_of:
        raise MalformedInput(chain.where("judged"), "is ahead of what can have been judged")
    return Link(
        Reached(judged, recorded, closed),
        previous=object_key(chain, "previous") if chain.has("previous") else None,
    )


def _parts(statement: Statement, run: JudgingRun) -> dict[str, HashedObject]:
    parts = {}
    for name, subject in zip((*PARTS, RUNS), statement.subjects, strict=False):
        bucket, _, key = subject.name.removeprefix("s3://").partition("/")
        if subject.sha256 is None or key != run.key_of(name):
            raise MalformedInput("statement.subject", f"is not the {name} of the run")
        annotations = Fields(subject.annotations, f"statement.subject of the {name}")
        version = ObjectVersion(bucket, key, annotations.text("versionId"))
        parts[name] = HashedObject(version, subject.sha256)
    if len(statement.subjects) not in (len(PARTS), len(PARTS) + 1):
        raise MalformedInput(
            "statement.subject", f"must be {' and '.join(PARTS)}, and {RUNS} of an audit"
        )
    return parts
