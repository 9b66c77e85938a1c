"""What is uploaded is written once, and what stands there is looked at."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import botocore.session
import pytest
from infra.deployment.artifacts import Artifacts
from infra.deployment.errors import DeployError
from infra.deployment.session import Session
from infra.deployment.templates.packaging import package
from infra.deployment.templates.reading import Template
from moto import mock_aws


@pytest.fixture
def artifacts(monkeypatch: pytest.MonkeyPatch) -> Iterator[Artifacts]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    with mock_aws():
        s3 = botocore.session.Session().create_client("s3", region_name="us-east-1")
        s3.create_bucket(Bucket="code")
        yield Artifacts(Session("us-east-1"), "code")


def test_an_object_is_written_once(artifacts: Artifacts) -> None:
    assert artifacts.put("a/b", b"x") == "s3://code/a/b"
    artifacts.put("a/b", b"x")
    assert artifacts.written == ["a/b"]


def test_what_others_put_there_is_refused(artifacts: Artifacts) -> None:
    s3 = artifacts.session.client("s3")
    s3.put_object(Bucket="code", Key="a/b", Body=b"not ours", ChecksumAlgorithm="SHA256")
    s3.put_object(Bucket="code", Key="a/c", Body=b"x")
    for key in ("a/b", "a/c"):
        with pytest.raises(DeployError, match=f"s3://code/{key} holds something else"):
            artifacts.put(key, b"x")
    assert s3.get_object(Bucket="code", Key="a/b")["Body"].read() == b"not ours"


def test_a_race_is_decided_by_what_stands_there(
    artifacts: Artifacts, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both looked and saw nothing; one wrote first."""
    other = Artifacts(artifacts.session, "code")
    looked = iter([False])
    look = Artifacts._is_there
    monkeypatch.setattr(
        Artifacts,
        "_is_there",
        lambda self, key, checksum: next(looked, None) is None and look(self, key, checksum),
    )
    artifacts.session.client("s3").put_object(
        Bucket="code", Key="a/b", Body=b"x", ChecksumAlgorithm="SHA256"
    )
    other.put("a/b", b"x")
    assert other.written == []


def test_templates_name_what_was_uploaded(artifacts: Artifacts, tmp_path: Path) -> None:
    (tmp_path / "job.py").write_text("print()")
    (tmp_path / "code.zip").write_bytes(b"zip")
    (tmp_path / "nested.yaml").write_text(
        """
Resources:
  Job:
    Type: AWS::Glue::Job
    Properties: {Command: &command {Name: glueetl, ScriptLocation: job.py}}
  Function:
    Type: AWS::Lambda::Function
    Properties: {Code: code.zip, Role: !GetAtt Role.Arn, Since: 2012-10-17}
  Other:
    Type: AWS::Lambda::Function
    Properties: {Code: {S3Bucket: b, S3Key: k}}
"""
    )
    (tmp_path / "root.yaml").write_text(
        "Resources: {Nested: {Type: AWS::CloudFormation::Stack, Properties: "
        "{TemplateURL: nested.yaml, Parameters: {Url: !Sub 'a-${Nested.Outputs.B}'}}}}"
    )

    def read(url: str) -> dict[str, dict[str, dict[str, dict[str, object]]]]:
        key = url.split("/code/")[1]
        s3 = artifacts.session.client("s3")
        return dict(json.load(s3.get_object(Bucket="code", Key=key)["Body"]))

    def complete(template: Template) -> None:
        for resource in template["Resources"].values():
            if "Since" in resource["Properties"]:
                resource["Properties"]["Completed"] = True

    url = package(tmp_path / "root.yaml", artifacts, complete)
    assert package(tmp_path / "root.yaml", artifacts, complete) == url
    assert len(artifacts.written) == 4
    root = read(url)["Resources"]["Nested"]["Properties"]
    assert root["Parameters"] == {"Url": {"Fn::Sub": "a-${Nested.Outputs.B}"}}
    nested = read(str(root["TemplateURL"]))["Resources"]
    script, code = (
        next(one for one in artifacts.written if one.endswith(end)) for end in (".py", ".zip")
    )
    assert nested["Job"]["Properties"] == {
        "Command": {"Name": "glueetl", "ScriptLocation": f"s3://code/{script}"}
    }
    assert nested["Function"]["Properties"] == {
        "Code": {"S3Bucket": "code", "S3Key": code},
        "Role": {"Fn::GetAtt": ["Role", "Arn"]},
        "Since": "2012-10-17",
        "Completed": True,
    }
    assert nested["Other"]["Properties"]["Code"] == {"S3Bucket": "b", "S3Key": "k"}
