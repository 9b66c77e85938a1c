"""What is wrong with the seal, as rows of the ledger.

A log that went back or was rewritten is a `CONFLICT`: its key has signed two histories. So is one
of which a cosigner knows another history. A file of it that is missing, changed or not signed is a
`BAD_SIGNATURE`: what is there is not what the key vouches for. A log that no quorum of cosigners
has signed lately is `UNCOSIGNED`: nobody outside can say that all are shown the same one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from custody.core.ledger import reasons
from custody.core.ledger.policy import Policy
from custody.core.ledger.rows import LedgerRow, proven_only, row_of_call
from custody.core.ledger.verdicts import Verdict
from custody.core.seal.check import SealDefect, SealDefectKind
from custody.core.trail.events import TrailEvent
from custody.objects import ObjectVersion

VERDICTS: Final[Mapping[SealDefectKind, Verdict]] = {
    SealDefectKind.ROLLBACK: Verdict.CONFLICT,
    SealDefectKind.FORK: Verdict.CONFLICT,
    SealDefectKind.BAD_CHECKPOINT: Verdict.BAD_SIGNATURE,
    SealDefectKind.BAD_TILE: Verdict.BAD_SIGNATURE,
    SealDefectKind.BAD_MEMORY: Verdict.BAD_SIGNATURE,
    SealDefectKind.OTHER_HISTORY: Verdict.CONFLICT,
    SealDefectKind.UNCOSIGNED: Verdict.UNCOSIGNED,
}


def seal_row(
    defect: SealDefect, version: ObjectVersion, policy: Policy, call: TrailEvent | None
) -> LedgerRow:
    """The row of one defect of the seal, about the object `version` that stands there now.

    A new defect is a new version, and so another defect. `call` is the latest event of somebody
    other than the sealing role touching the object.
    """
    call = proven_only(call)
    row = row_of_call(
        VERDICTS[defect.kind],
        reasons.of_seal_defect(defect.kind.value, defect.reason, call),
        version,
        time=policy.as_of,
        policy=policy,
        call=call,
    )
    return replace(row, record_key=None)
