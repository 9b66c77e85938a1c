"""Lineage: the published shape, a name that follows from the run, and nothing lost when split."""

from __future__ import annotations

import hashlib
import json
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from google.protobuf import json_format
from hypothesis import given
from hypothesis import strategies as st
from in_toto_attestation.predicates.provenance.v1 import provenance_pb2
from in_toto_attestation.v1 import statement_pb2
from in_toto_attestation.v1.resource_descriptor import ResourceDescriptor
from in_toto_attestation.v1.statement import Statement as InTotoStatement
from tests.support.lineages import (
    JOB_ARN,
    KEY_ARN,
    LINEAGE,
    PLACE,
    RUN,
    large,
    lineages,
    runs,
)

from custody.core.formats.dsse import MAX_ENVELOPE_BYTES, PAYLOAD_TYPE, Envelope, Signature
from custody.core.formats.untrusted import MalformedInput
from custody.core.lineage import statement as module
from custody.core.lineage.model import HashedObject, Part, Run, run_of, statement_key
from custody.core.lineage.statement import UnfitForLineage, from_statement, join, to_statements
from custody.objects import ObjectVersion

DOCUMENT: dict[str, Any] = {
    "_type": "https://in-toto.io/Statement/v1",
    "subject": [
        {
            "name": f"s3://custody-dev-processed-111122223333/files/{PLACE}/part-0.parquet",
            "digest": {"sha256": "c1" * 32},
            "annotations": {"versionId": "pV1"},
        },
        {
            "name": f"s3://custody-dev-processed-111122223333/silver/{PLACE}/part-0.parquet",
            "digest": {"sha256": "c2" * 32},
            "annotations": {"versionId": "pV2"},
        },
    ],
    "predicateType": "https://slsa.dev/provenance/v1",
    "predicate": {
        "buildDefinition": {
            "buildType": "https://custody.example/custody/glue-run/v1",
            "externalParameters": {
                "dataset": "customers",
                "dt": "2026-11-01",
                "lineage_key_arn": KEY_ARN,
            },
            "internalParameters": {"part": 1, "parts": 1},
            "resolvedDependencies": [
                {"name": "script", "digest": {"sha256": "a1" * 32}},
                {
                    "name": "contract",
                    "uri": "s3://code/contracts/c.odcs.yaml",
                    "digest": {"sha256": "a2" * 32},
                    "annotations": {"versionId": "cV1", "version": "1.2.0"},
                },
                {
                    "uri": "s3://custody-dev-raw-111122223333/incoming/customers/dt=2026-11-01/"
                    "%C3%A9%20%2B%25.csv",
                    "digest": {"sha256": "b1" * 32},
                    "annotations": {"versionId": "rV1"},
                },
            ],
        },
        "runDetails": {
            "builder": {"id": JOB_ARN, "version": {"python": "3.11.9", "spark": "3.5.6"}},
            "metadata": {
                "invocationId": "jr_0123456789abcdef",
                "startedOn": "2026-11-02T02:00:00.000Z",
                "finishedOn": "2026-11-02T02:01:30.250Z",
            },
        },
    },
}


def test_the_statement_is_the_one_we_published():
    """Statements live for years and others read them: this shape may grow, never change."""
    assert [json.loads(statement) for statement in to_statements(LINEAGE)] == [DOCUMENT]


@given(lineages())
def test_lineage_reads_back(lineage):
    parts = [from_statement(statement) for statement in to_statements(lineage)]
    assert parts == [Part(1, 1, lineage)]
    assert join(parts) == lineage


