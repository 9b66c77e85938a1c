"""Workgroups: ministack keeps them, so that CloudFormation's are ours too."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ministack.services import athena as ministack_athena

from localaws.athena.errors import QueryError
from localaws.athena.tables.storage import Location
from localaws.protocol import AwsError


@dataclass(frozen=True, slots=True)
class Workgroup:
    """What a workgroup says about the queries in it; `scan_limit` is in bytes."""

    name: str
    enforced: bool
    output: str | None
    encryption: dict[str, str]
    scan_limit: int | None

    def output_for(self, requested: Mapping[str, Any]) -> tuple[Location, dict[str, str]]:
        """Where a query's results go and how they are encrypted; raises AwsError."""
        output, encryption = self.output, self.encryption
        if not self.enforced and requested.get("OutputLocation"):
            output = requested["OutputLocation"]
            encryption = requested.get("EncryptionConfiguration") or {}
        if not output:
            raise AwsError(
                "InvalidRequestException",
                "No output location provided. An output location is required either through the "
                "Workgroup result configuration setting or as an API input.",
            )
        try:
            return Location.parse(output), dict(encryption)
        except QueryError as error:
            raise AwsError(
                "InvalidRequestException", f"outputLocation is not a valid S3 path: {output}"
            ) from error


async def find(name: str) -> Workgroup:
    """The workgroup in the account and region of the request under way; raises AwsError."""
    body = json.dumps({"WorkGroup": name}).encode()
    headers = {"x-amz-target": "AmazonAthena.GetWorkGroup"}
    status, _, answer = await ministack_athena.handle_request("POST", "/", headers, body, {})
    if status != 200:
        raise AwsError("InvalidRequestException", f"WorkGroup {name} is not found.")
    group = json.loads(answer)["WorkGroup"]
    configuration = group.get("Configuration") or {}
    result = configuration.get("ResultConfiguration") or {}
    limit = configuration.get("BytesScannedCutoffPerQuery")
    return Workgroup(
        name,
        # The default workgroup enforces nothing, one that is created enforces unless told not to.
        str(configuration.get("EnforceWorkGroupConfiguration", name != "primary")).lower()
        == "true",
        result.get("OutputLocation"),
        result.get("EncryptionConfiguration") or {},
        int(limit) if limit else None,
    )
