"""What CloudFormation keeps of a stack's resources, told to `readback`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import unquote

from ministack.services.cloudformation import _stacks as stacks

from localaws.protocol import AwsError, AwsRequest, AwsResponse

_STACK = "AWS::CloudFormation::Stack"


class StackRecords:
    """`GET /_local/cloudformation/<stack>`: deployed resources with their properties resolved.

    AWS has no such call; `readback` compares these with what the services say.
    """

    name = "cloudformation"
    targets: frozenset[str] = frozenset()

    def __init__(self, account_id: str, region: str) -> None:
        self._account_id = account_id
        self._region = region

    async def start(self) -> None:
        """Nothing to start."""

    async def stop(self) -> None:
        """Nothing to stop."""

    async def handle(self, request: AwsRequest) -> AwsResponse:
        """Claims no AWS call."""
        raise AwsError("UnknownOperationException", f"{request.target} is not ours")

    async def control(self, method: str, path: str, _body: bytes) -> AwsResponse:
        """The resources of one stack and of the stacks nested in it."""
        if method != "GET":
            raise AwsError("MethodNotAllowedException", "only GET", 405)
        name = unquote(path)
        return AwsResponse.of({"stacks": list(self._with_nested(name))})

    def _with_nested(self, name: str) -> Iterator[dict[str, Any]]:
        record = self._record(name)
        resources = [
            {
                "logical_id": logical_id,
                "type": resource["ResourceType"],
                "physical_id": resource["PhysicalResourceId"],
                "properties": resource.get("Properties", {}),
            }
            for logical_id, resource in sorted(record["_resources"].items())
        ]
        yield {"stack": record["StackName"], "resources": resources}
        for resource in resources:
            if resource["type"] == _STACK:
                yield from self._with_nested(resource["physical_id"])

    def _record(self, name: str) -> dict[str, Any]:
        for (account, region, _), record in list(stacks.all_items()):
            ours = (account, region) == (self._account_id, self._region)
            if ours and name in (record["StackName"], record["StackId"]):
                if not record["StackStatus"].endswith("_COMPLETE"):
                    raise AwsError("ConflictException", f"{name} is {record['StackStatus']}", 409)
                return dict(record)
        raise AwsError("ResourceNotFoundException", f"there is no stack {name}", 404)
