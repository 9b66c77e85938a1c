"""Acting as a job's role, as the Glue service does."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from localaws.glue.account import SERVICE, Account, RoleSession


class RoleError(RuntimeError):
    """The role cannot be assumed; the message is what Glue would say of the run."""


def assume(account: Account, role: str, session_name: str) -> RoleSession:
    """Assume a job's role (ARN or name), as the Glue service.

    Raises RoleError when the role does not exist or does not trust Glue. The check is ours: to
    ministack a service is the account's root, and every service is the same.
    """
    name, iam = role.rpartition("/")[2], account.client("iam")
    try:
        found = iam.get_role(RoleName=name)["Role"]
    except iam.exceptions.NoSuchEntityException as error:
        raise RoleError(f"Role {role} does not exist") from error
    if not trusts(found["AssumeRolePolicyDocument"], SERVICE):
        raise RoleError(
            f"Role {role} should be given assume role permissions for Glue Service: "
            f"its trust policy does not name {SERVICE}"
        )
    return account.take_role(found["Arn"], session_name)


def trusts(policy: Mapping[str, Any], service: str) -> bool:
    """Whether a trust policy lets a service assume the role (conditions are left to STS)."""
    allowed = False
    statements = policy.get("Statement", [])
    for statement in [statements] if isinstance(statements, Mapping) else statements:
        principal = statement.get("Principal", {})
        named = principal == "*" or service in _texts(
            principal.get("Service", []) if isinstance(principal, Mapping) else []
        )
        if named and {"sts:AssumeRole", "sts:*", "*"} & set(_texts(statement.get("Action", []))):
            if statement.get("Effect") == "Deny":
                return False
            allowed = True
    return allowed


def _texts(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else list(value)
