"""What the local AWS made of each resource, asked through its APIs in the words of its template.

One reader for each resource type of the platform: it returns the properties of the resource as
they are now, spelled as CloudFormation spells them. What it does not return counts as not
provided; `NOT_READ` names the few properties that no API gives back.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Any

import boto3
from botocore.exceptions import ClientError

from localaws.cloudformation.bucketproperties import configurations

Properties = dict[str, Any]

# Why each is left out: what is sent in is kept in another form, or tells nobody anything.
NOT_READ: dict[str, frozenset[str]] = {
    # Says how to delete it; AWS does not tell it either.
    "AWS::Athena::WorkGroup": frozenset({"RecursiveDeleteOption"}),
    "AWS::CloudFormation::Stack": frozenset({"Parameters", "TemplateURL"}),  # read as its resources
    "AWS::Glue::Database": frozenset({"CatalogId"}),  # always the caller's account
    "AWS::KMS::Key": frozenset({"PendingWindowInDays"}),  # of a deletion that has not begun
    "AWS::Lambda::Function": frozenset({"Code"}),  # comes back as a hash of the zip
    "AWS::S3::BucketPolicy": frozenset({"Bucket"}),  # read through it
    "AWS::SNS::TopicPolicy": frozenset({"Topics"}),
    "AWS::SQS::QueuePolicy": frozenset({"Queues"}),
}


class Apis:
    """Clients of the local AWS, made when needed."""

    def __init__(self, session: boto3.Session, endpoint: str) -> None:
        self._session = session
        self._endpoint = endpoint
        self._clients: dict[str, Any] = {}

    def client(self, service: str) -> Any:
        """The client of a service."""
        if service not in self._clients:
            self._clients[service] = self._session.client(
                service,
                endpoint_url=self._endpoint,  # type: ignore[call-overload]
            )
        return self._clients[service]

    @cached_property
    def account_id(self) -> str:
        """The caller's account."""
        return str(self.client("sts").get_caller_identity()["Account"])


Reader = Callable[[Apis, str, Mapping[str, Any]], Properties]


def _bucket(apis: Apis, name: str, wanted: Mapping[str, Any]) -> Properties:
    """S3's own configurations, compared in S3's words: see `bucketproperties`."""
    s3 = apis.client("s3")
    found: Properties = {
        "BucketName": name,
        "VersioningConfiguration": {"Status": s3.get_bucket_versioning(Bucket=name).get("Status")},
        "PublicAccessBlockConfiguration": _or_none(
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
        "PutObjectLockConfiguration": lambda: s3.get_object_lock_configuration(Bucket=name),
    }
    return found | {
        configuration.operation: _or_none(getters[configuration.operation])
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


def _kms_key(apis: Apis, key_id: str, wanted: Mapping[str, Any]) -> Properties:
    kms = apis.client("kms")
    metadata = kms.describe_key(KeyId=key_id)["KeyMetadata"]
    found = {name: metadata[name] for name in ("Description", "KeySpec", "KeyUsage", "Enabled")}
    found["KeyPolicy"] = json.loads(
        kms.get_key_policy(KeyId=key_id, PolicyName="default")["Policy"]
    )
    if "EnableKeyRotation" in wanted:
        found["EnableKeyRotation"] = kms.get_key_rotation_status(KeyId=key_id)["KeyRotationEnabled"]
    return found


def _kms_alias(apis: Apis, name: str, _wanted: Mapping[str, Any]) -> Properties:
    pages = apis.client("kms").get_paginator("list_aliases").paginate()
    targets = {a["AliasName"]: a.get("TargetKeyId") for page in pages for a in page["Aliases"]}
    return {"AliasName": name, "TargetKeyId": targets.get(name)}


def _iam_role(apis: Apis, name: str, _wanted: Mapping[str, Any]) -> Properties:
    iam = apis.client("iam")
    role = iam.get_role(RoleName=name)["Role"]
    inline = iam.list_role_policies(RoleName=name)["PolicyNames"]
    attached = iam.list_attached_role_policies(RoleName=name)["AttachedPolicies"]
    return {
        "RoleName": name,
        "Description": role.get("Description"),
        "MaxSessionDuration": role.get("MaxSessionDuration"),
        "AssumeRolePolicyDocument": role["AssumeRolePolicyDocument"],
        "Policies": [
            {
                "PolicyName": policy,
                "PolicyDocument": iam.get_role_policy(RoleName=name, PolicyName=policy)[
                    "PolicyDocument"
                ],
            }
            for policy in inline
        ],
        "ManagedPolicyArns": [policy["PolicyArn"] for policy in attached],
        "PermissionsBoundary": role.get("PermissionsBoundary", {}).get("PermissionsBoundaryArn"),
    }


def _queue(apis: Apis, url: str, _wanted: Mapping[str, Any]) -> Properties:
    answer = apis.client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=["All"])
    attributes: Properties = answer["Attributes"]
    documents = ("RedrivePolicy", "RedriveAllowPolicy")
    return {
        **attributes,
        **{name: json.loads(attributes[name]) for name in documents if name in attributes},
        "QueueName": url.rpartition("/")[2],
    }


def _queue_policy(apis: Apis, _id: str, wanted: Mapping[str, Any]) -> Properties:
    sqs = apis.client("sqs")
    policies = [
        sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["Policy"])["Attributes"]["Policy"]
        for url in wanted["Queues"]
    ]
    return {"PolicyDocument": _the_same(policies)}


