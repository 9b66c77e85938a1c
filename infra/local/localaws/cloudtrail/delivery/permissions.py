"""Whether CloudTrail may write to a trail's bucket and use its key.

ministack evaluates bucket and key policies for users and roles, but has no caller that is a
service. So the policies are put to ministack's own evaluator here, with the service as principal
and the condition keys AWS sets for it, before anything is written: a bucket policy that forgets
CloudTrail fails on this machine as it would on AWS.
"""

from __future__ import annotations

import contextvars
from typing import Any

from ministack.core.iam_evaluator import EvalContext, evaluate_resource_policy
from ministack.core.responses import set_request_account_id, set_request_region
from ministack.services import kms, s3

from localaws.cloudtrail.place import Place
from localaws.cloudtrail.recording.events import CLOUDTRAIL


class DeliveryError(Exception):
    """A file could not be put into its bucket; `code` is AWS's error code."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code


def check(*, trail_arn: str, bucket: str, key: str, kms_key_id: str | None, place: Place) -> None:
    """Raise DeliveryError `AccessDenied` naming the permission the policies do not give.

    A bucket that does not exist passes: the write itself says so.
    """
    # The evaluator finds buckets and keys by the account and region of the current request, which
    # must not leak into whatever runs after us.
    context = contextvars.copy_context()
    context.run(_check, trail_arn, bucket, key, kms_key_id, place)


def _check(trail_arn: str, bucket: str, key: str, kms_key_id: str | None, place: Place) -> None:
    set_request_account_id(place.account_id)
    set_request_region(place.region)
    source = {"aws:sourcearn": trail_arn, "aws:sourceaccount": place.account_id}
    bucket_arn = f"arn:aws:s3:::{bucket}"
    found = s3.bucket_policy_for_arn(bucket_arn)
    if found is None:
        return
    encryption = "aws:kms" if kms_key_id else "AES256"
    written = source | {
        "s3:x-amz-acl": "bucket-owner-full-control",
        "s3:x-amz-server-side-encryption": encryption,
    }
    if kms_key_id:
        written["s3:x-amz-server-side-encryption-aws-kms-key-id"] = kms_key_id
    for action, resource, keys in (
        ("s3:GetBucketAcl", bucket_arn, source),
        ("s3:PutObject", f"{bucket_arn}/{key}", written),
    ):
        if not _allows(found[0], action, resource, keys, place):
            raise DeliveryError(
                "AccessDenied",
                f"the policy of bucket {bucket} does not let {CLOUDTRAIL} {action} on {resource}"
                f" for trail {trail_arn}",
            )
    if kms_key_id:
        key_policy = kms.key_policy_for_arn(kms_key_id)
        encrypted = source | {"kms:encryptioncontext:aws:cloudtrail:arn": trail_arn}
        if key_policy is None or not _allows(
            key_policy[0], "kms:GenerateDataKey", kms_key_id, encrypted, place
        ):
            raise DeliveryError(
                "AccessDenied",
                f"the policy of key {kms_key_id} does not let {CLOUDTRAIL} kms:GenerateDataKey"
                f" for trail {trail_arn}",
            )


def _allows(policy: str, action: str, resource: str, keys: dict[str, str], place: Place) -> bool:
    conditions: dict[str, Any] = {
        "aws:principalisawsservice": "true",
        "aws:principalservicename": CLOUDTRAIL,
        **keys,
    }
    context = EvalContext(
        principal_arn=CLOUDTRAIL,
        principal_type="Service",
        principal_account=place.account_id,
        action=action,
        resource_arn=resource,
        region=place.region,
        secure_transport=True,  # services call each other over TLS
        service_context=conditions,
    )
    return bool(evaluate_resource_policy(policy, context, service=CLOUDTRAIL).decision == "Allow")
