"""Rows about statements that a run expires: those that must not be believed, and those that a
publication contradicts.

By neither is anything removed, nor a removal explained (`kinds.removals`). Who may not write there
at all is found as such, by the event alone.
"""

from __future__ import annotations

from custody.core.ledger.policy import Policy
from custody.core.ledger.rows import LedgerRow, row_of_call
from custody.core.ledger.verdicts import Verdict
from custody.core.publications.expiry import Objection
from custody.core.publications.expiry_statement import StoredExpiry


def expiry_row(read: StoredExpiry, objection: Objection | None, policy: Policy) -> LedgerRow | None:
    """The row of a statement, given what the publications object to it; None for an honest one."""
    if read.expiry is None:
        verdict, why = Verdict.BAD_SIGNATURE, read.trouble
    elif objection is not None:
        verdict, why = Verdict.CONFLICT, str(objection)
    else:
        return None
    return row_of_call(
        verdict,
        f"By this statement no run expires: {why}.",
        read.version,
        time=policy.as_of,
        policy=policy,
        call=None,
    )
