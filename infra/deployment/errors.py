"""What goes wrong, in words that say what to do."""

from __future__ import annotations

import re

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    NoCredentialsError,
    SSOError,
    TokenRetrievalError,
)

_EXPIRED = frozenset(
    {
        "ExpiredToken",
        "ExpiredTokenException",
        "RequestExpired",
        "TokenRefreshRequired",
    }
)
_UNKNOWN_CALLER = frozenset(
    {"InvalidClientTokenId", "UnrecognizedClientException", "InvalidAccessKeyId", "AuthFailure"}
)
_DENIED = frozenset({"AccessDenied", "AccessDeniedException", "UnauthorizedOperation"})
_ACTION = re.compile(r"not authorized to perform:? ([a-z0-9-]+:[A-Za-z0-9]+)")
_LOG_IN = "log in again (`aws sso login`, or new keys), then run the same command: it goes on"


class DeployError(Exception):
    """The deployment cannot go on; the message says why and what to do."""


class Interrupted(DeployError):
    """Somebody pressed Ctrl-C while a stack was changing."""


def explain(error: BotoCoreError | ClientError) -> str:
    """What an error of AWS means for who deploys."""
    if isinstance(error, ClientError):
        return _explain_answer(error)
    if isinstance(error, NoCredentialsError):
        return "no AWS credentials: set AWS_PROFILE, or log in (`aws configure`, `aws sso login`)"
    if isinstance(error, SSOError | TokenRetrievalError):
        return f"{error}: {_LOG_IN}"
    return str(error)


def _explain_answer(error: ClientError) -> str:
    code = error.response["Error"]["Code"]
    if code in _EXPIRED:
        return f"the AWS credentials have expired: {_LOG_IN}"
    if code in _UNKNOWN_CALLER:
        return f"AWS does not know these credentials ({code}): check AWS_PROFILE, or {_LOG_IN}"
    if code in _DENIED:
        named = _ACTION.search(str(error))
        action = named[1] if named else f"to call {error.operation_name}"
        return (
            f"your principal lacks the right {action}; docs/deploy.md lists all that a deployment "
            f"needs. AWS says: {error}"
        )
    return str(error)
