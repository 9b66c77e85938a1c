"""What AWS says of the sessions that its services take, and ministack does not.

* A role's trust policy learns for which account a service takes the role (`aws:SourceAccount`).
  Who plays a service as the account's root says for which resource (`aws:SourceArn`) as the
  external id.
* A session's requests say which function's code made them (`lambda:SourceFunctionArn`: "Using
  source function ARN to control function access behavior" in AWS's Lambda developer guide), or that
  Glue handed the session to a job (`glue:CredentialIssuingService`: "Control policies that control
  settings using context keys" in AWS's Glue developer guide). The requests of whoever takes the
  same role himself say neither, those of another function name that one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from ministack.core import iam_evaluator, lambda_runtime
from ministack.core.iam_evaluator import EvalContext, ResolvedCredential
from ministack.services import lambda_svc, sts

# Where a session in ministack's books keeps its keys.
_KEYS = "ServiceKeys"


def register() -> None:
    """Have ministack's evaluator know them; call it once in a process."""
    trusts = iam_evaluator.evaluate_trust_policy
    describe = iam_evaluator._principal_keys  # noqa: SLF001
    credentials_of = lambda_runtime.execution_credentials

    def trusts_for_an_account(
        document: str | dict[str, Any], caller_arn: str, context: EvalContext | None = None
    ) -> bool:
        # To ministack a service is the account's root.
        if context is not None and caller_arn.endswith(":root"):
            known = {"aws:sourceaccount": context.principal_account, **context.service_context}
            known.setdefault("aws:sourcearn", known.get("sts:externalid"))
            context = replace(context, service_context=known)
        return bool(trusts(document, caller_arn, context))

    def with_services_keys(credential: ResolvedCredential) -> dict[str, Any]:
        session = sts._sessions.get(credential.access_key_id) or {}  # noqa: SLF001
        return {**describe(credential), **session.get(_KEYS, {})}

    def credentials_of_function(config: Mapping[str, Any]) -> dict[str, str]:
        credentials: dict[str, str] = credentials_of(config)
        mark(credentials["AWS_ACCESS_KEY_ID"], {"lambda:SourceFunctionArn": config["FunctionArn"]})
        return credentials

    iam_evaluator.evaluate_trust_policy = trusts_for_an_account
    iam_evaluator._principal_keys = with_services_keys  # noqa: SLF001
    for module in (lambda_runtime, lambda_svc):
        module.execution_credentials = credentials_of_function


def mark(access_key_id: str, keys: Mapping[str, str]) -> None:
    """Give the requests of a session these condition keys."""
    session = sts._sessions[access_key_id]  # noqa: SLF001
    session[_KEYS] = {name.lower(): value for name, value in keys.items()}
