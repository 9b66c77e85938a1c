"""Findings that stay, each with its reason (`exceptions.yaml`)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

import yaml

FILE = Path(__file__).with_name("exceptions.yaml")


@dataclass(frozen=True, order=True)
class Finding:
    """What a tool says about one resource: `<stack>.<logical id>`."""

    rule: str
    resource: str
    text: str = ""

    def __str__(self) -> str:
        return f"{self.rule} {self.resource} {self.text}".rstrip()


@dataclass(frozen=True)
class Exemption:
    """Why a rule does not hold for some resources, named by patterns."""

    rule: str
    resources: tuple[str, ...]
    reason: str

    def covers(self, finding: Finding, resource: str) -> bool:
        """Whether this is about a finding, by one of its patterns."""
        return finding.rule == self.rule and fnmatchcase(finding.resource, resource)


def read(tool: str) -> list[Exemption]:
    """The exemptions for a tool; raises KeyError for one without a reason."""
    content = yaml.safe_load(FILE.read_text(encoding="utf-8"))
    return [
        Exemption(rule, tuple(one["resources"]), one["reason"])
        for rule, one in content[tool].items()
    ]


def judge(tool: str, findings: Iterable[Finding]) -> list[str]:
    """What is wrong: findings without a reason, and reasons without a finding."""
    exceptions, found = read(tool), sorted(set(findings))
    named = [(each, resource) for each in exceptions for resource in each.resources]
    wrong = [
        f"{tool}: {finding}"
        for finding in found
        if not any(each.covers(finding, resource) for each, resource in named)
    ]
    wrong += [
        f"{tool}: {each.rule} is found no more in {resource}: take it out of {FILE.name}"
        for each, resource in named
        if not any(each.covers(finding, resource) for finding in found)
    ]
    print(f"{tool}: {len(found)} findings, {len(wrong)} unexplained", flush=True)
    return wrong
