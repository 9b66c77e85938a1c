"""S3."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from localaws.cloudformation.bucketproperties import configurations
from localaws.cloudformation.readers.apis import Apis, Properties, Reader, or_none


def _bucket(apis: Apis, name: str, wanted: Mapping[str, Any]) -> Properties:
    """S3's own configurations, compared in S3's words: see `bucketproperties`."""
    s3 = apis.client("s3")
    found: Properties = {
        "BucketName": name,
        "VersioningConfiguration": {"Status": s3.get_bucket_versioning(Bucket=name).get("Status")},
        "PublicAccessBlockConfiguration": or_none(
            lambda: s3.get_public_access_block(Bucket=name)["PublicAccessBlockConfiguration"]
        ),
        "NotificationConfiguration": _notifications(
            s3.get_bucket_notification_configuration(Bucket=name)
        ),
    }
    getters: dict[str, Callable[[], Any]] = {
        "PutBucketEncryption": lambda: s3.get_bucket_encryption(Bucket=name),
        "PutBucketLifecycleConfiguration": lambda: {
            "LifecycleConfiguration": s3.get_bucket_lifecycle_configuration(Bucket=name)
        },
        "PutBucketOwnershipControls": lambda: s3.get_bucket_ownership_controls(Bucket=name),
        "PutBucketReplication": lambda: s3.get_bucket_replication(Bucket=name),
        "PutObjectLockConfiguration": lambda: s3.get_object_lock_configuration(Bucket=name),
    }
    return found | {
        configuration.operation: or_none(getters[configuration.operation])
        for configuration in configurations(wanted)
    }


def bucket_wanted(properties: Mapping[str, Any]) -> Properties:
    """A bucket's template properties, those that ministack leaves out in S3's own words."""
    own = {
        name: value
        for name, value in properties.items()
        if name
        not in (
            "BucketEncryption",
            "LifecycleConfiguration",
            "ObjectLockConfiguration",
            "ObjectLockEnabled",
            "OwnershipControls",
            "ReplicationConfiguration",
        )
    }
    return own | {c.operation: c.parameters for c in configurations(properties)}


def _notifications(configuration: Mapping[str, Any]) -> Properties:
    arns = {"Queue": "QueueArn", "Topic": "TopicArn", "Function": "LambdaFunctionArn"}
    found: Properties = {}
    for kind, arn in arns.items():
        api = f"{'LambdaFunction' if kind == 'Function' else kind}Configurations"
        template = f"{'Lambda' if kind == 'Function' else kind}Configurations"
        entries = [
            {"Event": event, kind: entry[arn]}
            for entry in configuration.get(api, [])
            for event in entry["Events"]
        ]
        if entries:
            found[template] = entries
    return found


def _bucket_policy(apis: Apis, _id: str, wanted: Mapping[str, Any]) -> Properties:
    answer = apis.client("s3").get_bucket_policy(Bucket=wanted["Bucket"])
    return {"PolicyDocument": json.loads(answer["Policy"])}


READERS: dict[str, Reader] = {
    "AWS::S3::Bucket": _bucket,
    "AWS::S3::BucketPolicy": _bucket_policy,
}
NOT_READ = {
    "AWS::S3::BucketPolicy": frozenset({"Bucket"}),  # read through it
}
