"""What CloudFormation calls for buckets, keys and their policies."""

from __future__ import annotations

from collections.abc import Iterator

from localaws.cloudformation.rights.model import Call, Change, Rights

_BUCKET = "arn:aws:s3:::{BucketName}"
_KEY = "arn:aws:kms:{region}:{account}:key/"


def _making_a_key(change: Change) -> Iterator[Call]:
    if change.operation == "create":
        yield Call("kms:CreateKey")  # it knows no resource


def _of_the_key(change: Change) -> Iterator[Call]:
    """Whoever names a key anew needs the right on the name and on the key."""
    key = str(change.properties["TargetKeyId"]).rpartition("/")[2]
    action = {"create": "Create", "update": "Update", "delete": "Delete"}[change.operation]
    yield Call(f"kms:{action}Alias", change.fill(_KEY) + key)


def _copying_as_a_role(change: Change) -> Iterator[Call]:
    """S3 is given the role as which it copies."""
    if change.sets("ReplicationConfiguration"):
        replication = change.new.get("ReplicationConfiguration") or {}
        yield from change.passes(replication.get("Role"), "s3")


RIGHTS = {
    "AWS::S3::Bucket": Rights(
        _BUCKET,
        create=("s3:CreateBucket", "s3:PutBucketTagging"),
        delete=("s3:DeleteBucket",),
        read=(
            "s3:GetAccelerateConfiguration",
            "s3:GetAnalyticsConfiguration",
            "s3:GetBucketLogging",
            "s3:GetBucketNotification",
            "s3:GetBucketObjectLockConfiguration",
            "s3:GetBucketOwnershipControls",
            "s3:GetBucketPublicAccessBlock",
            "s3:GetBucketTagging",
            "s3:GetBucketVersioning",
            "s3:GetEncryptionConfiguration",
            "s3:GetLifecycleConfiguration",
            "s3:GetReplicationConfiguration",
            "s3:ListBucket",
        ),
        given={
            "BucketEncryption": ("s3:PutEncryptionConfiguration",),
            "LifecycleConfiguration": ("s3:PutLifecycleConfiguration",),
            "NotificationConfiguration": ("s3:PutBucketNotification",),
            "ObjectLockConfiguration": ("s3:PutBucketObjectLockConfiguration",),
            "ObjectLockEnabled": ("s3:PutBucketObjectLockConfiguration",),
            "OwnershipControls": ("s3:PutBucketOwnershipControls",),
            "PublicAccessBlockConfiguration": ("s3:PutBucketPublicAccessBlock",),
            "ReplicationConfiguration": ("s3:PutReplicationConfiguration",),
            "Tags": ("s3:PutBucketTagging",),
            "VersioningConfiguration": ("s3:PutBucketVersioning",),
        },
        more=_copying_as_a_role,
    ),
    "AWS::S3::BucketPolicy": Rights(
        "arn:aws:s3:::{Bucket}",
        create=("s3:PutBucketPolicy",),
        update=("s3:PutBucketPolicy",),
        delete=("s3:DeleteBucketPolicy",),
        read=("s3:GetBucketPolicy",),
    ),
    "AWS::KMS::Key": Rights(
        f"{_KEY}{{id}}",
        create=("kms:TagResource",),
        delete=("kms:ScheduleKeyDeletion",),
        read=(
            "kms:DescribeKey",
            "kms:GetKeyPolicy",
            "kms:GetKeyRotationStatus",
            "kms:ListResourceTags",
        ),
        given={"EnableKeyRotation": ("kms:EnableKeyRotation",)},
        changed={
            "Description": ("kms:UpdateKeyDescription",),
            "KeyPolicy": ("kms:PutKeyPolicy",),
            "Tags": ("kms:TagResource", "kms:UntagResource"),
        },
        more=_making_a_key,
    ),
    "AWS::KMS::Alias": Rights(
        "arn:aws:kms:{region}:{account}:{AliasName}",
        create=("kms:CreateAlias",),
        update=("kms:UpdateAlias",),
        delete=("kms:DeleteAlias",),
        more=_of_the_key,
    ),
}
