"""As whom CloudFormation works: as the stack's service role, else as whoever called.

Source: "AWS CloudFormation service role" in AWS's CloudFormation user guide. Whoever names a role
must be allowed to pass it, and the role must trust CloudFormation; from then on every operation on
the stack works as that role, whoever asks for it.
"""

from __future__ import annotations

import contextvars
import secrets
from collections.abc import Callable, Mapping
from typing import Any

from ministack.core import iam_actions, iam_evaluator
from ministack.core.iam_evaluator import AuthError, EvalContext
from ministack.core.responses import get_account_id, get_region
from ministack.services import iam, sts
from ministack.services.cloudformation import _change_sets, handlers, helpers

from localaws.cloudformation.rights.model import Call

_SERVICE = "cloudformation.amazonaws.com"
_ROLE = "ServiceRole"  # in ministack's record of a stack or a change set
_WORKING = (
    *("CreateStack", "UpdateStack", "DeleteStack", "ExecuteChangeSet"),
    *("ContinueUpdateRollback", "RollbackStack", "CancelUpdateStack"),
)

_worker: contextvars.ContextVar[str] = contextvars.ContextVar("cloudformation_worker", default="")
"""The access key that the operation under way works with; empty for the account's root."""

Handler = Callable[[Mapping[str, Any]], Any]


def register() -> None:
    """Have ministack's CloudFormation know service roles; call it once in a process."""
    actions: dict[str, Handler] = handlers._ACTION_HANDLERS  # noqa: SLF001
    actions["CreateChangeSet"] = _naming(actions["CreateChangeSet"])
    for action in _WORKING:
        actions[action] = _working(actions[action])
    resource_of = iam_actions.extract_resource_arn

    def with_stack_of_change_set(service: str, *request: Any) -> Any:
        found = resource_of(service, *request)
        query = request[4] if len(request) > 4 else {}
        if service == "cloudformation" and found == "*" and query.get("ChangeSetName"):
            return _stack_of(query["ChangeSetName"][0])
        return found

    iam_actions.extract_resource_arn = with_stack_of_change_set


def _stack_of(change_set: str) -> str:
    """The stack whose change set is named by its ARN alone: that is what IAM is asked about."""
    record = _change_sets.get(change_set)
    return str(record["StackId"]) if record else "*"


def refusal(call: Call) -> str:
    """Why whoever works may not make a call; empty if he may."""
    key = _worker.get()
    if not key:
        return ""
    return contextvars.copy_context().run(_refusal, key, call)


def _refusal(key: str, call: Call) -> str:
    # The signature of the request that began all this was checked when it came.
    iam_evaluator._signed_request.set(None)  # noqa: SLF001
    denied = iam_evaluator.enforce(
        key,
        call.action,
        call.action.partition(":")[0],
        get_region(),
        resource_arn=call.resource,
        service_context=dict(call.keys),
    )
    if denied is None:
        return ""
    if isinstance(denied, AuthError):
        return str(denied.message)
    return (
        f"User: {denied.principal_arn} is not authorized to perform: {call.action} "
        f"on resource: {call.resource}"
    )


def _naming(create: Handler) -> Handler:
    """A change set may name the role of the stack it is for."""

    def create_change_set(params: Mapping[str, Any]) -> Any:
        role = helpers._p(params, "RoleARN")  # noqa: SLF001
        if role and (why := _unfit(role, helpers._p(params, "StackName"))):  # noqa: SLF001
            return why
        known = set(_change_sets)
        answer = create(params)
        for made in set(_change_sets) - known:
            _change_sets[made][_ROLE] = role
        return answer

    return create_change_set


def _working(work: Handler) -> Handler:
    """An operation that changes resources: the tasks it starts have its context."""

    def as_somebody(params: Mapping[str, Any]) -> Any:
        named = helpers._p(params, "StackName")  # noqa: SLF001
        role = helpers._p(params, "RoleARN")  # noqa: SLF001
        if role and (why := _unfit(role, named)):
            return why
        known = role or _kept(params, named)
        scope = _worker.set(_session_of(known) if known else _caller())
        try:
            answer = work(params)
        finally:
            _worker.reset(scope)
        stack = handlers._resolve_stack(named) if named else None  # noqa: SLF001
        if known and stack is not None:
            stack[_ROLE] = known
        return answer

    return as_somebody


def _kept(params: Mapping[str, Any], stack_name: str) -> str:
    """The role of a change set that is to be executed, else of its stack."""
    name = helpers._p(params, "ChangeSetName")  # noqa: SLF001
    for record in _change_sets.values() if name else ():
        if name in (record["ChangeSetName"], record["ChangeSetId"]) and record.get(_ROLE):
            return str(record[_ROLE])
    stack = handlers._resolve_stack(stack_name) if stack_name else None  # noqa: SLF001
    return str((stack or {}).get(_ROLE, ""))


def _unfit(role: str, stack_name: str) -> Any:
    """The answer to a caller who may not pass a role, or whose role does not trust us."""
    key = _caller()
    passed = Call("iam:PassRole", role, {"iam:PassedToService": _SERVICE})
    scope = _worker.set(key)
    try:
        why = refusal(passed)
    finally:
        _worker.reset(scope)
    if not why and not _trusts(role, stack_name):
        why = f"Role {role} is invalid or cannot be assumed"
        return helpers._error("ValidationError", why)  # noqa: SLF001
    return helpers._error("AccessDenied", why, 403) if why else None  # noqa: SLF001


def _trusts(role: str, stack_name: str) -> bool:
    account, region = get_account_id(), get_region()
    found = iam._roles.get(role.rpartition("/")[2])  # noqa: SLF001
    name = stack_name if stack_name.startswith("arn:") else f"stack/{stack_name}/new"
    stack = name if name.startswith("arn:") else f"arn:aws:cloudformation:{region}:{account}:{name}"
    root = f"arn:aws:iam::{account}:root"  # which is how ministack's services call
    context = EvalContext(
        principal_arn=root,
        principal_type="Root",
        principal_account=account,
        action="sts:AssumeRole",
        resource_arn=role,
        region=region,
        service_context={"aws:sourceaccount": account, "aws:sourcearn": stack},
    )
    document = (found or {}).get("AssumeRolePolicyDocument")
    return document is not None and iam_evaluator.evaluate_trust_policy(document, root, context)


def _caller() -> str:
    """The access key of the request; empty for root's, which may do anything."""
    key = str(iam_evaluator._verified_key.get())  # noqa: SLF001
    return "" if iam_evaluator.is_root_access_key(key) else key


def _session_of(role: str) -> str:
    """A session of the role, which nobody but CloudFormation ever knows the keys of."""
    key = f"ASIA{secrets.token_hex(8).upper()}"
    account, name = role.split(":")[4], role.rpartition("/")[2]
    sts.register_session(
        key,
        {
            "Arn": f"arn:aws:sts::{account}:assumed-role/{name}/AWSCloudFormation",
            "UserId": f"{name}:AWSCloudFormation",
            "SecretAccessKey": secrets.token_urlsafe(30),
            "SessionToken": secrets.token_urlsafe(30),
            "AccountId": account,
            "PrincipalType": "AssumedRole",
        },
    )
    return key
