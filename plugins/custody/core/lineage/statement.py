"""Lineage as in-toto Statements with the SLSA Provenance v1 predicate (https://slsa.dev/provenance/v1).

How its fields are used here, and why a run may need several statements, is in
docs/adr/034-lineage.md; their names follow from the run, which is in the key of every object that
it wrote.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Final, TypeVar
from urllib.parse import quote, unquote

from custody.core.formats.dsse import MAX_ENVELOPE_BYTES
from custody.core.formats.s3_fields import bucket_name, instant, object_key
from custody.core.formats.statement import Statement, Subject
from custody.core.formats.timestamps import format_utc
from custody.core.formats.untrusted import Fields, MalformedInput
from custody.core.lineage.model import HashedObject, Lineage, Material, Part, Run, is_day, run_of
from custody.objects import ObjectVersion

SLSA_PROVENANCE_V1: Final = "https://slsa.dev/provenance/v1"
GLUE_RUN_V1: Final = "https://custody.example/custody/glue-run/v1"
"""The build type: how parameters and dependencies are to be read (docs/adr/034-lineage.md)."""

MAX_PARTS: Final = 1000
"""Most statements of one run: lineage of about a million objects read and a million written."""

# Base64 makes four bytes of three; signature, key id and field names need far less than 4 KiB.
_PAYLOAD_BYTES: Final = (MAX_ENVELOPE_BYTES - 4096) // 4 * 3
_MAX_DEPENDENCIES: Final = 10_000
_MAX_NAMED_VALUES: Final = 64
_MAX_URI: Final = 4096
"""`s3://`, a bucket, and a key of 1,024 bytes of which each may be written as `%xx`."""

_Item = TypeVar("_Item")


class UnfitForLineage(ValueError):
    """A run of which no true statement can be written; the text says why and what to do."""


def to_statements(lineage: Lineage) -> tuple[bytes, ...]:
    """The lineage as payloads of DSSE envelopes, in the order of their parts.

    Together they name every input and every output; each fits an envelope and names at least one
    output. Raises `UnfitForLineage` for a run without outputs, with an output outside its own
    place, with a day that is not its parameter `dt`, or with more objects than `MAX_PARTS`
    statements hold.
    """
    run = lineage.run
    if lineage.parameters.get("dt") != run.dt:
        raise UnfitForLineage(f"run {run.id} is of {run.dt}, its parameter dt says otherwise")
    if not lineage.outputs:
        raise UnfitForLineage(f"run {run.id} wrote nothing: a statement is about what was made")
    for output in lineage.outputs:
        if run_of(output.version.key) != run:
            raise UnfitForLineage(f"{output} is not in the place of run {run.id} of {run.dt}")
    common = replace(lineage, inputs=(), outputs=())
    room = (_PAYLOAD_BYTES - len(_to_statement(Part(MAX_PARTS, MAX_PARTS, common)))) // 2
    outputs = _chunks(lineage.outputs, room, lambda output: _to_subject(output).to_descriptor())
    inputs = _chunks(lineage.inputs, room, _to_dependency)
    count = max(len(outputs), len(inputs))
    if count > MAX_PARTS:
        raise UnfitForLineage(
            f"run {run.id} read {len(lineage.inputs)} and wrote {len(lineage.outputs)} objects: "
            f"that needs {count} statements, more than the {MAX_PARTS} that are read; "
            "work on fewer, larger files"
        )
    return tuple(
        _to_statement(
            Part(
                number=i + 1,
                count=count,
                lineage=replace(
                    common,
                    # Every statement needs a subject: where the inputs fill more of them than the
                    # outputs do, outputs are named again.
                    outputs=outputs[i % len(outputs)],
                    inputs=inputs[i] if i < len(inputs) else (),
                ),
            )
        )
        for i in range(count)
    )


def _chunks(
    items: Iterable[_Item], room: int, descriptor: Callable[[_Item], object]
) -> list[tuple[_Item, ...]]:
    """The items, in order, in groups whose descriptors take at most `room` bytes of JSON."""
    chunks: list[list[_Item]] = []
    left = 0
    for item in items:
        size = len(_json(descriptor(item))) + 1
        if not chunks or size > left:
            chunks.append([])
            left = room
        chunks[-1].append(item)
        left -= size
    return [tuple(chunk) for chunk in chunks]


def _json(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def _to_statement(part: Part) -> bytes:
    lineage = part.lineage
    predicate = {
        "buildDefinition": {
            "buildType": GLUE_RUN_V1,
            "externalParameters": dict(lineage.parameters),
            "internalParameters": {"part": part.number, "parts": part.count},
            "resolvedDependencies": [
                *(_to_named_dependency(material) for material in lineage.materials),
                *(_to_dependency(item) for item in lineage.inputs),
            ],
        },
        "runDetails": {
            "builder": {"id": lineage.builder_id, "version": dict(lineage.platform)},
            "metadata": {
                "invocationId": lineage.run.id,
                "startedOn": format_utc(lineage.started_on),
                "finishedOn": format_utc(lineage.finished_on),
            },
        },
    }
    subjects = tuple(_to_subject(output) for output in lineage.outputs)
    return Statement(subjects, SLSA_PROVENANCE_V1, predicate).to_bytes()


def _to_subject(output: HashedObject) -> Subject:
    return Subject(
        name=output.version.uri,
        sha256=output.sha256,
        annotations={"versionId": output.version.version_id},
    )


def _to_dependency(item: HashedObject) -> dict[str, object]:
    return {
        "uri": _uri(item.version.bucket, item.version.key),
        "digest": {"sha256": item.sha256},
        "annotations": {"versionId": item.version.version_id},
    }


def _to_named_dependency(material: Material) -> dict[str, object]:
    descriptor: dict[str, object] = {"name": material.name}
    if material.uri is not None:
        descriptor["uri"] = material.uri
    descriptor["digest"] = {"sha256": material.sha256}
    annotations = {"versionId": material.version_id, "version": material.version}
    if known := {name: value for name, value in annotations.items() if value is not None}:
        descriptor["annotations"] = known
    return descriptor


def _uri(bucket: str, key: str) -> str:
    """An object's URI. Unlike a `name`, a `uri` must be one (RFC 3986): a key is encoded."""
    return f"s3://{bucket}/{quote(key, safe='/=')}"


