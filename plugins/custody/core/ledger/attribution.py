"""Attribute calls to whoever assumed a role or made a key, and outages of the trail to whoever
switched it.

An access key tells which session signed a call, and `AssumeRole` who started that session. The
platform's roles are for AWS's own services: what anybody else does in a session of one is
attributed to him. So is what is done with an access key that somebody made for another, and in a
session of an uploader's role by somebody who came in after its trust was changed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Final, TypeVar

from custody.core.ledger.controls import is_explained, is_ours, names_role, touches
from custody.core.ledger.kinds.defects import DatedDefect, Outage, trail_row
from custody.core.ledger.policy import Policy
from custody.core.ledger.rows import LedgerRow
from custody.core.trail.events import TrailEvent
from custody.core.trail.management_events import (
    CatalogChanged,
    CredentialsMade,
    LifecycleSet,
    ManagementEvent,
    RoleAssumed,
    TrailSwitched,
    merge_calls,
)

_JUST_BEFORE: Final = timedelta(hours=1)
"""The last digest of a chain may end this long after the call that ended it."""

_AnyCall = TypeVar("_AnyCall", TrailEvent, ManagementEvent)


def may_concern(delivery: ManagementEvent, policy: Policy) -> bool:
    """Whether a delivery is of a call that `concerns` us, or adds what another one left out."""
    return delivery.amended or concerns(delivery, policy)


def concerns(call: ManagementEvent, policy: Policy) -> bool:
    """Whether a call is about a role of the platform, its trail, its database or its buckets,
    changes a control of it, or makes credentials of somebody who may work with it."""
    changed = call.control is not None and touches(call.control, policy)
    return changed or _is_about_us(call, policy)


def _is_about_us(call: ManagementEvent, policy: Policy) -> bool:
    match call.about:
        case RoleAssumed(role_arn=role):
            return role in policy.assumed_by or role in policy.writers.get("bronze", ())
        case CredentialsMade(user=user):
            return is_ours(user or call.who.arn, "user", policy)
        case TrailSwitched(trail=trail):
            return trail == policy.trail
        case CatalogChanged(database=database):
            return database == policy.database
        case LifecycleSet(bucket=bucket):
            return bucket in policy.layers
    return False


def calls_of(
    deliveries: Iterable[ManagementEvent], policy: Policy
) -> tuple[list[ManagementEvent], Mapping[str, ManagementEvent]]:
    """The calls about the platform, each once and attributed, and `undeclared_sessions`."""
    calls = [call for call in merge_calls(deliveries) if concerns(call, policy)]
    sessions = undeclared_sessions(calls, policy)
    return [attribute(call, sessions) for call in calls], sessions


def undeclared_sessions(
    calls: Iterable[ManagementEvent], policy: Policy
) -> dict[str, ManagementEvent]:
    """The access keys with which somebody may not act as the one they are of: the call that gave
    each, by key. A proven call counts before an unproven one.

    Those are the sessions of the platform's roles that somebody started who may not assume the
    role, the keys that somebody made for a user of ours who is not he, and the sessions of an
    uploader's role since somebody changed who may take it; and what was got with any of these.
    """
    calls = sorted(calls, key=lambda c: (not c.proven, c.time, c.event_id))
    changed = [call for call in calls if _opens_a_role(call, policy)]
    sessions: dict[str, ManagementEvent] = {}
    known = -1
    while known < len(sessions):  # CloudTrail tells whole seconds: one may be got before its time
        known = len(sessions)
        _add_sessions(sessions, calls, changed, policy)
    return sessions


def _add_sessions(
    sessions: dict[str, ManagementEvent],
    calls: Sequence[ManagementEvent],
    changed: Sequence[ManagementEvent],
    policy: Policy,
) -> None:
    """Add those that follow from what is known of other sessions."""
    for call in calls:
        match call.about:
            case RoleAssumed(role_arn=role, access_key_id=key):
                taken_with = call.who.access_key_id
                if taken_with in sessions or _may_not_assume(call, role, changed, policy):
                    sessions.setdefault(key, call)
            case CredentialsMade(user=str(), access_key_id=key):
                if not is_explained(call, policy):
                    sessions.setdefault(key, call)
            case CredentialsMade(user=None, access_key_id=key):
                if call.who.access_key_id in sessions:
                    sessions.setdefault(key, call)


def _may_not_assume(
    call: ManagementEvent, role: str, changed: Sequence[ManagementEvent], policy: Policy
) -> bool:
    """Whether the one who took a role may not: of an uploader's, since it was opened."""
    if call.who.is_service:
        return False
    if role in policy.assumed_by:
        return not call.who.is_one_of(policy.assumed_by[role])
    return any(
        change.control is not None and names_role(change.control, role) and change.time <= call.time
        for change in changed
    )


