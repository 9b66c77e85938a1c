"""A second factor at `AssumeRole`, which ministack keeps devices for and never asks about.

Whoever names a device of his own and gives six digits comes with `aws:MultiFactorAuthPresent` and
`aws:MultiFactorAuthAge` when the role's trust policy is asked. Which digits is not checked: the
seed that ministack makes is none. Source: "Configuring MFA-protected API access" in AWS's IAM user
guide.
"""

from __future__ import annotations

import contextvars
import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qsl

from ministack.core import iam_evaluator, responses
from ministack.core.iam_evaluator import EvalContext
from ministack.services import iam, sts

_given: contextvars.ContextVar[bool] = contextvars.ContextVar("second_factor", default=False)


def register() -> None:
    """Have ministack's STS take the factor; call it once in a process."""
    handle = sts.handle_request
    trusts = iam_evaluator.evaluate_trust_policy

    async def handle_with_factor(
        method: str, path: str, headers: Mapping[str, str], body: bytes, query: Mapping[str, Any]
    ) -> Any:
        asked = _parameters(headers, body)
        serial, code = asked.get("SerialNumber", ""), asked.get("TokenCode", "")
        if serial and not _is_of_the_caller(serial, code):
            message = "MultiFactorAuthentication failed with invalid MFA one time pass code."
            return responses.error_response_xml("AccessDenied", message, 403)
        scope = _given.set(bool(serial))
        try:
            return await handle(method, path, headers, body, query)
        finally:
            _given.reset(scope)

    def trusts_with_factor(
        document: str | dict[str, Any], caller_arn: str, context: EvalContext | None = None
    ) -> bool:
        if context is not None and _given.get():
            factor = {"aws:multifactorauthpresent": "true", "aws:multifactorauthage": "0"}
            context = replace(context, principal_keys={**context.principal_keys, **factor})
        return bool(trusts(document, caller_arn, context))

    sts.handle_request = handle_with_factor
    iam_evaluator.evaluate_trust_policy = trusts_with_factor


def _is_of_the_caller(serial: str, code: str) -> bool:
    device = iam._mfa_devices.get(serial)  # noqa: SLF001
    owner = iam_evaluator.caller_arn().rpartition(":user/")[2]
    return device is not None and device["User"] == owner and code.isdecimal() and len(code) == 6


def _parameters(headers: Mapping[str, str], body: bytes) -> dict[str, str]:
    if "json" in headers.get("content-type", ""):
        return {name: str(value) for name, value in json.loads(body or b"{}").items()}
    return dict(parse_qsl(body.decode()))
