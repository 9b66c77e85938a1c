"""The names of Lambda's calls, by their routes in botocore's model of the service.

ministack writes them down by hand: it knows no change of an event source mapping, so that nobody
was asked whether he may and CloudTrail told of none, and takes a question about a function's
concurrency for a change.
"""

from __future__ import annotations

from typing import Final

from ministack.core import iam_actions

_SERVICE: Final = "lambda"
# "Actions, resources, and condition keys for AWS Lambda", Service Authorization Reference.
_INVOKING: Final = frozenset({"Invoke", "InvokeAsync", "InvokeWithResponseStream"})


def register() -> None:
    """Have ministack ask and tell by these names; call it once in a process."""
    iam_actions._BOTOCORE_SERVICE_MAP[_SERVICE] = [_SERVICE]  # noqa: SLF001
    iam_actions._lambda_action = action_of  # noqa: SLF001


def action_of(method: str, path: str) -> str | None:
    """IAM's name of the action behind a request; None for no call of Lambda's."""
    name: str | None = iam_actions._match_rest_action(_SERVICE, method, path)  # noqa: SLF001
    return "InvokeFunction" if name in _INVOKING else name
