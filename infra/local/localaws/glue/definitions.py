"""Job definitions: ministack makes and keeps them; this reads them."""

from __future__ import annotations

from typing import Any

import yaml

from localaws.glue.account import Account
from localaws.protocol import AwsError

_AWS_DEFAULT_CONCURRENCY = 1


class Definitions:
    """What the account has defined."""

    def __init__(self, account: Account) -> None:
        self._account = account
        self._concurrency: dict[tuple[str, float], int] = {}

    def get(self, job_name: str) -> dict[str, Any]:
        """A job as GetJob gives it, with the ExecutionProperty that ministack forgets.

        Raises AwsError EntityNotFoundException.
        """
        glue = self._account.client("glue")
        try:
            job: dict[str, Any] = glue.get_job(JobName=job_name)["Job"]
        except glue.exceptions.EntityNotFoundException as error:
            message = "Failed to start job run due to missing metadata"
            raise AwsError("EntityNotFoundException", message) from error
        version = (job_name, job["LastModifiedOn"].timestamp())
        if version not in self._concurrency:
            self._concurrency[version] = self._max_concurrent_runs(job_name)
        kept = {key: value for key, value in job.items() if not key.endswith("On")}
        return kept | {"ExecutionProperty": {"MaxConcurrentRuns": self._concurrency[version]}}

    def _max_concurrent_runs(self, job_name: str) -> int:
        """What the template of the stack that made the job says; AWS's default otherwise."""
        cloudformation = self._account.client("cloudformation")
        for page in cloudformation.get_paginator("describe_stacks").paginate():
            for stack in page["Stacks"]:
                found = cloudformation.describe_stack_resources(StackName=stack["StackName"])
                for resource in found["StackResources"]:
                    kind, name = resource["ResourceType"], resource.get("PhysicalResourceId")
                    if (kind, name) == ("AWS::Glue::Job", job_name):
                        template = cloudformation.get_template(StackName=stack["StackName"])
                        return declared_concurrency(
                            template["TemplateBody"], resource["LogicalResourceId"]
                        )
        return _AWS_DEFAULT_CONCURRENCY


def declared_concurrency(template: str | dict[str, Any], logical_id: str) -> int:
    """MaxConcurrentRuns of a job in a template (YAML or JSON text, or parsed).

    Raises AwsError InvalidInputException when it is there but no plain number.
    """
    document = yaml.load(template, _TemplateLoader) if isinstance(template, str) else template  # noqa: S506
    properties = document["Resources"][logical_id].get("Properties", {})
    declared = properties.get("ExecutionProperty", {}).get(
        "MaxConcurrentRuns", _AWS_DEFAULT_CONCURRENCY
    )
    if isinstance(declared, bool) or not str(declared).isdecimal() or int(declared) < 1:
        raise AwsError(
            "InvalidInputException",
            f"{logical_id}: the local Glue reads MaxConcurrentRuns from the template; write it "
            "there as a plain number",
        )
    return int(declared)


class _TemplateLoader(yaml.SafeLoader):
    """Reads a template and leaves CloudFormation's `!Tag` values unresolved."""


_TemplateLoader.add_multi_constructor("!", lambda _loader, _suffix, node: node)