def from_statement(payload: bytes) -> Part:
    """Read the payload of one lineage statement's envelope; raises `MalformedInput`.

    Refuses a statement about an object outside the place of its run: nobody would look for it here.
    """
    statement = Statement.parse(payload)
    statement.check_type(SLSA_PROVENANCE_V1)
    predicate = Fields.of(statement.predicate, "statement.predicate")
    definition, details = predicate.child("buildDefinition"), predicate.child("runDetails")
    if (kind := definition.text("buildType")) != GLUE_RUN_V1:
        raise MalformedInput(
            definition.where("buildType"), f"must be {GLUE_RUN_V1}, not {kind[:80]!r}"
        )
    parameters = _texts(definition.child("externalParameters"))
    builder, metadata = details.child("builder"), details.child("metadata")
    run = _run(Fields(parameters, definition.where("externalParameters")), metadata)
    number, count = _part(definition.child("internalParameters"))
    dependencies = [
        Fields.of(item, f"{definition.where('resolvedDependencies')}[{i}]")
        for i, item in enumerate(
            definition.items("resolvedDependencies", max_items=_MAX_DEPENDENCIES)
        )
    ]
    return Part(
        number=number,
        count=count,
        lineage=Lineage(
            run=run,
            builder_id=builder.text("id"),
            platform=_texts(builder.child("version")),
            started_on=instant(metadata, "startedOn"),
            finished_on=instant(metadata, "finishedOn"),
            parameters=parameters,
            materials=tuple(_material(item) for item in dependencies if item.has("name")),
            inputs=tuple(_input(item) for item in dependencies if not item.has("name")),
            outputs=tuple(
                _output(subject, run, f"statement.subject[{i}]")
                for i, subject in enumerate(statement.subjects)
            ),
        ),
    )


