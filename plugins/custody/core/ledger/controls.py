"""Whose control a call changed, and whether it may: by the deployment, or by its own work."""

from __future__ import annotations

import re
from typing import Final

from custody.core.calls.kinds import USE
from custody.core.ledger.policy import Policy
from custody.core.trail.control_changes import ControlChange
from custody.core.trail.management_events import ManagementEvent
from custody.core.trail.principals import Principal

CLOUDFORMATION: Final = "cloudformation.amazonaws.com"

_PARTS: Final = re.compile("[/:]")
_OWN: Final = frozenset({"access keys", "sign-in"})
"""What a user changes of himself."""


def touches(change: ControlChange, policy: Policy) -> bool:
    """Whether a call may have changed something of the platform.

    What CloudTrail left out may have been ours, and so may what the account has one of.
    """
    return not change.names or bool(ours_of(change, policy) or own_roles(change, policy))


def ours_of(change: ControlChange, policy: Policy) -> list[str]:
    """The things of ours that a call names. Whom an uploader's role works for is its own affair."""
    thing = "" if change.aspect == USE else change.thing
    return [name for name in change.names or () if is_ours(name, thing, policy)]


def own_roles(change: ControlChange, policy: Policy) -> list[str]:
    """The platform's own roles that a call gave to something."""
    return [role for role in change.roles if is_ours(role, "", policy)]


def is_ours(name: str, thing: str, policy: Policy) -> bool:
    """Whether a thing of this name, ARN or URL is one of the platform's."""
    if not policy.deployment:
        return False
    if f"/{policy.deployment.replace('-', '/', 1)}/" in f"/{name}/":  # as settings are named
        return True
    own, others = policy.deployment, policy.named.get(thing, frozenset())
    return any(
        part == own or part.startswith(f"{own}-") or part in others for part in _PARTS.split(name)
    )


def names_role(change: ControlChange, role_arn: str) -> bool:
    """Whether a change may be about a role."""
    return not change.names or role_arn.rpartition("/")[2] in change.names


def is_deployment(who: Principal, policy: Policy) -> bool:
    """Whether a caller is CloudFormation, working for one of those who deploy."""
    return who.invoked_by == CLOUDFORMATION and who.is_one_of(policy.deployers)


def is_explained(call: ManagementEvent, policy: Policy) -> bool:
    """Whether who changed a control may: AWS itself, the deployment, a role whose work it is, or a
    user who changes his own keys."""
    who, change = call.who, call.control
    if change is None or who.is_service:
        return True
    if who.invoked_by == CLOUDFORMATION:
        return is_deployment(who, policy)
    if who.invoked_by is not None and (change.thing, change.aspect) == ("key", "grants"):
        return True  # a service takes the grant that it needs for whoever uses it
    if change.thing == "stack":
        return who.is_one_of(policy.deployers)
    if change.thing == "user" and change.aspect in _OWN:
        # A session may be called as anybody.
        return (
            who.type == "IAMUser"
            and change.names is not None
            and all(who.arn.rpartition("/")[2] == name.rpartition("/")[2] for name in change.names)
        )
    return who.is_one_of(policy.control_writers.get((change.thing, change.aspect), ()))
