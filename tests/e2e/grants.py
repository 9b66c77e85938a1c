"""Which rights of the platform's roles the last end-to-end run did without: `make grants`.

A right on this list is needed by AWS alone (the local AWS does not ask for it), in a case the run
does not have, or by nobody: then it can go.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from cfnlint.decode import decode

from rehearsal.machine import PROJECT, REPOSITORY, STAGE

LOG = REPOSITORY / "build" / "e2e" / "logs" / "grants.jsonl"

Right = tuple[str, str, str]
"""A role, a statement of its policies, and an action."""


def given(templates: Path) -> set[Right]:
    """Everything that the policies of the roles in the templates allow."""
    return {
        (role, str(statement["Sid"]), action)
        for file in templates.glob("*.yaml")
        for role, statement in _statements(decode(str(file))[0])
        for action in _listed(statement["Action"])
    }


def needed(log: Path) -> set[Right]:
    """What has let a request through, as the local AWS notes it."""
    ours = f":role/{PROJECT}-{STAGE}-"
    found = [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines()]
    return {
        (str(who).partition(ours)[2], sid, action) for who, sid, action in found if ours in str(who)
    }


def _statements(template: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for resource in template["Resources"].values():
        if resource["Type"] != "AWS::IAM::Role":
            continue
        properties = resource["Properties"]
        role = str(properties["RoleName"]["Fn::Sub"]).rpartition("${Stage}-")[2]
        for policy in properties.get("Policies", []):
            for statement in policy["PolicyDocument"]["Statement"]:
                if statement.get("Effect") == "Allow":
                    yield role, statement


def _listed(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value


def main() -> None:
    """Print the rights; exit 1 if there has been no run."""
    if not LOG.is_file():
        sys.exit(f"{LOG} is not there: run `make test-e2e` first")
    all_rights = given(REPOSITORY / "infra" / "cloudformation")
    unneeded = sorted(all_rights - needed(LOG))
    for role, statement, action in unneeded:
        print(f"{role:16} {statement:36} {action}")
    print(f"{len(unneeded)} of {len(all_rights)} rights")


if __name__ == "__main__":
    main()
