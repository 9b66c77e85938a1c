"""Check the templates with checkov, their policies with parliament and cloudsplaining."""

from __future__ import annotations

import json
import subprocess
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path

from infra.linting.exceptions import Finding, judge
from infra.linting.policies import TEMPLATES, identity_policies

with warnings.catch_warnings():
    warnings.filterwarnings("ignore", message="pkg_resources is deprecated")
    import parliament

from cloudsplaining.scan.policy_document import PolicyDocument


def checkov() -> Iterator[Finding]:
    """What checkov finds in the templates; raises ValueError for one it cannot read."""
    command = Path(sys.executable).with_name("checkov")
    finished = subprocess.run(
        [
            *(command, "--framework", "cloudformation", "--directory", TEMPLATES.name),
            *("--output", "json", "--compact", "--quiet", "--skip-download"),
        ],
        # It looks for secrets in what it parsed, paths of files included, and a whole path of 40
        # characters looks like one.
        cwd=TEMPLATES.parent,
        capture_output=True,
        text=True,
        check=False,
    )
    report = json.loads(finished.stdout)
    if report["summary"]["parsing_errors"]:
        raise ValueError(f"checkov: {finished.stderr}")
    for failed in report["results"]["failed_checks"]:
        stack, name = Path(failed["file_path"]).stem, failed["resource"].rpartition(".")[2]
        yield Finding(failed["check_id"], f"{stack}.{name}", failed["check_name"])


def parliament_findings() -> Iterator[Finding]:
    """What parliament finds in the policies of roles, its community's rules included."""
    for where, policy in identity_policies():
        analysed = parliament.analyze_policy_string(policy, include_community_auditors=True)
        for finding in analysed.findings:
            yield Finding(finding.issue, where, str(finding.detail))


def cloudsplaining() -> Iterator[Finding]:
    """What cloudsplaining says that the policies of roles let somebody do."""
    for where, policy in identity_policies():
        document = PolicyDocument(json.loads(policy))
        for risk in (
            "allows_data_exfiltration_actions",
            "allows_privilege_escalation",
            "credentials_exposure",
            "permissions_management_without_constraints",
            "service_wildcard",
            "write_actions_without_constraints",
        ):
            if found := getattr(document, risk):
                yield Finding(risk, where, str(found))


def main() -> None:
    """Print what is unexplained; exit 1 if there is any."""
    wrong = [
        *judge("checkov", checkov()),
        *judge("parliament", parliament_findings()),
        *judge("cloudsplaining", cloudsplaining()),
    ]
    sys.exit("\n".join(wrong) or None)


if __name__ == "__main__":
    main()
