"""The recorder's function as it stands in Lambda, and as a deployment has it."""

from __future__ import annotations

import base64
import binascii
from datetime import UTC, datetime
from typing import Any, Final

from botocore.exceptions import ClientError

from custody.aws.s3.errors import code_of
from custody.core.ledger.kinds.recorder import DeployedRecorder, StandingRecorder, Subscription
from custody.core.ledger.policy import RECORDERS
from custody.settings import Settings

_WITHHELD: Final = frozenset({"ResourceNotFoundException", "AccessDeniedException"})
_WHEN: Final = "%Y-%m-%dT%H:%M:%S.%f%z"


def deployed_recorder(settings: Settings, sha256: str | None) -> DeployedRecorder:
    """The function that a deployment makes of the archive with this SHA-256 (`recorder.yaml`)."""
    name = f"{settings.project}-{settings.stage}"
    place = f"{settings.region}:{settings.account_id}"
    return DeployedRecorder(
        arn=f"arn:{settings.partition}:lambda:{place}:function:{name}-recorder",
        queue_arn=f"arn:{settings.partition}:sqs:{place}:{name}-recorder",
        sha256=sha256,
        role=settings.role(RECORDERS[0]),
        variables={
            "PROVENANCE_BUCKET": (settings.provenance_bucket,),
            "SIGNING_KEY_ARN": (settings.signing_key_arn,),
            "DATA_KEY_ARN": settings.encryption_key_arns,
            "LARGE_OBJECT_BYTES": (),
            "LARGE_OBJECT_JOB": (f"{name}-record-large",),
        },
    )


def standing_recorder(functions: Any, deployed: DeployedRecorder) -> StandingRecorder | None:
    """The function as it stands; None if it is gone or may not be read.

    `functions` is a client of Lambda. Raises what botocore raises.
    """
    try:
        found = functions.get_function_configuration(FunctionName=deployed.arn)
    except ClientError as error:
        if code_of(error) in _WITHHELD:
            return None
        raise
    return StandingRecorder(
        changed_at=datetime.strptime(found["LastModified"], _WHEN).astimezone(UTC),
        sha256=_hexadecimal(found["CodeSha256"]),
        handler=found.get("Handler", ""),
        runtime=found.get("Runtime", ""),
        role=found["Role"],
        layers=tuple(layer["Arn"] for layer in found.get("Layers", ())),
        variables=found.get("Environment", {}).get("Variables", {}),
    )


def subscriptions(functions: Any, deployed: DeployedRecorder) -> list[Subscription] | None:
    """What the recorder's queue starts; None if that may not be read.

    `functions` is a client of Lambda. Raises what botocore raises.
    """
    pages = functions.get_paginator("list_event_source_mappings").paginate(
        EventSourceArn=deployed.queue_arn
    )
    try:
        listed = [mapping for page in pages for mapping in page["EventSourceMappings"]]
    except ClientError as error:
        if code_of(error) in _WITHHELD:
            return None
        raise
    return [Subscription(mapping["FunctionArn"], mapping["LastModified"]) for mapping in listed]


def _hexadecimal(code_sha256: str) -> str:
    """Lambda gives the hash in base64; what is none stands as it is."""
    try:
        return base64.b64decode(code_sha256, validate=True).hex()
    except binascii.Error:
        return code_sha256