def _topic(apis: Apis, arn: str, _wanted: Mapping[str, Any]) -> Properties:
    attributes = apis.client("sns").get_topic_attributes(TopicArn=arn)["Attributes"]
    return {**attributes, "TopicName": arn.rpartition(":")[2]}


def _topic_policy(apis: Apis, _id: str, wanted: Mapping[str, Any]) -> Properties:
    sns = apis.client("sns")
    policies = [
        sns.get_topic_attributes(TopicArn=arn)["Attributes"]["Policy"] for arn in wanted["Topics"]
    ]
    return {"PolicyDocument": _the_same(policies)}


def _subscription(apis: Apis, arn: str, _wanted: Mapping[str, Any]) -> Properties:
    attributes = apis.client("sns").get_subscription_attributes(SubscriptionArn=arn)["Attributes"]
    return {**attributes}


def _function(apis: Apis, name: str, _wanted: Mapping[str, Any]) -> Properties:
    found: Properties = apis.client("lambda").get_function_configuration(FunctionName=name)
    return found


def _event_source_mapping(apis: Apis, uuid: str, wanted: Mapping[str, Any]) -> Properties:
    found: Properties = apis.client("lambda").get_event_source_mapping(UUID=uuid)
    name = found["FunctionArn"].rpartition(":")[2]
    return {**found, "FunctionName": wanted.get("FunctionName") and name}


def _log_group(apis: Apis, name: str, _wanted: Mapping[str, Any]) -> Properties:
    groups = apis.client("logs").describe_log_groups(logGroupNamePrefix=name)["logGroups"]
    group = next(group for group in groups if group["logGroupName"] == name)
    return {
        "LogGroupName": name,
        "RetentionInDays": group.get("retentionInDays"),
        "KmsKeyId": group.get("kmsKeyId"),
    }


def _ssm_parameter(apis: Apis, name: str, _wanted: Mapping[str, Any]) -> Properties:
    ssm = apis.client("ssm")
    value = ssm.get_parameter(Name=name)["Parameter"]
    filters = [{"Key": "Name", "Values": [name]}]
    described = ssm.describe_parameters(ParameterFilters=filters)["Parameters"][0]
    return {**value, "Description": described.get("Description")}


def _trail(apis: Apis, name: str, _wanted: Mapping[str, Any]) -> Properties:
    cloudtrail = apis.client("cloudtrail")
    trail = cloudtrail.get_trail(Name=name)["Trail"]
    selectors = cloudtrail.get_event_selectors(TrailName=name)
    return {
        **trail,
        "TrailName": trail["Name"],
        "KMSKeyId": trail.get("KmsKeyId"),
        "EnableLogFileValidation": trail["LogFileValidationEnabled"],
        "IsLogging": cloudtrail.get_trail_status(Name=name)["IsLogging"],
        "AdvancedEventSelectors": selectors.get("AdvancedEventSelectors"),
        "EventSelectors": selectors.get("EventSelectors"),
    }


def _glue_database(apis: Apis, name: str, _wanted: Mapping[str, Any]) -> Properties:
    return {"DatabaseInput": apis.client("glue").get_database(Name=name)["Database"]}


def _glue_job(apis: Apis, name: str, _wanted: Mapping[str, Any]) -> Properties:
    found: Properties = apis.client("glue").get_job(JobName=name)["Job"]
    return found


def _workgroup(apis: Apis, name: str, _wanted: Mapping[str, Any]) -> Properties:
    group = apis.client("athena").get_work_group(WorkGroup=name)["WorkGroup"]
    return {**group, "WorkGroupConfiguration": group["Configuration"]}


READERS: dict[str, Reader] = {
    "AWS::Athena::WorkGroup": _workgroup,
    "AWS::CloudFormation::Stack": lambda _apis, _id, _wanted: {},
    "AWS::CloudTrail::Trail": _trail,
    "AWS::Glue::Database": _glue_database,
    "AWS::Glue::Job": _glue_job,
    "AWS::IAM::Role": _iam_role,
    "AWS::KMS::Alias": _kms_alias,
    "AWS::KMS::Key": _kms_key,
    "AWS::Lambda::EventSourceMapping": _event_source_mapping,
    "AWS::Lambda::Function": _function,
    "AWS::Logs::LogGroup": _log_group,
    "AWS::S3::Bucket": _bucket,
    "AWS::S3::BucketPolicy": _bucket_policy,
    "AWS::SNS::Subscription": _subscription,
    "AWS::SNS::Topic": _topic,
    "AWS::SNS::TopicPolicy": _topic_policy,
    "AWS::SQS::Queue": _queue,
    "AWS::SQS::QueuePolicy": _queue_policy,
    "AWS::SSM::Parameter": _ssm_parameter,
}


def _or_none(get: Callable[[], Any]) -> Any:
    """What `get` gives, None where S3 says that nothing is configured."""
    try:
        answer = get()
    except ClientError as error:
        code = error.response["Error"]["Code"]
        if code.startswith("NoSuch") or code.endswith("NotFoundError"):
            return None
        raise
    return answer


def _the_same(policies: list[str]) -> Any:
    documents = [json.loads(policy) for policy in policies]
    if any(document != documents[0] for document in documents):
        raise ValueError("one policy, several contents: " + " / ".join(policies))
    return documents[0]
