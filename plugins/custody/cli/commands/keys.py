"""`custody keys`: the public keys of a deployment, to be kept away from it."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from pathlib import Path

from custody.cli.output import Output
from custody.cli.reading.deployment import Deployment
from custody.cli.reading.files import replace_file


def fetch(
    deployment: Deployment, target: Path, output: Output, *, since: datetime, until: datetime
) -> bool:
    """Write the keys that KMS and CloudTrail publish now, and print what they are known by."""
    keys = replace(deployment.keys, cloudtrail=deployment.digest_keys()(since, until))
    replace_file(target, keys.to_json())
    for name in keys.names():
        output.document(
            {"kind": "key", "signs": name.signs, "key_id": name.key_id, "sha256": name.sha256}
        )
    output.table(
        ("signs", "sha256 of the public key", "key"),
        [(name.signs, name.sha256, name.key_id) for name in keys.names()],
    )
    return True