def join(parts: Sequence[Part]) -> Lineage:
    """The whole lineage of a run from all its parts; objects are sorted and named once.

    Raises `MalformedInput` if a part is missing, or if they are not parts of one lineage.
    """
    where = "statement.predicate.buildDefinition.internalParameters"
    count = len(parts)
    if not parts or sorted((part.number, part.count) for part in parts) != [
        (number, count) for number in range(1, count + 1)
    ]:
        raise MalformedInput(where, f"these {count} parts are not all the parts of one run")
    common = {id(part): replace(part.lineage, inputs=(), outputs=()) for part in parts}
    whole = common[id(parts[0])]
    if any(lineage != whole for lineage in common.values()):
        raise MalformedInput(where, f"the parts of run {whole.run.id} tell of different runs")
    return replace(
        whole,
        inputs=tuple(sorted({item for part in parts for item in part.lineage.inputs})),
        outputs=tuple(sorted({item for part in parts for item in part.lineage.outputs})),
    )


def _run(parameters: Fields, metadata: Fields) -> Run:
    dt, run_id = parameters.text("dt"), metadata.text("invocationId")
    try:
        return Run(dt, run_id)
    except ValueError as error:
        at_fault = metadata.where("invocationId") if is_day(dt) else parameters.where("dt")
        raise MalformedInput(at_fault, str(error)) from error


def _part(fields: Fields) -> tuple[int, int]:
    number, count = fields.count("part"), fields.count("parts")
    if not 1 <= number <= count <= MAX_PARTS:
        raise MalformedInput(
            fields.where("part"), f"{number} of {count} is no part of {MAX_PARTS} at most"
        )
    return number, count


def _texts(fields: Fields) -> dict[str, str]:
    if len(fields.values) > _MAX_NAMED_VALUES:
        raise MalformedInput(fields.path, f"has more than {_MAX_NAMED_VALUES} values")
    return {name: fields.text(name) for name in fields.values}


def _material(fields: Fields) -> Material:
    annotations = fields.child("annotations") if fields.has("annotations") else Fields({}, "")
    return Material(
        name=fields.text("name"),
        sha256=fields.child("digest").sha256("sha256"),
        uri=fields.text("uri", max_length=_MAX_URI) if fields.has("uri") else None,
        version_id=annotations.text("versionId") if annotations.has("versionId") else None,
        version=annotations.text("version") if annotations.has("version") else None,
    )


def _input(fields: Fields) -> HashedObject:
    uri = fields.text("uri", max_length=_MAX_URI)
    bucket, key = _object(unquote(uri), fields.where("uri"))
    if _uri(bucket, key) != uri:
        raise MalformedInput(fields.where("uri"), "is not written as the URI of an object version")
    version_id = fields.child("annotations").text("versionId")
    return HashedObject(
        ObjectVersion(bucket, key, version_id), fields.child("digest").sha256("sha256")
    )


def _output(subject: Subject, run: Run, path: str) -> HashedObject:
    bucket, key = _object(subject.name, f"{path}.name")
    if run_of(key) != run:
        raise MalformedInput(f"{path}.name", f"is not in the place of run {run.id} of {run.dt}")
    if subject.sha256 is None:
        raise MalformedInput(f"{path}.digest.sha256", "is missing")
    version_id = Fields(subject.annotations, f"{path}.annotations").text("versionId")
    return HashedObject(ObjectVersion(bucket, key, version_id), subject.sha256)


def _object(name: str, where: str) -> tuple[str, str]:
    """Bucket and key of `s3://<bucket>/<key>`."""
    scheme, _, path = name.partition("://")
    if scheme != "s3":
        raise MalformedInput(where, "must begin with s3://")
    bucket, _, key = path.partition("/")
    fields = Fields({"bucket": bucket, "key": key}, where)
    return bucket_name(fields, "bucket"), object_key(fields, "key")
