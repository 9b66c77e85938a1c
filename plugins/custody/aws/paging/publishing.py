"""Sending a page to the people on call."""

from __future__ import annotations

from typing import TYPE_CHECKING

from custody.core.paging.form import Page

if TYPE_CHECKING:
    from mypy_boto3_sns import SNSClient


def publish(sns: SNSClient, topic_arn: str, page: Page) -> str:
    """Send a page to a topic; the id that SNS gave it. Raises what botocore raises."""
    sent = sns.publish(
        TopicArn=topic_arn,
        Subject=page.subject,
        Message=page.by_protocol,
        MessageStructure="json",
        MessageAttributes={
            name: {"DataType": "String", "StringValue": value}
            for name, value in page.message_attributes.items()
        },
    )
    return sent["MessageId"]
