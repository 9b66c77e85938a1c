"""What the answers of cosigners, or their silence, say of the seal."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final

from custody.core.formats.untrusted import MalformedInput
from custody.core.seal.check import COSIGNED, SealDefect, SealDefectKind
from custody.core.tlog.policy import CosigningPolicy
from custody.core.tlog.quorum import cosigned, moment
from custody.core.tlog.witness_protocol import Answer

QUORUM_GRACE: Final = timedelta(hours=36)
"""The log is sealed once a day. The first seal without a quorum is no defect, as somebody may be
away for an hour; the second in a row is: then no quorum has seen the log for a day."""


def other_history(answers: Mapping[str, Answer]) -> SealDefect | None:
    """The defect of a log of which a cosigner has signed what it does not begin with.

    Like `lapse`, it is about the last checkpoint that had a quorum: since then it is so.
    """
    refused = [
        f"{name} refuses it: {answer.trouble}"
        for name, answer in answers.items()
        if answer.other_history
    ]
    if not refused:
        return None
    return SealDefect(SealDefectKind.OTHER_HISTORY, COSIGNED, "; ".join(refused))


def lapse(
    last: bytes | None, policy: CosigningPolicy, answers: Mapping[str, Answer], now: datetime
) -> SealDefect | None:
    """The defect of a log without a quorum `now`, if it has been without one for too long.

    `last` is the last checkpoint that had one, None if there never was any; `answers` are those of
    who was asked.
    """
    since = _complete_since(last, policy, now)
    if since is not None and now - since <= QUORUM_GRACE:
        return None
    how_long = f"the last was complete at {moment(since)}" if since else "there never was one"
    said = f"the policy asks for {policy.asks_for}; {how_long}"
    silent = [
        f"{name} did not sign: {answer.trouble}"
        for name, answer in answers.items()
        if answer.trouble is not None
    ]
    return SealDefect(SealDefectKind.UNCOSIGNED, COSIGNED, "; ".join([said, *silent]))


def _complete_since(note: bytes | None, policy: CosigningPolicy, now: datetime) -> datetime | None:
    if note is None:
        return None
    try:
        return cosigned(note, policy, now).complete_since
    except MalformedInput:
        return None
