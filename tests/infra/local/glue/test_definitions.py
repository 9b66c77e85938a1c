"""MaxConcurrentRuns as templates state it."""

from __future__ import annotations

import json

import pytest

from localaws.glue.definitions import declared_concurrency
from localaws.protocol import AwsError

TEMPLATE = """
Resources:
  Job:
    Type: AWS::Glue::Job
    Properties:
      Role: !GetAtt Role.Arn
      Command: {ScriptLocation: !Sub "s3://${Bucket}/x.py"}
"""


def with_limit(value: str) -> str:
    return f"{TEMPLATE}      ExecutionProperty: {{MaxConcurrentRuns: {value}}}\n"


def test_reads_the_number_of_a_yaml_or_json_template() -> None:
    assert declared_concurrency(with_limit("20"), "Job") == 20
    assert declared_concurrency(with_limit("'3'"), "Job") == 3
    properties = {"ExecutionProperty": {"MaxConcurrentRuns": 4}}
    document = {"Resources": {"Job": {"Properties": properties}}}
    assert declared_concurrency(json.dumps(document), "Job") == 4
    assert declared_concurrency(document, "Job") == 4


def test_one_run_at_a_time_when_nothing_is_said() -> None:
    assert declared_concurrency(TEMPLATE, "Job") == 1


@pytest.mark.parametrize("value", ["!Ref Runs", "0", "-1", "true", "many"])
def test_anything_else_than_a_number_is_refused(value: str) -> None:
    with pytest.raises(AwsError, match="plain number"):
        declared_concurrency(with_limit(value), "Job")
