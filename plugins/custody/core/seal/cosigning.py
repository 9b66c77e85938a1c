"""What the answers of cosigners, or their silence, say of the seal."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final

from custody.core.formats.untrusted import MalformedInput
from custody.core.seal.check import COSIGNED, SealDefect, SealDefectKind
from custody.core.tlog.policy import CosigningPolicy
from custody.core.tlog.quorum import Cosigned, cosigned, moment
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
    last: bytes | None,
    policy: CosigningPolicy,
    found: Cosigned | None,
    answers: Mapping[str, Answer],
    now: datetime,
) -> SealDefect | None:
    """The defect of a log that has been without a quorum for too long `now`.

    `last` is the last checkpoint that had one, None if there never was any; `found` is what the
    signatures under the present one are worth, None if nobody was asked for them, and `answers`
    what those said who were.
    """
    if found is not None and found.is_met:
        return None
    since = _complete_since(last, policy, now)
    if since is not None and now - since <= QUORUM_GRACE:
        return None
    how_long = f"the last was complete at {moment(since)}" if since else "there never was one"
    said = [
        f"the policy asks for {policy.asks_for}",
        how_long,
        *(found.faults if found is not None else ()),
        *(f"{name} did not sign: {each.trouble}" for name, each in answers.items() if each.trouble),
    ]
    return SealDefect(SealDefectKind.UNCOSIGNED, COSIGNED, "; ".join(said))


def _complete_since(note: bytes | None, policy: CosigningPolicy, now: datetime) -> datetime | None:
    if note is None:
        return None
    try:
        return cosigned(note, policy, now).complete_since
    except MalformedInput:
        return None
