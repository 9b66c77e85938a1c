"""SQS and SNS."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from localaws.cloudformation.readers.apis import Apis, Properties, Reader, the_same


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
    return {"PolicyDocument": the_same(policies)}


def _topic(apis: Apis, arn: str, _wanted: Mapping[str, Any]) -> Properties:
    attributes = apis.client("sns").get_topic_attributes(TopicArn=arn)["Attributes"]
    return {**attributes, "TopicName": arn.rpartition(":")[2]}


def _topic_policy(apis: Apis, _id: str, wanted: Mapping[str, Any]) -> Properties:
    sns = apis.client("sns")
    policies = [
        sns.get_topic_attributes(TopicArn=arn)["Attributes"]["Policy"] for arn in wanted["Topics"]
    ]
    return {"PolicyDocument": the_same(policies)}


def _subscription(apis: Apis, arn: str, _wanted: Mapping[str, Any]) -> Properties:
    attributes = apis.client("sns").get_subscription_attributes(SubscriptionArn=arn)["Attributes"]
    return {**attributes}


READERS: dict[str, Reader] = {
    "AWS::SNS::Subscription": _subscription,
    "AWS::SNS::Topic": _topic,
    "AWS::SNS::TopicPolicy": _topic_policy,
    "AWS::SQS::Queue": _queue,
    "AWS::SQS::QueuePolicy": _queue_policy,
}
NOT_READ = {
    "AWS::SNS::TopicPolicy": frozenset({"Topics"}),  # read through it
    "AWS::SQS::QueuePolicy": frozenset({"Queues"}),  # the same
}
