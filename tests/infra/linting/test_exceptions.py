"""Findings that stay have reasons, and reasons have findings."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml
from infra.linting import exceptions
from infra.linting.exceptions import Finding, judge
from infra.linting.policies import identity_policies

RULES = """
tool:
  OPEN:
    resources: [storage.*, queue.Queue]
    reason: because
"""


@pytest.fixture
def rules(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "exceptions.yaml"
    file.write_text(RULES)
    monkeypatch.setattr(exceptions, "FILE", file)


@pytest.mark.usefixtures("rules")
def test_what_is_explained_passes() -> None:
    found = [Finding("OPEN", "storage.Raw"), Finding("OPEN", "queue.Queue")]
    assert judge("tool", found) == []


@pytest.mark.usefixtures("rules")
def test_what_is_not_explained_fails() -> None:
    found = [Finding(rule, "storage.Raw") for rule in ("OPEN", "NEW")]
    found += [Finding("OPEN", "queue.Queue"), Finding("OPEN", "keys.Data", "why")]
    assert judge("tool", found) == ["tool: NEW storage.Raw", "tool: OPEN keys.Data why"]


@pytest.mark.usefixtures("rules")
def test_an_explanation_that_nothing_needs_any_more_fails() -> None:
    (wrong,) = judge("tool", [Finding("OPEN", "storage.Raw")])
    assert wrong.startswith("tool: OPEN is found no more in queue.Queue")


def test_each_exemption_has_a_reason() -> None:
    content = yaml.safe_load(exceptions.FILE.read_text(encoding="utf-8"))
    assert content.keys() == {"checkov", "parliament", "cloudsplaining", "cfn-guard"}
    for tool in content:
        for exemption in exceptions.read(tool):
            assert len(exemption.reason.split()) > 5, exemption.rule
            assert exemption.resources


def test_policies_are_read_as_iam_would_get_them() -> None:
    found = dict(identity_policies())
    assert {"airflow.Role", "bootstrap.Boundary", "deployers.MakeThings"} <= found.keys()
    for where, text in found.items():
        assert "${" not in text, where
        for statement in json.loads(text)["Statement"]:
            assert {"Sid", "Effect", "Resource"} <= statement.keys()
            resources = statement["Resource"]
            for resource in resources if isinstance(resources, list) else [resources]:
                assert resource == "*" or resource.startswith("arn:aws:"), (where, resource)
