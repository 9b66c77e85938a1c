"""What is wrong with the seal, as rows of the ledger.

A log that went back or was rewritten is a ``CONFLICT``: its key has signed two histories. A file of
it that is missing, changed or not signed is a ``BAD_SIGNATURE``: what is there is not what the key
vouches for.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from custody.core.ledger.policy import Policy
from custody.core.ledger.rows import LedgerRow, row_of_call
from custody.core.ledger.verdicts import Verdict
from custody.core.seal.check import SealDefect, SealDefectKind
from custody.core.trail.events import TrailEvent

VERDICTS: Final[Mapping[SealDefectKind, Verdict]] = {
    SealDefectKind.ROLLBACK: Verdict.CONFLICT,
    SealDefectKind.FORK: Verdict.CONFLICT,
    SealDefectKind.BAD_CHECKPOINT: Verdict.BAD_SIGNATURE,
    SealDefectKind.BAD_TILE: Verdict.BAD_SIGNATURE,
    SealDefectKind.BAD_MEMORY: Verdict.BAD_SIGNATURE,
}


def seal_row(
    defect: SealDefect,
    policy: Policy,
    *,
    bucket: str,
    key: str,
    version_id: str,
    culprit: TrailEvent | None,
) -> LedgerRow:
    """The row of one defect of the object version that stands there now.

    A new defect is a new version, and so another finding. ``culprit`` is the latest event of
    somebody else than the sealing role touching the object; one that no digest vouches for may be
    invented, and accuses nobody.
    """
    if culprit is not None and not culprit.proven:
        culprit = None
    reason = f"The seal does not hold: {defect.kind.value} ({defect.reason})."
    if culprit is not None:
        called = f"{culprit.who.arn} called {culprit.name} on it"
        reason = f"{reason[:-1]}; {called} at {culprit.time:%Y-%m-%d %H:%M:%S}."
    row = row_of_call(
        VERDICTS[defect.kind],
        reason,
        bucket=bucket,
        key=key,
        version_id=version_id,
        time=policy.as_of,
        policy=policy,
        culprit=culprit,
    )
    return replace(row, record_key=None)
