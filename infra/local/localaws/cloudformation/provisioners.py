"""CloudFormation types that ministack lacks or provides in part.

ministack keeps its provisioners in a registry by type. `register` adds `AWS::CloudTrail::Trail`,
and follows some of ministack's own with what they ignore: a bucket's encryption, Object Lock,
ownership and lifecycle, a topic's key, a Glue job's concurrency. A bucket property that nobody
would set fails the stack, as a type nobody knows does; of other types `readback` tells.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any
from urllib.parse import unquote

import botocore.session
from botocore.serialize import create_serializer
from ministack.services import cloudtrail, glue, s3, sns
from ministack.services.cloudformation import _stacks as stacks
from ministack.services.cloudformation import provisioners

from localaws.cloudformation.bucketproperties import Configuration, configurations, truth
from localaws.protocol import AwsError, AwsRequest, AwsResponse

_Answer = tuple[int, Mapping[str, str], bytes]

_BUCKET = "AWS::S3::Bucket"
_STACK = "AWS::CloudFormation::Stack"
_TRAIL = "AWS::CloudTrail::Trail"
# S3's call, ministack's function that serves it, and the one that undoes it.
_BUCKET_CALLS: dict[str, tuple[Callable[..., _Answer], Callable[..., _Answer] | None]] = {
    "PutBucketEncryption": (s3._put_bucket_encryption, s3._delete_bucket_encryption),  # noqa: SLF001
    "PutBucketLifecycleConfiguration": (
        s3._put_bucket_lifecycle,  # noqa: SLF001
        s3._delete_bucket_lifecycle,  # noqa: SLF001
    ),
    "PutBucketOwnershipControls": (
        s3._put_bucket_ownership_controls,  # noqa: SLF001
        s3._delete_bucket_ownership_controls,  # noqa: SLF001
    ),
    # AWS cannot take a lock off a bucket either.
    "PutObjectLockConfiguration": (s3._put_object_lock_configuration, None),  # noqa: SLF001
}
# Property of the type, parameter of CreateTrail and UpdateTrail.
_TRAIL_PARAMETERS = {
    "EnableLogFileValidation": "EnableLogFileValidation",
    "IncludeGlobalServiceEvents": "IncludeGlobalServiceEvents",
    "IsMultiRegionTrail": "IsMultiRegionTrail",
    "KMSKeyId": "KmsKeyId",
    "S3BucketName": "S3BucketName",
    "S3KeyPrefix": "S3KeyPrefix",
}
_TRAIL_BOOLEANS = frozenset(
    {"EnableLogFileValidation", "IncludeGlobalServiceEvents", "IsMultiRegionTrail"}
)
_TRAIL_OTHERS = frozenset({"AdvancedEventSelectors", "EventSelectors", "IsLogging", "TrailName"})


def register() -> None:
    """Add our types and completions to ministack's registry."""
    handlers = provisioners._RESOURCE_HANDLERS  # noqa: SLF001
    handlers[_TRAIL] = {"create": _create_trail, "update": _update_trail, "delete": _delete_trail}
    _complete(_BUCKET, _complete_bucket, check=configurations)
    _complete("AWS::Glue::Job", _complete_job)
    _complete("AWS::SNS::Topic", _complete_topic)


def _complete(
    kind: str,
    complete: Callable[[str, Mapping[str, Any], Mapping[str, Any]], None],
    check: Callable[[Mapping[str, Any]], object] = lambda _properties: None,
) -> None:
    """Have `complete` (physical id, old properties, new ones) follow ministack's create and update.

    `check` may refuse properties before anything is made.
    """
    handlers = provisioners._RESOURCE_HANDLERS  # noqa: SLF001
    made: dict[str, Any] = handlers[kind]

    def create(logical_id: str, properties: Mapping[str, Any], stack_name: str) -> Any:
        check(properties)
        created = made["create"](logical_id, properties, stack_name)
        complete(created[0], {}, properties)
        return created

    def update(physical_id: str, old: Mapping[str, Any], new: Mapping[str, Any], *more: str) -> Any:
        check(new)
        updated = made["update"](physical_id, old, new, *more)
        complete(updated[0], old if updated[0] == physical_id else {}, new)
        return updated

    handlers[kind] = {**made, "create": create, "update": update}


# AWS::SNS::Topic and AWS::Glue::Job


def _complete_topic(arn: str, _old: Mapping[str, Any], new: Mapping[str, Any]) -> None:
    attributes = sns._topics[arn]["attributes"]  # noqa: SLF001
    attributes.pop("KmsMasterKeyId", None)
    if "KmsMasterKeyId" in new:
        attributes["KmsMasterKeyId"] = new["KmsMasterKeyId"]


