"""Templates that name files of this repository become templates that name uploaded ones.

As `aws cloudformation package` does it, but for two things. That command takes whatever stands
under a file's MD5 for that file, and writes without a condition; what is uploaded here is code that
signs evidence. And a template is uploaded as JSON, which has no aliases to resolve.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from infra.deployment.artifacts import Artifacts
from infra.deployment.templates.reading import STACK, Template, load

FOLDER: Final = "packages"


def package(template: Path, artifacts: Artifacts, complete: Callable[[Template], None]) -> str:
    """Upload a template and all that it names, each template as `complete` changes it; gives its
    URL."""
    content = load(template)
    complete(content)
    for resource in content["Resources"].values():
        properties = resource.get("Properties", {})
        if resource["Type"] == STACK and isinstance(properties["TemplateURL"], str):
            nested = template.parent / properties["TemplateURL"]
            properties["TemplateURL"] = package(nested, artifacts, complete)
        else:
            _upload(resource["Type"], properties, template.parent, artifacts)
    return artifacts.url(artifacts.put_by_hash(FOLDER, ".template", _bytes(content)))


def _upload(kind: str, properties: dict[str, Any], folder: Path, artifacts: Artifacts) -> None:
    """Replace the files that a resource names."""
    if kind == "AWS::Lambda::Function" and isinstance(properties["Code"], str):
        key = _put(folder / properties["Code"], artifacts)
        properties["Code"] = {"S3Bucket": artifacts.bucket, "S3Key": key}
    elif kind == "AWS::Glue::Job" and isinstance(properties["Command"]["ScriptLocation"], str):
        key = _put(folder / properties["Command"]["ScriptLocation"], artifacts)
        properties["Command"]["ScriptLocation"] = f"s3://{artifacts.bucket}/{key}"


def _put(file: Path, artifacts: Artifacts) -> str:
    return artifacts.put_by_hash(FOLDER, file.suffix, file.read_bytes())


def _bytes(template: dict[str, Any]) -> bytes:
    return json.dumps(template, indent=1).encode()
