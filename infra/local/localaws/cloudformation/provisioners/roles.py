"""What ministack ignores of `AWS::IAM::Role`: its permissions boundary, which IAM evaluates."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ministack.services import iam

from localaws.cloudformation.provisioners.registry import complete


def register() -> None:
    """Complete roles."""
    complete("AWS::IAM::Role", _complete, check=_check)


def _check(properties: Mapping[str, Any]) -> None:
    boundary = properties.get("PermissionsBoundary")
    if boundary is not None and boundary not in iam._policies:  # noqa: SLF001
        raise ValueError(f"NoSuchEntity: policy {boundary} does not exist")


def _complete(name: str, _old: Mapping[str, Any], new: Mapping[str, Any]) -> None:
    iam._roles[name]["PermissionsBoundary"] = new.get("PermissionsBoundary", "")  # noqa: SLF001
