"""Check the templates with cfn-guard: `make guard`."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from infra.deployment.templates.reading import FOLDER, load
from infra.linting.exceptions import Finding, judge

RULES = Path(__file__).with_name("aws.guard")
_RESOURCE = re.compile(r"/Resources/(\w+)")
# What it ends with when all is well, and when a template breaks a rule.
_CHECKED = (0, 19)


def cfn_guard(command: str) -> Iterator[Finding]:
    """What cfn-guard finds; raises ValueError if it cannot read the rules or a template."""
    with TemporaryDirectory() as folder:
        # As they are deployed, for it does not read every short form of YAML.
        for file in FOLDER.glob("*.yaml"):
            text = json.dumps(load(file))
            Path(folder, f"{file.stem}.json").write_text(text, encoding="utf-8")
        finished = subprocess.run(
            [
                *(command, "validate", "--rules", str(RULES), "--data", folder),
                *("--structured", "--output-format", "json", "--show-summary", "none"),
            ],
            capture_output=True,
            text=True,
            check=False,
        )
    if finished.returncode not in _CHECKED:
        raise ValueError(f"cfn-guard: {finished.stderr}")
    for report in json.loads(finished.stdout):
        stack = Path(report["name"]).stem
        for failed in (each["Rule"] for each in report["not_compliant"]):
            for name in sorted(set(_RESOURCE.findall(json.dumps(failed)))) or ["*"]:
                yield Finding(failed["name"], f"{stack}.{name}", _message(failed))


def _message(failed: Any) -> str:
    """The first line of what the rule says."""
    said = re.search(r"Violation: ([^\\]+)", json.dumps(failed))
    return said[1].strip() if said else ""


def main() -> None:
    """Print what is unexplained; exit 1 if there is any."""
    (command,) = sys.argv[1:]
    sys.exit("\n".join(judge("cfn-guard", cfn_guard(command))) or None)


if __name__ == "__main__":
    main()