@given(lineages())
def test_in_toto_attestation_accepts_our_statements(lineage):
    """Strictly: it refuses a field that neither specification has."""
    (statement,) = to_statements(lineage)
    parsed = json_format.Parse(statement, statement_pb2.Statement())
    InTotoStatement.copy_from_pb(parsed).validate()
    predicate = json_format.Parse(
        json.dumps(json.loads(statement)["predicate"]), provenance_pb2.Provenance()
    )
    definition = predicate.build_definition
    for descriptor in definition.resolved_dependencies:
        ResourceDescriptor.copy_from_pb(descriptor).validate()
    data = [item for item in definition.resolved_dependencies if not item.name]
    assert [item.annotations["versionId"] for item in data] == [
        item.version.version_id for item in lineage.inputs
    ]
    assert predicate.run_details.builder.id == lineage.builder_id
    assert predicate.run_details.metadata.invocation_id == lineage.run.id
    assert predicate.run_details.metadata.started_on.ToDatetime() == lineage.started_on.replace(
        tzinfo=None
    )


# Names


def test_a_statement_stands_where_its_run_says():
    """Written out by hand, because auditors will compute it with other tools."""
    name = hashlib.sha256(b'["jr_0123456789abcdef",2]').hexdigest()
    assert statement_key(RUN, 2) == f"provenance/lineage/dt=2026-11-01/{name}.json"
    assert from_statement(to_statements(LINEAGE)[0]).key == statement_key(RUN, 1)


@given(runs, st.sampled_from(["part-0.parquet", "", "a/b", "line\nbreak", "dt=2000-01-01/run=x/y"]))
def test_an_object_key_names_its_run(run, rest):
    assert run_of(f"gold/t/dt={run.dt}/run={run.id}/{rest}") == run


@pytest.mark.parametrize(
    "key",
    [
        "incoming/customers/dt=2026-11-01/crm-export.csv",
        "reconciliation/run=1/dt=2026-11-01/hour=00/x.parquet",
        "gold/t/dt=2026-11-01/run=",
        "gold/t/dt=2026-11-01/run=jr_1",
        "gold/t/dt=2026-11-31/run=jr_1/x",
        "gold/t/dt=20261101/run=jr_1/x",
        "gold/t/dt=2026-11-01/run=../x",
        "gold/t/dt=2026-11-01/run=jr 1/x",
        "gold/t/dt=2026-11-01/run=jr_1\n/x",
        f"gold/t/dt=2026-11-01/run={'j' * 256}/x",
        "gold/dt=2026-11-01/run=jr_1/x",
        "a/gold/t/dt=2026-11-01/run=jr_1/x",
        "",
    ],
)
def test_other_keys_name_no_run(key):
    assert run_of(key) is None


@pytest.mark.parametrize(("dt", "run_id"), [("2026-W44-7", "jr_1"), ("2026-11-01", "a/b")])
def test_a_run_has_a_day_and_an_id(dt, run_id):
    with pytest.raises(ValueError, match=r"day|job run id"):
        Run(dt, run_id)


# Sizes


def _envelope_bytes(statement: bytes) -> int:
    signature = Signature(KEY_ARN, bytes(72))
    return len(Envelope(statement, PAYLOAD_TYPE, (signature,)).to_json_line())


@pytest.mark.parametrize(
    ("inputs", "outputs", "count"), [(0, 1, 1), (3000, 2, 4), (2, 3000, 4), (3000, 1200, 4)]
)
def test_what_does_not_fit_one_statement_is_split_and_nothing_is_lost(inputs, outputs, count):
    lineage = large(inputs, outputs)
    statements = to_statements(lineage)
    assert len(statements) == count
    assert max(map(_envelope_bytes, statements)) <= MAX_ENVELOPE_BYTES
    parts = [from_statement(statement) for statement in statements]
    assert [(part.number, part.count) for part in parts] == [(i + 1, count) for i in range(count)]
    assert all(part.lineage.outputs for part in parts)
    assert join(parts[::-1]) == lineage
    assert sum(len(part.lineage.inputs) for part in parts) == inputs
    assert len({part.key for part in parts}) == count


