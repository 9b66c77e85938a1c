"""What ministack ignores of `AWS::SNS::Topic` (its key) and of `AWS::Glue::Job` (concurrency, and
that a template's numbers may have come as text)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ministack.services import glue, sns

from localaws.cloudformation.provisioners.registry import complete

_NUMBERS = ("MaxRetries", "NumberOfWorkers", "Timeout")


def register() -> None:
    """Complete topics and jobs."""
    complete("AWS::SNS::Topic", _complete_topic)
    complete("AWS::Glue::Job", _complete_job)


def _complete_topic(arn: str, _old: Mapping[str, Any], new: Mapping[str, Any]) -> None:
    attributes = sns._topics[arn]["attributes"]  # noqa: SLF001
    attributes.pop("KmsMasterKeyId", None)
    if "KmsMasterKeyId" in new:
        attributes["KmsMasterKeyId"] = new["KmsMasterKeyId"]


def _complete_job(name: str, _old: Mapping[str, Any], new: Mapping[str, Any]) -> None:
    job = glue._jobs[name]  # noqa: SLF001
    job.update({field: int(job[field]) for field in _NUMBERS if field in job})
    # AWS's default is one run at a time.
    runs = new.get("ExecutionProperty", {}).get("MaxConcurrentRuns", 1)
    job["ExecutionProperty"] = {"MaxConcurrentRuns": int(runs)}
