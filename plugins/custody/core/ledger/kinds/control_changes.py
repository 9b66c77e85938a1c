"""Rows of controls that somebody changed who is not the deployment.

A row is about the control, not about an object: its bucket is `AwsControl`, which is no bucket's
name, and its key the service, the kind of thing, its name and the aspect of it. What was altered of
an object version in place is a row about that version.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime

from custody.core.calls.kinds import USE
from custody.core.ledger import reasons
from custody.core.ledger.controls import is_deployment, is_explained, ours_of, own_roles, touches
from custody.core.ledger.policy import Policy
from custody.core.ledger.rows import (
    CONTROL,
    LedgerRow,
    fingerprint,
    row_of_call,
    row_of_request,
)
from custody.core.ledger.verdicts import Verdict
from custody.core.trail.control_changes import ControlChange
from custody.core.trail.events import TrailEvent
from custody.core.trail.management_events import CatalogChanged, ManagementEvent
from custody.objects import UNVERSIONED, ObjectVersion


def control_rows(calls: Sequence[ManagementEvent], policy: Policy) -> Iterator[LedgerRow]:
    """The row of each control of ours that one of `calls` (in order of time) changed, and that
    neither the deployment nor its declared writer did. A role of ours that a call gave to
    something else is a control by itself.

    Changes of tables and partitions have rows of their own.
    """
    last: dict[str, ManagementEvent] = {}
    for call in calls:
        change = call.control
        if change is None or isinstance(call.about, CatalogChanged) or not touches(change, policy):
            continue
        for changed, name in _each_of_ours(change, policy):
            control = "/".join(filter(None, (change.service, changed.thing, name, changed.aspect)))
            before, last[control] = last.get(control), call
            if not is_explained(call, policy):
                yield _row(call, changed, control, name, before, policy)


def settings_row(
    parameter: str, differing: Sequence[str], version: int, time: datetime, policy: Policy
) -> LedgerRow:
    """The row of settings in a parameter that are not those deployed: `differing` are the names of
    them, none if there is no such parameter or if nobody may read it. Who wrote them is not known
    from that; each `version` of the parameter is a finding of its own."""
    reason = reasons.of_other_settings(differing)
    control = f"ssm/parameter{parameter}"
    return standing_row(control, reason, version=f"version {version}", time=time, policy=policy)


def standing_row(
    control: str, reason: str, *, version: str, time: datetime, policy: Policy
) -> LedgerRow:
    """The row of a control that stands otherwise than deployed, by whomever; each `version` of how
    it stands is a finding of its own."""
    about = ObjectVersion(CONTROL, control, UNVERSIONED)
    row = row_of_call(Verdict.CONTROL_CHANGED, reason, about, time=time, policy=policy, call=None)
    named = replace(about, version_id=version)
    return replace(row, fingerprint=fingerprint(Verdict.CONTROL_CHANGED, named))


def without_known(differences: Sequence[LedgerRow], known: Sequence[LedgerRow]) -> list[LedgerRow]:
    """The rows of controls that stand otherwise than deployed, but for those of which `known`, the
    rows of calls, has one: that one names somebody, or will when its log file is proven."""
    told = {row.object_key for row in known}
    return [row for row in differences if row.object_key not in told]


def altered_in_place(event: TrailEvent, policy: Policy) -> Iterator[LedgerRow]:
    """The row of a call that altered an object version in place; nobody but the deployment is
    declared to."""
    if event.key is None or is_deployment(event.who, policy):
        return
    if not event.who.is_service:
        yield row_of_request(
            _verdict(proven=event.proven),
            reasons.of_altered_version(event),
            ObjectVersion(event.bucket, event.key, event.version_id or UNVERSIONED),
            policy=policy,
            call=event,
        )


def _row(
    call: ManagementEvent,
    change: ControlChange,
    control: str,
    name: str,
    before: ManagementEvent | None,
    policy: Policy,
) -> LedgerRow:
    row = row_of_request(
        _verdict(proven=call.proven),
        reasons.of_control_change(call, change, name, before),
        ObjectVersion(CONTROL, control, UNVERSIONED),
        policy=policy,
        call=call,
    )
    layer = policy.layers.get(name) if change.thing == "bucket" else None
    return replace(row, pipeline_layer=layer or row.pipeline_layer)


def _verdict(*, proven: bool) -> Verdict:
    return Verdict.CONTROL_CHANGED if proven else Verdict.PENDING


def _each_of_ours(change: ControlChange, policy: Policy) -> Iterator[tuple[ControlChange, str]]:
    """Each thing of ours that a call changed, and what it is called: `*` for any, where the call
    does not say. Else each role of ours that it gave to what is not ours."""
    if change.names:
        names = dict.fromkeys(_short(name, change.thing) for name in ours_of(change, policy))
    else:
        names = dict.fromkeys(["*"] if change.names is None else [""])
    if names:
        yield from ((change, name) for name in names)
        return
    given = replace(change, thing="role", aspect=USE)
    roles = dict.fromkeys(_short(role, "role") for role in own_roles(change, policy))
    yield from ((given, role) for role in roles)


def _short(name: str, thing: str) -> str:
    """The name of a thing without what all ARNs, URLs and paths have before it."""
    if "://" in name:
        name = name.rpartition("/")[2]
    elif name.startswith("arn:"):
        name = name.split(":", 5)[-1]
    name = name.removeprefix(f"{thing}/").removeprefix(f"{thing}:").strip("/")
    return name.partition("/")[0] if thing == "stack" else name  # behind it stands an id
