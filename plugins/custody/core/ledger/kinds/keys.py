"""Rows of the deployment's own keys that cannot be used: one a key, however much is encrypted under
it. What lies under it is not judged by that, and nobody is named: who switched a key off is in the
trail, as a row of his call."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from custody.core.ledger import reasons
from custody.core.ledger.policy import Policy
from custody.core.ledger.rows import CONTROL, LedgerRow, row_of_call
from custody.core.ledger.verdicts import Verdict
from custody.objects import UNVERSIONED, ObjectVersion


@dataclass(frozen=True, slots=True)
class KeyAway:
    """A KMS key of the deployment's own (its id) for which S3 does not hand out what is encrypted
    under it, and S3's `answer`."""

    key_id: str
    answer: str


def key_row(away: KeyAway, policy: Policy, *, time: datetime) -> LedgerRow:
    """The row, dated `time`, of a key of the deployment's own that cannot be used."""
    return row_of_call(
        Verdict.CONTROL_CHANGED,
        reasons.of_key_away(away.answer),
        ObjectVersion(CONTROL, f"kms/key/{away.key_id}/state", UNVERSIONED),
        time=time,
        policy=policy,
        call=None,
    )
