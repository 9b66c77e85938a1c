"""What ministack leaves out of functions (reserved concurrency), and takes for text in mappings."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ministack.services import lambda_svc

from localaws.cloudformation.provisioners.registry import complete


def register() -> None:
    """Complete functions and mappings."""
    complete("AWS::Lambda::Function", _complete_function)
    complete("AWS::Lambda::EventSourceMapping", _complete_mapping)


def _complete_function(name: str, _old: Mapping[str, Any], new: Mapping[str, Any]) -> None:
    reserved = new.get("ReservedConcurrentExecutions")
    function = lambda_svc._functions[name.rpartition(":")[2]]  # noqa: SLF001
    function["concurrency"] = None if reserved is None else int(reserved)


def _complete_mapping(uuid: str, _old: Mapping[str, Any], new: Mapping[str, Any]) -> None:
    most = new.get("ScalingConfig", {}).get("MaximumConcurrency")
    # A template's number comes as text, with which the poller cannot count.
    scaling = {} if most is None else {"MaximumConcurrency": int(most)}
    lambda_svc._esms[uuid]["ScalingConfig"] = scaling  # noqa: SLF001
