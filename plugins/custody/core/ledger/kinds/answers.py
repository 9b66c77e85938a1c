"""Rows about people's answers to findings: those that must not be believed.

One that the key did not sign, that was altered, moved or made in advance, is a `BAD_SIGNATURE`
about its own object. One that was put there by somebody else than it names is a `CONFLICT`: the
trail was told by nobody. Who may not write there at all is found as such, by the event alone.
"""

from __future__ import annotations

from custody.core.answers.model import ANSWER_PREFIX, Answer
from custody.core.answers.statement import StoredAnswer
from custody.core.ledger.policy import Policy
from custody.core.ledger.rows import LedgerRow, proven_only, row_of_call
from custody.core.ledger.verdicts import Verdict
from custody.core.trail.events import TrailEvent
from custody.core.trail.principals import Principal


def is_answer(event: TrailEvent, policy: Policy) -> bool:
    """Whether the event is a write among the answers."""
    return (
        event.is_write
        and policy.layers.get(event.bucket) == "provenance"
        and event.key is not None
        and event.key.startswith(ANSWER_PREFIX)
    )


def answer_row(
    read: StoredAnswer, write: TrailEvent | None, policy: Policy, *, airflow: str
) -> LedgerRow | None:
    """The row of an answer that must not be believed, None for any other; `write` is the trail's
    event of its writing, `airflow` the role that may answer for others, whom Airflow knows."""
    write = proven_only(write)
    if read.answer is None:
        verdict, reason = Verdict.BAD_SIGNATURE, f"This answer must not be believed: {read.trouble}"
        reason += f"; it was written by {write.who.described}." if write else "."
    elif write is None or _is_by(write.who, read.answer, airflow):
        return None
    else:
        verdict = Verdict.CONFLICT
        told, claimed = write.who.described, read.answer.who
        reason = f"CloudTrail says {told} wrote this answer, it says {claimed} did."
    return row_of_call(
        verdict,
        reason,
        read.version,
        time=write.time if write else read.stored_at,
        policy=policy,
        call=write,
    )


def _is_by(who: Principal, answer: Answer, airflow: str) -> bool:
    """Whether `who` is whom an answer names. Airflow's role alone speaks for somebody else, and of
    it the session says nothing."""
    if answer.by == airflow:
        return who.is_one_of((airflow,))
    return who.arn == answer.by and not answer.user
