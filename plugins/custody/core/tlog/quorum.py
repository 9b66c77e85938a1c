"""Which cosigners of a policy have signed a checkpoint, and whether they are enough."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from custody.core.tlog.policy import CosigningPolicy
from custody.core.tlog.signed_note import (
    BadNote,
    NoteSignature,
    open_note,
    put_together,
    take_apart,
)

CLOCKS_DIFFER: Final = timedelta(minutes=5)
"""A cosignature of a later time than this from now is not counted: no checkpoint stays fresh."""


@dataclass(frozen=True)
class Cosigned:
    """What the signatures under a checkpoint are worth by a policy.

    `times` says when each cosigner signed, by the policy's name of it. Any of `faults` makes the
    checkpoint one that the policy does not accept, whoever else signed it.
    """

    policy: CosigningPolicy
    times: Mapping[str, datetime]
    faults: tuple[str, ...]

    @property
    def is_met(self) -> bool:
        """Whether the policy accepts the checkpoint."""
        return not self.faults and self.policy.is_met_by(self.times)

    @property
    def complete_since(self) -> datetime | None:
        """The latest time such that those who signed then or later are a quorum; None without a
        quorum, or if the policy asks for none."""
        later = set[str]()
        for name in sorted(self.times, key=lambda name: self.times[name], reverse=True):
            later.add(name)
            if self.is_met and self.policy.is_met_by(later):
                return self.times[name]
        return None

    @property
    def in_words(self) -> str:
        """Who signed and when, and what the policy asks for."""
        who = ", ".join(
            f"{name} at {moment(self.times[name])}" if name in self.times else f"not by {name}"
            for name in self.policy.cosigners
        )
        said = f"the policy asks for {self.policy.asks_for}; cosigned by {who or 'nobody'}"
        return "; ".join([said, *self.faults])


def cosigned(raw: bytes, policy: CosigningPolicy, now: datetime) -> Cosigned:
    """What the signatures under the checkpoint `raw` are worth at `now`.

    That it is a checkpoint, and of which log, is not looked at. Raises `MalformedInput` for what is
    no note.
    """
    text, signatures = take_apart(raw)
    times = dict[str, datetime]()
    faults = []
    if policy.logs:
        try:
            open_note(raw, policy.logs)
        except BadNote as error:
            faults.append(f"none of the logs of the policy signed it: {error}")
    for cosigner in policy.cosigners.values():
        for each in signatures:
            if each.key != (cosigner.key.name, cosigner.key.key_id):
                continue
            time = cosigner.key.time_of(each.data, text)
            if time is None:
                faults.append(f"the cosignature of {cosigner.name} does not match the checkpoint")
            elif time > now + CLOCKS_DIFFER:
                faults.append(
                    f"the cosignature of {cosigner.name} is of {moment(time)}, later than now"
                )
            else:
                times[cosigner.name] = max(time, times.get(cosigner.name, time))
    return Cosigned(policy, times, tuple(faults))


def moment(time: datetime) -> str:
    """The time of a cosignature, which is one in whole seconds of UTC, as people read it."""
    return f"{time:%Y-%m-%dT%H:%M:%SZ}"


def with_cosignatures(
    raw: bytes, fresh: Iterable[NoteSignature], policy: CosigningPolicy, now: datetime
) -> bytes:
    """The note with the good ones of `fresh` in the place of what was there by the same keys.

    What does not verify is left out, be it there or fresh; signatures by keys that the policy does
    not have stay if they were there, and are not added. Raises `MalformedInput` for no note.
    """
    text, signatures = take_apart(raw)
    keys = {(each.key.name, each.key.key_id): each.key for each in policy.cosigners.values()}
    kept = [each for each in signatures if each.key not in keys]
    newest = dict[tuple[str, bytes], tuple[datetime, NoteSignature]]()
    for each in [*signatures, *fresh]:
        time = keys[each.key].time_of(each.data, text) if each.key in keys else None
        if time is None or time > now + CLOCKS_DIFFER:
            continue
        if each.key not in newest or newest[each.key][0] <= time:
            newest[each.key] = (time, each)
    return put_together(text, [*kept, *(newest[key][1] for key in keys if key in newest)])