def test_the_longest_names_fit():
    """Keys of 1,024 bytes that JSON or a URI writes as six, or three, times as many."""
    place = f"silver/{PLACE}/"
    lineage = replace(
        LINEAGE,
        inputs=tuple(
            HashedObject(ObjectVersion("raw", chr(1) * 1017 + f"{i:07}", "v" * 1024), "b1" * 32)
            for i in range(300)
        ),
        outputs=tuple(
            HashedObject(
                ObjectVersion("out", place + chr(1) * (1017 - len(place)) + f"{i:07}", "v" * 1024),
                "c1" * 32,
            )
            for i in range(300)
        ),
    )
    statements = to_statements(lineage)
    assert max(map(_envelope_bytes, statements)) <= MAX_ENVELOPE_BYTES
    assert join([from_statement(statement) for statement in statements]) == lineage


def test_more_than_can_be_stated_is_an_error_that_says_so(monkeypatch):
    monkeypatch.setattr(module, "MAX_PARTS", 3)
    with pytest.raises(UnfitForLineage, match=r"read 3000 and wrote 1 objects.*4 statements"):
        to_statements(large(3000, 1))


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"outputs": ()}, "wrote nothing"),
        ({"parameters": {"dt": "2026-11-02"}}, "parameter dt"),
        ({"parameters": {}}, "parameter dt"),
        ({"run": Run("2026-11-01", "jr_other")}, "not in the place of run jr_other"),
    ],
)
def test_what_would_be_untrue_or_not_found_is_not_stated(changes, problem):
    with pytest.raises(UnfitForLineage, match=problem):
        to_statements(replace(LINEAGE, **changes))


def test_parts_must_be_all_the_parts_of_one_run():
    first, second, third, fourth = (from_statement(s) for s in to_statements(large(3000, 2)))
    later = replace(first.lineage, finished_on=first.lineage.finished_on + timedelta(seconds=1))
    for parts in (
        [first, second, third],
        [second, third, fourth],
        [first, second, second, fourth],
        [replace(first, lineage=later), second, third, fourth],
        [],
    ):
        with pytest.raises(MalformedInput, match="parts"):
            join(parts)


def test_the_same_claim_at_another_time_is_the_same():
    (part,) = (from_statement(statement) for statement in to_statements(LINEAGE))
    later = replace(LINEAGE, finished_on=LINEAGE.finished_on + timedelta(hours=1))
    assert part.claims_the_same(replace(part, lineage=later))
    other = replace(LINEAGE.outputs[0], sha256="d1" * 32)
    assert not part.claims_the_same(replace(part, lineage=replace(later, outputs=(other,))))
    assert not part.claims_the_same(replace(part, count=2))


# Reading what others wrote


def changed(path: str, value: object) -> bytes:
    document = json.loads(json.dumps(DOCUMENT))
    *parents, last = path.split("/")
    target = document
    for name in parents:
        target = target[int(name) if name.isdigit() else name]
    target[int(last) if last.isdigit() else last] = value
    return json.dumps(document).encode()


DEFINITION, DETAILS = "predicate/buildDefinition", "predicate/runDetails"
DATA = f"{DEFINITION}/resolvedDependencies/2"


