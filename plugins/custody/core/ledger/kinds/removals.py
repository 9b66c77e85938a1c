"""Decide which removals are a finding, and which call is behind one that was found at rest."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from custody.core.ledger.policy import Policy
from custody.core.trail.events import TrailEvent
from custody.core.trail.management_events import ManagementEvent
from custody.core.trail.principals import Call


class RemovalGround(StrEnum):
    """What the trail shows of how something was removed."""

    NAMED_BY_CALL = "a call names it"
    BATCH_CALL = "a call that names nothing may have been it"
    UNPROVEN_CALL = "only an unproven call may have been it"
    LIFECYCLE_RULES = "no call can have been it, and somebody set the bucket's lifecycle rules"
    UNKNOWN = "no event shows it"


@dataclass(frozen=True, slots=True)
class Removal:
    """How something was removed: the `call` that did it, or set the rules by which S3 may have,
    or is not proven; None if it is not known. `possible` are all calls that may have been it."""

    ground: RemovalGround
    call: Call | None = None
    possible: tuple[Call, ...] = ()

    @property
    def proven_call(self) -> Call | None:
        """The call to name in the row: an unproven one may be invented, and who set the rules by
        which S3 removes things has not removed this one. They name nobody."""
        if self.ground is RemovalGround.LIFECYCLE_RULES:
            return None
        return self.call if self.call is not None and self.call.proven else None


@dataclass(frozen=True, slots=True)
class RemovalCalls:
    """The calls that may have removed one thing, each in order of time: `named` are those that
    name it, `unnamed` those that name nothing, `rules` those that set the bucket's lifecycle
    rules."""

    named: Sequence[TrailEvent]
    unnamed: Sequence[TrailEvent]
    rules: Sequence[ManagementEvent]


def is_working_file(key: str) -> bool:
    """Whether a key is one that Spark clears away itself: its working folder, a folder marker.

    No part file that holds published rows lies in a folder of this name.
    """
    return "/_temporary/" in key or key.endswith(("/", "_$folder$"))


def is_expected_removal(event: TrailEvent, policy: Policy) -> bool:
    """Whether an event gives no row: a layer's writer clearing its working files, an object hidden
    of a run that had expired, by whom that is for, or nothing named.

    `DeleteObjects` names no keys: what it removed is found by comparing versions (the audit).
    """
    if event.key is None or not policy.has_bucket(event.bucket):
        return True
    if event.delete_marker and event.who.is_one_of(policy.expirers):
        return policy.has_expired(event.bucket, event.key, event.time)
    return is_working_file(event.key) and event.who.is_one_of(
        policy.writers_of(event.bucket, event.key)
    )


def decide_removal(
    bucket: str, key: str, calls: RemovalCalls, policy: Policy, *, expired: bool = False
) -> Removal | None:
    """Decide how an object version that is missing or hidden was removed.

    None for a working file that its layer's writer cleared away, and for what was hidden of a run
    that had `expired`, unless a call shows that it was by somebody else. Of calls that name it, the
    latest by somebody who is no declared writer counts. A call that names nothing is only a
    possible one: nobody is named for it.
    """
    writers = policy.writers_of(bucket, key)
    named = [call for call in calls.named if call.proven]
    candidates = named or [call for call in calls.unnamed if call.proven]
    declared = [call for call in candidates if call.who.is_one_of(writers)]
    cleared = is_working_file(key) and writers and (declared or not candidates)
    if cleared or (expired and all(call.who.is_one_of(policy.expirers) for call in named)):
        return None
    undeclared = [call for call in candidates if not call.who.is_one_of(writers)]
    if named:
        return Removal(RemovalGround.NAMED_BY_CALL, (undeclared or candidates)[-1])
    if candidates:
        return Removal(RemovalGround.BATCH_CALL, possible=tuple(candidates))
    unproven = calls.named or calls.unnamed
    if unproven:
        return Removal(RemovalGround.UNPROVEN_CALL, unproven[-1])
    set_last = next((rule for rule in reversed(calls.rules) if rule.proven), None)
    if set_last is not None:
        return Removal(RemovalGround.LIFECYCLE_RULES, set_last)
    return Removal(RemovalGround.UNKNOWN)
