"""Which changes of controls may have led to a finding: its named causes.

Both sides are rows of the ledger, so that the job that judges and the page that tells of it agree.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Final

from custody.core.ledger import reasons
from custody.core.ledger.rows import CONTROL, LedgerRow
from custody.core.ledger.verdicts import SETTLED, Verdict

EARLIER: Final = timedelta(hours=6)
"""How long before a finding a control may have been changed: more than a run looks back."""

LATER: Final = timedelta(hours=1)
"""How long after: what an object was announced with may be lost while it waits."""

MAX_TOLD: Final = 8
"""Controls that a reason names one by one."""

_RECORDING: Final = frozenset(
    {
        Verdict.UNRECORDED,
        Verdict.UNWITNESSED,
        Verdict.CONFLICT,
        Verdict.BAD_SIGNATURE,
        Verdict.ALTERED,
    }
)
"""What comes of a record that was not made, or not by the recorder."""

_LOGGING: Final = frozenset({Verdict.TRAIL_BROKEN, Verdict.UNWITNESSED})
"""What comes of a trail that does not see, or is not whole."""

_ANY: Final = frozenset(Verdict) - SETTLED

_LEADS_TO: Final[Mapping[str, frozenset[Verdict]]] = {
    "alias": _RECORDING,
    "function": _RECORDING,
    "group": _ANY,
    "job": _RECORDING,
    "key": _RECORDING | _LOGGING,
    "policy": _ANY,
    "queue": _RECORDING,
    "role": _ANY,
    "trail": _LOGGING,
    "user": _ANY,
}
"""What may come of changing a thing of a kind. All others lead to nothing that is judged."""

_OF_LAYER: Final[Mapping[str, frozenset[Verdict]]] = {
    "provenance": _RECORDING,
    "trail": _LOGGING,
}
"""What may come of changing a bucket beside findings about what lies in it."""


def may_have_led_to(change: LedgerRow, finding: LedgerRow) -> bool:
    """Whether a change of a control may be behind a finding: by what it is about, and its time."""
    if finding.verdict in {Verdict.CONTROL_CHANGED, *SETTLED}:
        return False
    if not -EARLIER <= change.event_time - finding.event_time <= LATER:
        return False
    if change.bucket != CONTROL:  # of an object version that was altered in place
        return (change.bucket, change.object_key) == (finding.bucket, finding.object_key)
    _, thing, name, *_ = (*change.object_key.split("/"), "", "")
    if thing == "bucket":
        beside = _OF_LAYER.get(change.pipeline_layer or "", frozenset())
        return name in (finding.bucket, "*") or finding.verdict in beside
    return finding.verdict in _LEADS_TO.get(thing, frozenset())


def causes_of(finding: LedgerRow, changed: Sequence[LedgerRow]) -> list[LedgerRow]:
    """The changes of controls that may have led to a finding, in order of time."""
    found = (change for change in changed if may_have_led_to(change, finding))
    return sorted(found, key=lambda change: (change.event_time, change.fingerprint))


def nearest(finding: LedgerRow, causes: Sequence[LedgerRow], most: int) -> list[LedgerRow]:
    """The causes whose times are nearest to the finding's, in the order they had."""
    by_distance = sorted(causes, key=lambda cause: abs(cause.event_time - finding.event_time))
    kept = {cause.fingerprint for cause in by_distance[:most]}
    return [cause for cause in causes if cause.fingerprint in kept]


def with_causes(row: LedgerRow, changed: Sequence[LedgerRow]) -> LedgerRow:
    """The row, whose reason names the controls, the nearest one by one, and who changed each.

    However often somebody changed a control, the call nearest to the row is told.
    """
    calls: defaultdict[tuple[str | None, str], list[LedgerRow]] = defaultdict(list)
    for cause in causes_of(row, changed):
        calls[cause.principal_arn, cause.object_key].append(cause)
    if not calls:
        return row
    told = [
        (cause, len(calls[cause.principal_arn, cause.object_key]))
        for cause in nearest(row, [nearest(row, some, 1)[0] for some in calls.values()], MAX_TOLD)
    ]
    return replace(row, verdict_reason=row.verdict_reason + reasons.of_causes(told, len(calls)))
