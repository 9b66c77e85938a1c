"""Which changes of controls may have led to a finding: its named causes.

Both sides are rows of the ledger, so that the job that judges and the page that tells of it agree.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
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

MAX_BESIDE: Final = 50
"""Changes of controls that one finding has beside it: as many as one page has room for."""

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

_LED_TO_BY_NOTHING: Final = frozenset({Verdict.CONTROL_CHANGED, *SETTLED})

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


@dataclass(frozen=True, slots=True)
class _Reach:
    """What a change of a control may lead to: findings of these verdicts, and any about what lies
    in `bucket` (`*`: in any); of an object that was altered in place, those about it alone."""

    verdicts: frozenset[Verdict] = frozenset()
    bucket: str | None = None
    object_key: str | None = None

    def has(self, finding: LedgerRow) -> bool:
        if finding.verdict in _LED_TO_BY_NOTHING:
            return False
        if self.object_key is not None:
            return (self.bucket, self.object_key) == (finding.bucket, finding.object_key)
        return self.bucket in (finding.bucket, "*") or finding.verdict in self.verdicts


def _reach_of(change: LedgerRow) -> _Reach:
    if change.bucket != CONTROL:
        return _Reach(bucket=change.bucket, object_key=change.object_key)
    _, thing, name, *_ = (*change.object_key.split("/"), "", "")
    if thing == "bucket":
        return _Reach(_OF_LAYER.get(change.pipeline_layer or "", frozenset()), name)
    return _Reach(_LEADS_TO.get(thing, frozenset()))


def may_have_led_to(change: LedgerRow, finding: LedgerRow) -> bool:
    """Whether a change of a control may be behind a finding: by what it is about, and its time."""
    around = -EARLIER <= change.event_time - finding.event_time <= LATER
    return around and _reach_of(change).has(finding)


def causes_of(finding: LedgerRow, changed: Sequence[LedgerRow]) -> list[LedgerRow]:
    """The changes of controls that may have led to a finding, in order of time."""
    if finding.verdict in _LED_TO_BY_NOTHING:  # as nearly all rows, each beside all changes
        return []
    found = (change for change in changed if may_have_led_to(change, finding))
    return sorted(found, key=_in_order)


def nearest(finding: LedgerRow, causes: Sequence[LedgerRow], most: int) -> list[LedgerRow]:
    """The causes whose times are nearest to the finding's, in the order they had."""
    by_distance = sorted(causes, key=lambda cause: abs(cause.event_time - finding.event_time))
    kept = {cause.fingerprint for cause in by_distance[:most]}
    return [cause for cause in causes if cause.fingerprint in kept]


def beside(
    findings: Iterable[LedgerRow], changed: Iterable[LedgerRow]
) -> dict[str, list[LedgerRow]]:
    """The changes of controls that belong to each of `findings` that has any, by its fingerprint:
    those nearest to it that may have led to it, `MAX_BESIDE` at most, in order of time.

    They are told with it. A change that belongs to no finding is told by itself, as one.
    """
    alike = defaultdict[_Reach, list[LedgerRow]](list)
    for change in sorted(changed, key=_in_order):
        alike[_reach_of(change)].append(change)
    # A thousand changes around a thousand findings are few kinds, each asked once: but those of
    # objects are as many as there are objects.
    kinds = [reach for reach in alike if reach.object_key is None]
    found = {}
    for finding in findings:
        own = _Reach(bucket=finding.bucket, object_key=finding.object_key)
        near = [
            change
            for reach in (*kinds, own)
            if reach in alike and reach.has(finding)
            for change in _around(finding, alike[reach])
        ]
        if near:
            near.sort(key=_in_order)
            found[finding.fingerprint] = nearest(finding, near, MAX_BESIDE)
    return found


def _around(finding: LedgerRow, changes: Sequence[LedgerRow]) -> Sequence[LedgerRow]:
    """Those of `changes`, in order of time, whose time lets them be behind a finding: of many, the
    last before it and the first after."""
    at = finding.event_time
    first, middle, last = (
        bisect_left(changes, at - EARLIER, key=_time),
        bisect_left(changes, at, key=_time),
        bisect_right(changes, at + LATER, key=_time),
    )
    return changes[max(first, middle - MAX_BESIDE) : min(last, middle + MAX_BESIDE)]


def _time(change: LedgerRow) -> datetime:
    return change.event_time


def _in_order(change: LedgerRow) -> tuple[datetime, str]:
    return change.event_time, change.fingerprint


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