def _opens_a_role(call: ManagementEvent, policy: Policy) -> bool:
    return (
        call.control is not None
        and (call.control.thing, call.control.aspect) == ("role", "trust")
        and not is_explained(call, policy)
    )


def attribute(call: _AnyCall, sessions: Mapping[str, ManagementEvent]) -> _AnyCall:
    """The call as that of whoever assumed the role it was made as.

    A session may have been started in another one of `sessions`: the first principal counts. The
    call is proven if all these calls are.
    """
    who, proven, passed = call.who, call.proven, set[str]()
    while (key := who.access_key_id) is not None and key in sessions and key not in passed:
        passed.add(key)
        who, proven = sessions[key].who, proven and sessions[key].proven
    if not passed:
        return call
    return replace(call, who=replace(who, acting_as=call.who.arn), proven=proven)


def who_switched(
    outage: Outage, calls: Iterable[ManagementEvent], policy: Policy
) -> ManagementEvent | None:
    """The proven call that explains an outage of the trail, None if there is none.

    That is the last one before its end that switched anything off, and was not undone before it
    began. Where that one is not proven, as may be when validation is what was switched off, nobody
    is named: who switched it on again may have repaired it.
    """
    ours = next(bucket for bucket, layer in policy.layers.items() if layer == "trail")
    switched = [
        (call, sets)
        for call in calls
        if call.proven
        and isinstance(call.about, TrailSwitched)
        and call.about.trail == policy.trail
        and (sets := _sets(call.about, ours))
    ]
    until, since = outage.until or policy.as_of, outage.since
    off = [
        call
        for call, sets in switched
        if call.time <= until
        and (since is None or call.time >= since - _JUST_BEFORE)
        and any(
            not on
            and not any(
                then.get(what) and call.time < later.time and (since is None or later.time <= since)
                for later, then in switched
            )
            for what, on in sets.items()
        )
    ]
    return max(off, key=lambda call: (call.time, call.event_id), default=None)


def trail_rows(
    defects: Iterable[DatedDefect],
    calls: Sequence[ManagementEvent],
    touched: Mapping[tuple[str, str], TrailEvent],
    policy: Policy,
) -> list[LedgerRow]:
    """The row of each defect, with the call behind it: of an outage, the one that switched the
    trail; else the last event that `touched` the object (bucket and key)."""
    return [
        trail_row(
            defect,
            policy,
            (defect.outage and who_switched(defect.outage, calls, policy))
            or touched.get((defect.bucket, defect.key)),
        )
        for defect in defects
    ]


def _sets(switch: TrailSwitched, bucket: str) -> dict[str, bool]:
    """What a call switches on or off."""
    switched = {
        "logging": switch.logging,
        "validation": switch.validation,
        "regions": switch.multi_region,
        "delivery": _delivers(switch, bucket),
    }
    return {what: on for what, on in switched.items() if on is not None}


def _delivers(switch: TrailSwitched, bucket: str) -> bool | None:
    """Whether a call has the trail deliver where it was deployed to, under no prefix."""
    if switch.bucket is None and switch.prefix is None:
        return None
    return switch.bucket in (None, bucket) and not switch.prefix
