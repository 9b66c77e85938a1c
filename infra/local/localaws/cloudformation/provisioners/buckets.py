"""What ministack ignores of `AWS::S3::Bucket`: encryption, Object Lock, ownership, lifecycle and
replication."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from typing import Any

import botocore.session
from botocore.serialize import create_serializer
from ministack.services import s3

from localaws.cloudformation.bucketproperties import Configuration, configurations
from localaws.cloudformation.provisioners.registry import Answer, complete, succeed

# S3's call, ministack's function that serves it, and the one that undoes it.
_BUCKET_CALLS: dict[str, tuple[Callable[..., Answer], Callable[..., Answer] | None]] = {
    "PutBucketEncryption": (s3._put_bucket_encryption, s3._delete_bucket_encryption),  # noqa: SLF001
    "PutBucketLifecycleConfiguration": (
        s3._put_bucket_lifecycle,  # noqa: SLF001
        s3._delete_bucket_lifecycle,  # noqa: SLF001
    ),
    "PutBucketOwnershipControls": (
        s3._put_bucket_ownership_controls,  # noqa: SLF001
        s3._delete_bucket_ownership_controls,  # noqa: SLF001
    ),
    "PutBucketReplication": (s3._put_bucket_replication, s3._delete_bucket_replication),  # noqa: SLF001
    # AWS cannot take a lock off a bucket either.
    "PutObjectLockConfiguration": (s3._put_object_lock_configuration, None),  # noqa: SLF001
}


def register() -> None:
    """Complete buckets; a property that nobody would set fails the stack."""
    complete("AWS::S3::Bucket", _complete_bucket, check=configurations)


def _complete_bucket(bucket: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> None:
    wanted = configurations(new)
    dropped = {c.operation for c in configurations(old)} - {c.operation for c in wanted}
    for operation in sorted(dropped):
        undo = _BUCKET_CALLS[operation][1]
        if undo is None:
            raise ValueError(f"bucket {bucket}: Object Lock cannot be taken away again")
        succeed(f"the opposite of {operation} on {bucket}", undo(bucket))
    for configuration in wanted:
        _configure(bucket, configuration)


def _configure(bucket: str, configuration: Configuration) -> None:
    operation = configuration.operation
    body = _xml(operation, {"Bucket": bucket, **configuration.parameters})
    succeed(f"{operation} on {bucket}", _BUCKET_CALLS[operation][0](bucket, body))


@functools.cache
def _s3_model() -> Any:
    return botocore.session.get_session().get_service_model("s3")


def _xml(operation: str, parameters: Mapping[str, Any]) -> bytes:
    """The body an SDK would send."""
    request = create_serializer("rest-xml").serialize_to_request(
        parameters, _s3_model().operation_model(operation)
    )
    return bytes(request["body"])
