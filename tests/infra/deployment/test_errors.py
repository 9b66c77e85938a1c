"""What AWS refuses is told with what to do."""

from __future__ import annotations

import pytest
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    EndpointConnectionError,
    NoCredentialsError,
    UnauthorizedSSOTokenError,
)
from infra.deployment.errors import explain


def refused(code: str, message: str = "") -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": message}}, "CreateChangeSet")


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (
            refused(
                "AccessDenied",
                "User: arn:aws:iam::1:user/a is not authorized to perform: "
                "cloudformation:CreateChangeSet on resource: x",
            ),
            r"lacks the right cloudformation:CreateChangeSet; docs/deploy\.md",
        ),
        (refused("AccessDenied", "Access Denied"), "lacks the right to call CreateChangeSet"),
        (refused("ExpiredToken"), "have expired: log in again.*it goes on"),
        (UnauthorizedSSOTokenError(), "log in again"),
        (refused("InvalidClientTokenId"), r"does not know these credentials.*AWS_PROFILE"),
        (NoCredentialsError(), "no AWS credentials: set AWS_PROFILE"),
        (refused("ValidationError", "Template is bad"), "Template is bad"),
        (EndpointConnectionError(endpoint_url="https://x"), "Could not connect"),
    ],
)
def test_what_aws_refuses_is_told_with_what_to_do(
    error: BotoCoreError | ClientError, said: str
) -> None:
    with pytest.raises(AssertionError, match=said):
        raise AssertionError(explain(error))
