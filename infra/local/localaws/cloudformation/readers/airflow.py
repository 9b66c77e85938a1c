"""MWAA's environments."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from localaws.cloudformation.readers.apis import Apis, Properties, Reader


def _environment(apis: Apis, name: str, _wanted: Mapping[str, Any]) -> Properties:
    return dict(apis.client("mwaa").get_environment(Name=name)["Environment"])


READERS: dict[str, Reader] = {"AWS::MWAA::Environment": _environment}
