"""What CloudFormation calls for queues, topics, settings, log groups and the trail."""

from __future__ import annotations

from collections.abc import Iterator

from localaws.cloudformation.rights.model import Call, Change, Rights

_LOGS = "arn:aws:logs:{region}:{account}:log-group:"
_SNS = "arn:aws:sns:{region}:{account}:"
_SQS = "arn:aws:sqs:{region}:{account}:"


def _queues(change: Change) -> Iterator[Call]:
    for url in change.properties["Queues"]:
        name = str(url).rpartition("/")[2]
        yield Call("sqs:SetQueueAttributes", change.fill(_SQS) + name)


def _topics(change: Change) -> Iterator[Call]:
    for topic in change.properties["Topics"]:
        yield Call("sns:SetTopicAttributes", str(topic))


def _ending(change: Change) -> Iterator[Call]:
    if change.operation == "delete":
        yield Call("sns:Unsubscribe")  # it knows no resource


def _finding_log_groups(_change: Change) -> Iterator[Call]:
    for what in ("LogGroups", "ResourcePolicies"):
        yield Call(f"logs:Describe{what}")  # neither knows a resource


def _trails_and_organization(change: Change) -> Iterator[Call]:
    """ "Prepare for creating a trail for your organization" in the CloudTrail User Guide."""
    yield Call("cloudtrail:DescribeTrails")  # it knows no resource
    if change.properties.get("IsOrganizationTrail") and change.operation != "delete":
        asked = ("DescribeOrganization", "ListAWSServiceAccessForOrganization", "ListAccounts")
        for what in asked:
            yield Call(f"organizations:{what}")  # none of these knows a resource
        role = "role/aws-service-role/cloudtrail.amazonaws.com/AWSServiceRoleForCloudTrail"
        for action in ("CreateServiceLinkedRole", "GetRole"):
            yield Call(f"iam:{action}", change.fill("arn:aws:iam::{account}:") + role)


RIGHTS = {
    "AWS::SQS::Queue": Rights(
        f"{_SQS}{{QueueName}}",
        create=("sqs:CreateQueue", "sqs:GetQueueUrl", "sqs:TagQueue"),
        update=("sqs:SetQueueAttributes",),
        delete=("sqs:DeleteQueue",),
        read=("sqs:GetQueueAttributes", "sqs:ListQueueTags"),
        changed={"Tags": ("sqs:TagQueue", "sqs:UntagQueue")},
    ),
    "AWS::SQS::QueuePolicy": Rights("*", more=_queues),
    "AWS::SNS::Topic": Rights(
        f"{_SNS}{{TopicName}}",
        create=("sns:CreateTopic", "sns:TagResource"),
        update=("sns:SetTopicAttributes",),
        delete=("sns:DeleteTopic",),
        read=(
            "sns:GetDataProtectionPolicy",
            "sns:GetTopicAttributes",
            "sns:ListSubscriptionsByTopic",
            "sns:ListTagsForResource",
        ),
        changed={"Tags": ("sns:TagResource", "sns:UntagResource")},
    ),
    "AWS::SNS::TopicPolicy": Rights("*", more=_topics),
    "AWS::SNS::Subscription": Rights(
        "{TopicArn}",
        create=("sns:Subscribe",),
        read=("sns:GetSubscriptionAttributes",),
        more=_ending,
    ),
    "AWS::SSM::Parameter": Rights(
        "arn:aws:ssm:{region}:{account}:parameter{Name}",
        create=("ssm:PutParameter", "ssm:AddTagsToResource"),
        update=("ssm:PutParameter",),
        delete=("ssm:DeleteParameter",),
        read=("ssm:GetParameters", "ssm:ListTagsForResource"),
        changed={"Tags": ("ssm:AddTagsToResource", "ssm:RemoveTagsFromResource")},
    ),
    "AWS::Logs::LogGroup": Rights(
        f"{_LOGS}{{LogGroupName}}",
        create=("logs:CreateLogGroup", "logs:TagResource"),
        delete=("logs:DeleteLogGroup",),
        read=(
            "logs:DescribeIndexPolicies",
            "logs:GetDataProtectionPolicy",
            "logs:ListTagsForResource",
        ),
        given={"RetentionInDays": ("logs:PutRetentionPolicy",)},
        changed={
            "KmsKeyId": ("logs:AssociateKmsKey",),
            "Tags": ("logs:TagResource", "logs:UntagResource"),
        },
        more=_finding_log_groups,
    ),
    "AWS::CloudTrail::Trail": Rights(
        "arn:aws:cloudtrail:{region}:{account}:trail/{TrailName}",
        create=("cloudtrail:CreateTrail", "cloudtrail:AddTags"),
        update=("cloudtrail:UpdateTrail",),
        delete=("cloudtrail:DeleteTrail",),
        read=(
            "cloudtrail:GetEventSelectors",
            "cloudtrail:GetTrail",
            "cloudtrail:GetTrailStatus",
            "cloudtrail:ListTags",
        ),
        given={
            "AdvancedEventSelectors": ("cloudtrail:PutEventSelectors",),
            "IsLogging": ("cloudtrail:StartLogging",),
        },
        changed={"Tags": ("cloudtrail:AddTags", "cloudtrail:RemoveTags")},
        more=_trails_and_organization,
    ),
}