def _complete_job(name: str, _old: Mapping[str, Any], new: Mapping[str, Any]) -> None:
    # AWS's default is one run at a time.
    runs = new.get("ExecutionProperty", {}).get("MaxConcurrentRuns", 1)
    glue._jobs[name]["ExecutionProperty"] = {"MaxConcurrentRuns": int(runs)}  # noqa: SLF001


# AWS::S3::Bucket


def _complete_bucket(bucket: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> None:
    wanted = configurations(new)
    dropped = {c.operation for c in configurations(old)} - {c.operation for c in wanted}
    for operation in sorted(dropped):
        undo = _BUCKET_CALLS[operation][1]
        if undo is None:
            raise ValueError(f"bucket {bucket}: Object Lock cannot be taken away again")
        _succeed(f"the opposite of {operation} on {bucket}", undo(bucket))
    for configuration in wanted:
        _configure(bucket, configuration)


def _configure(bucket: str, configuration: Configuration) -> None:
    operation = configuration.operation
    body = _xml(operation, {"Bucket": bucket, **configuration.parameters})
    _succeed(f"{operation} on {bucket}", _BUCKET_CALLS[operation][0](bucket, body))


@functools.cache
def _s3_model() -> Any:
    return botocore.session.get_session().get_service_model("s3")


def _xml(operation: str, parameters: Mapping[str, Any]) -> bytes:
    """The body an SDK would send."""
    request = create_serializer("rest-xml").serialize_to_request(
        parameters, _s3_model().operation_model(operation)
    )
    return bytes(request["body"])


# AWS::CloudTrail::Trail


def _create_trail(
    logical_id: str, properties: Mapping[str, Any], stack_name: str
) -> tuple[str, dict[str, Any]]:
    name = properties.get("TrailName") or provisioners._physical_name(stack_name, logical_id)  # noqa: SLF001
    _succeed(
        f"CreateTrail {name}",
        cloudtrail._create_trail({"Name": name, **_parameters(properties)}),  # noqa: SLF001
    )
    _select_and_log(name, properties)
    return name, _trail_attributes(name)


def _update_trail(
    physical_id: str, old: Mapping[str, Any], new: Mapping[str, Any], stack_name: str
) -> tuple[str, dict[str, Any]]:
    name = new.get("TrailName", physical_id)
    if name != physical_id:
        created = _create_trail(name, new, stack_name)
        _delete_trail(physical_id, old)
        return created
    changed = {"Name": name, **_parameters(new)}
    if "KMSKeyId" in old and "KMSKeyId" not in new:
        changed["KmsKeyId"] = ""
    _succeed(f"UpdateTrail {name}", cloudtrail._update_trail(changed))  # noqa: SLF001
    _select_and_log(name, new)
    return name, _trail_attributes(name)


def _delete_trail(physical_id: str, _properties: Mapping[str, Any]) -> None:
    status, _, body = cloudtrail._delete_trail({"Name": physical_id})  # noqa: SLF001
    if status != 404:
        _succeed(f"DeleteTrail {physical_id}", (status, {}, body))


def _parameters(properties: Mapping[str, Any]) -> dict[str, Any]:
    unknown = sorted(set(properties) - set(_TRAIL_PARAMETERS) - _TRAIL_OTHERS - {"Tags"})
    if unknown:
        raise ValueError(f"the local AWS does not provide {', '.join(unknown)} of {_TRAIL}")
    return {
        parameter: truth(properties[name]) if name in _TRAIL_BOOLEANS else properties[name]
        for name, parameter in _TRAIL_PARAMETERS.items()
        if name in properties
    }


def _select_and_log(name: str, properties: Mapping[str, Any]) -> None:
    for kind in ("AdvancedEventSelectors", "EventSelectors"):
        if kind in properties:
            _succeed(
                f"PutEventSelectors {name}",
                cloudtrail._put_event_selectors({"TrailName": name, kind: properties[kind]}),  # noqa: SLF001
            )
    log = cloudtrail._start_logging if truth(properties["IsLogging"]) else cloudtrail._stop_logging  # noqa: SLF001
    _succeed(f"logging of {name}", log({"Name": name}))


def _trail_attributes(name: str) -> dict[str, Any]:
    return {"Arn": cloudtrail._trail_arn(name)}  # noqa: SLF001


def _succeed(what: str, answer: tuple[int, Any, Any]) -> None:
    status, _, body = answer
    if status >= 300:
        text = body.decode() if isinstance(body, bytes) else json.dumps(body)
        raise ValueError(f"{what}: {text}")


# Reading back


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