@pytest.mark.parametrize(
    ("path", "value", "field"),
    [
        ("predicateType", "https://slsa.dev/provenance/v0.2", "predicateType"),
        (f"{DEFINITION}/buildType", "https://example.com/b", "predicate.buildDefinition.buildType"),
        ("predicate", {}, "predicate.buildDefinition"),
        ("subject/0/name", "s3://bucket/incoming/x.csv", "subject[0].name"),
        ("subject/0/name", f"https://bucket/files/{PLACE}/x", "subject[0].name"),
        ("subject/0/name", f"s3://../files/{PLACE}/x", "subject[0].name.bucket"),
        ("subject/0/name", "s3://bucket", "subject[0].name.key"),
        ("subject/0/annotations", {}, "subject[0].annotations.versionId"),
        ("subject/0/annotations", None, "subject[0].annotations.versionId"),
        ("subject/0/annotations", ["pV1"], "subject[0].annotations"),
        (f"{DEFINITION}/externalParameters", {"dt": 1}, "…externalParameters.dt"),
        (f"{DEFINITION}/externalParameters", {}, "…externalParameters.dt"),
        (f"{DEFINITION}/externalParameters", {"dt": "x"}, "…externalParameters.dt"),
        (
            f"{DEFINITION}/externalParameters",
            {str(i): "x" for i in range(65)},
            "…externalParameters",
        ),
        (f"{DEFINITION}/internalParameters/part", 0, "…internalParameters.part"),
        (f"{DEFINITION}/internalParameters/part", 2, "…internalParameters.part"),
        (f"{DEFINITION}/internalParameters/part", "1", "…internalParameters.part"),
        (f"{DEFINITION}/internalParameters/parts", 1001, "…internalParameters.part"),
        (f"{DEFINITION}/resolvedDependencies", {}, "…resolvedDependencies"),
        (f"{DEFINITION}/resolvedDependencies", ["x"], "…resolvedDependencies[0]"),
        (f"{DEFINITION}/resolvedDependencies/0/digest", {}, "…dencies[0].digest.sha256"),
        (f"{DEFINITION}/resolvedDependencies/0/name", 7, "…resolvedDependencies[0].name"),
        (f"{DATA}/uri", "s3://raw/a b", "…resolvedDependencies[2].uri"),
        (f"{DATA}/uri", "s3://raw/%61", "…resolvedDependencies[2].uri"),
        (f"{DATA}/uri", "s3://raw/%FF", "…resolvedDependencies[2].uri"),
        (f"{DATA}/uri", "git+https://example.com/a", "…resolvedDependencies[2].uri"),
        (f"{DATA}/uri", None, "…resolvedDependencies[2].uri"),
        (f"{DATA}/annotations", None, "…resolvedDependencies[2].annotations"),
        (f"{DATA}/annotations", {"versionId": ""}, "…dencies[2].annotations.versionId"),
        (f"{DATA}/digest", {"sha1": "00"}, "…resolvedDependencies[2].digest.sha256"),
        (f"{DETAILS}/builder/id", None, "…builder.id"),
        (f"{DETAILS}/builder/version", {"spark": 3}, "…builder.version.spark"),
        (f"{DETAILS}/metadata/invocationId", "a/b", "…metadata.invocationId"),
        (f"{DETAILS}/metadata/startedOn", "yesterday", "…metadata.startedOn"),
        (f"{DETAILS}/metadata/finishedOn", None, "…metadata.finishedOn"),
    ],
)
def test_names_the_field_at_fault(path, value, field):
    with pytest.raises(MalformedInput) as caught:
        from_statement(changed(path, value))
    if field.startswith("…"):
        assert caught.value.field.endswith(field[1:])
    else:
        assert caught.value.field == f"statement.{field}"


def test_newer_writers_may_add_fields():
    (part,) = (from_statement(statement) for statement in to_statements(LINEAGE))
    assert from_statement(changed(f"{DETAILS}/byproducts", [])) == part
    assert from_statement(changed(f"{DETAILS}/metadata/example_field", {"a": 1})) == part


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=5,
)
PATHS = [
    "subject/0",
    "subject/0/annotations",
    "predicate",
    DEFINITION,
    f"{DEFINITION}/externalParameters",
    f"{DEFINITION}/resolvedDependencies",
    f"{DEFINITION}/resolvedDependencies/1",
    DATA,
    DETAILS,
    f"{DETAILS}/builder",
    f"{DETAILS}/metadata",
]


@given(st.sampled_from(PATHS), JSON)
def test_no_input_does_more_harm_than_an_error(path, value):
    with suppress(MalformedInput):
        from_statement(changed(path, value))


@given(st.binary(max_size=200))
def test_no_bytes_do_more_harm_than_an_error(payload):
    with pytest.raises(MalformedInput):
        from_statement(payload)
