"""The auditor's guide: the script that makes a copy stops where something cannot be copied."""

import json
import os
import re
import subprocess
from pathlib import Path

import pytest

GUIDE = Path(__file__).parents[2] / "docs/auditor.md"
LAYERS = ("raw", "processed", "analytics", "provenance", "trail")
KEYS = {"deployment": {"buckets": {layer: f"b-{layer}" for layer in LAYERS}}}
AWS = """#!/bin/bash
echo "$*" >> calls
case "$*" in
  *"$FAILS"*) [ -z "$FAILS" ] || exit 1 ;;
esac
case "$1 $2" in
  "s3 sync") mkdir -p "$5/CloudTrail-Digest" && touch "$5/CloudTrail-Digest/d" ;;
  *) echo '{}' ;;
esac
"""


def copy(folder: Path, fails: str) -> tuple[int, list[str]]:
    """Run the guide's script with an `aws` that fails where its arguments hold `fails`."""
    (script,) = re.findall(r"```bash\n(.*?)```", GUIDE.read_text(encoding="utf-8"), re.DOTALL)
    tool = folder / "bin/aws"
    tool.parent.mkdir()
    tool.write_text(AWS)
    tool.chmod(0o755)
    (folder / "keys.json").write_text(json.dumps(KEYS))
    environment = {"PATH": f"{tool.parent}:{os.environ['PATH']}", "FAILS": fails}
    ran = subprocess.run(["bash", "-c", script], cwd=folder, env=environment, check=False)
    return ran.returncode, (folder / "calls").read_text().splitlines()


def test_each_bucket_is_listed_before_it_is_copied(tmp_path: Path) -> None:
    status, calls = copy(tmp_path, "")
    assert status == 0
    done = [call.split()[1] for call in calls]
    assert done == [*["list-object-versions", "sync"] * 5, *["head-object"] * 1]
    assert len(list((tmp_path / "copy/_versions").iterdir())) == 5
    assert (tmp_path / "copy/_metadata/b-trail/CloudTrail-Digest/d.json").is_file()


@pytest.mark.parametrize(
    "fails", ["list-object-versions --bucket b-raw", "s3://b-raw ", "head-object"]
)
def test_the_copy_stops_at_the_first_command_that_fails(tmp_path: Path, fails: str) -> None:
    status, calls = copy(tmp_path, fails)
    assert status != 0
    assert fails in calls[-1]
