"""The rules of the templates, as they are checked before anything is made."""

from __future__ import annotations

import pytest
from infra.deployment.templates.reading import FOLDER, declarations, load
from infra.deployment.templates.rules import broken

TEMPLATES = [load(FOLDER / name) for name in ("evidence.yaml", "root.yaml")]
DEFAULTS = {
    name: one.default or ""
    for template in TEMPLATES
    for name, one in declarations(template).items()
}
PROD = {
    **DEFAULTS,
    "Stage": "prod",
    "LockMode": "COMPLIANCE",
    "LockDays": "3650",
    "PagingEmail": "ops@example.com",
}


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({}, ""),
        ({"LockMode": "GOVERNANCE"}, "In prod, LockMode"),
        ({"LogReadEvents": "false"}, "In prod, LogReadEvents"),
        ({"LockDays": "1"}, "In prod, LockDays"),
        ({"LockDays": "364"}, "In prod, LockDays"),
        ({"LockDays": "2557"}, ""),
        ({"PagingEmail": ""}, "In prod, PagingEmail"),
        ({"DigestSeconds": "10"}, "DigestSeconds"),
        ({"Stage": "dev", "LockDays": "1", "PagingEmail": "", "LockMode": "GOVERNANCE"}, ""),
        ({"Stage": "dev", "DigestSeconds": "10"}, "DigestSeconds"),
        ({"Stage": "local", "DigestSeconds": "10"}, ""),
    ],
)
def test_the_rules_of_the_platform(values: dict[str, str], said: str) -> None:
    found = [one for template in TEMPLATES for one in broken(template, {**PROD, **values})]
    assert len(found) == bool(said)
    assert all(one.startswith(said) for one in found)


def test_every_function_that_a_rule_may_combine() -> None:
    yes, no = {"Fn::Equals": ["a", {"Ref": "A"}]}, {"Fn::Equals": ["b", {"Ref": "A"}]}
    rule = {
        "Assertions": [
            {"Assert": {"Fn::And": [yes, {"Fn::Not": [no]}]}, "AssertDescription": "and"},
            {"Assert": {"Fn::Or": [no, no]}, "AssertDescription": "or"},
            {"Assert": {"Fn::Contains": [["a"], {"Ref": "A"}]}, "AssertDescription": "contains"},
        ]
    }
    assert broken({"Rules": {"R": rule}}, {"A": "a"}) == ["or"]
