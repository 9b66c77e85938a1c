import json

import pytest

from custody.core.formats.statement import STATEMENT_V1, Statement, Subject
from custody.core.formats.untrusted import MalformedInput

STATEMENT = Statement(
    subjects=(Subject("s3://b/é", "a" * 64), Subject("s3://b/2", "b" * 64)),
    predicate_type="https://example.com/p/v1",
    predicate={"n": 1, "text": "ü"},
)


def document(**changes: object) -> bytes:
    return json.dumps(json.loads(STATEMENT.to_bytes()) | changes).encode()


def test_a_statement_reads_back():
    assert Statement.parse(STATEMENT.to_bytes()) == STATEMENT


def test_is_written_with_the_fields_of_the_specification():
    assert json.loads(STATEMENT.to_bytes()) == {
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [
            {"name": "s3://b/é", "digest": {"sha256": "a" * 64}},
            {"name": "s3://b/2", "digest": {"sha256": "b" * 64}},
        ],
        "predicateType": "https://example.com/p/v1",
        "predicate": {"n": 1, "text": "ü"},
    }


def test_annotations_of_a_subject_read_back():
    """Where the specification has them: `spec/v1/resource_descriptor.md`."""
    subject = Subject("s3://b/k", "a" * 64, annotations={"versionId": "v1"})
    statement = Statement((subject,), STATEMENT.predicate_type, {})
    assert json.loads(statement.to_bytes())["subject"] == [
        {"name": "s3://b/k", "digest": {"sha256": "a" * 64}, "annotations": {"versionId": "v1"}}
    ]
    assert Statement.parse(statement.to_bytes()) == statement


def test_unknown_fields_and_other_digests_are_ignored():
    subject = {"name": "s3://b/é", "digest": {"sha256": "a" * 64, "sha512": "…"}, "uri": "x"}
    parsed = Statement.parse(document(subject=[subject], extra=1))
    assert parsed.subjects == STATEMENT.subjects[:1]


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"_type": "https://in-toto.io/Statement/v0.1"}, "statement._type"),
        ({"_type": None}, "statement._type"),
        ({"subject": []}, "statement.subject"),
        ({"subject": [{"name": "x"}]}, "statement.subject[0].digest"),
        ({"subject": [{"name": "x", "digest": {}}]}, "statement.subject[0].digest.sha256"),
        (
            {"subject": [{"name": "x", "digest": {"sha256": "A" * 64}}]},
            "statement.subject[0].digest.sha256",
        ),
        (
            {"subject": [{"name": "x", "digest": {"sha256": "a" * 64}, "annotations": 1}]},
            "statement.subject[0].annotations",
        ),
        (
            {"subject": [{"name": "x", "digest": {"s3ObjectVersion": "v1"}}]},
            "statement.subject[0].digest.s3ObjectVersion",
        ),
        (
            {"subject": [{"name": "x", "digest": {"s3ObjectVersion": "a" * 64, "sha256": "A"}}]},
            "statement.subject[0].digest.sha256",
        ),
        ({"predicateType": ""}, "statement.predicateType"),
        ({"predicate": []}, "statement.predicate"),
    ],
)
def test_names_the_field_at_fault(changes, field):
    with pytest.raises(MalformedInput) as caught:
        Statement.parse(document(**changes))
    assert caught.value.field == field


def test_the_type_is_version_1():
    assert STATEMENT_V1.endswith("/v1")


def test_a_subject_may_be_an_object_version_whose_bytes_are_not_known():
    statement = Statement((Subject("s3://b/k", s3_object_version="c" * 64),), "t", {})
    assert json.loads(statement.to_bytes())["subject"] == [
        {"name": "s3://b/k", "digest": {"s3ObjectVersion": "c" * 64}}
    ]
    assert Statement.parse(statement.to_bytes()) == statement


def test_a_subject_without_any_digest_cannot_be_made():
    with pytest.raises(ValueError, match="must have a digest"):
        Subject("s3://b/k")
