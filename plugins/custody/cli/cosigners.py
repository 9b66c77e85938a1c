"""Who cosigned a checkpoint, as the commands say it."""

from __future__ import annotations

from custody.cli.output import Output
from custody.core.tlog.quorum import Cosigned, moment


def show(found: Cosigned, about: str, output: Output) -> str | None:
    """Print who cosigned the checkpoint that `about` names, and when.

    Returns what is wrong with that; None if the policy accepts it.
    """
    rows = []
    for name, cosigner in found.policy.cosigners.items():
        time = moment(found.times[name]) if name in found.times else None
        key = cosigner.key.vkey
        output.document(
            {"kind": "cosigner", "about": about, "name": name, "key": key, "time": time}
        )
        rows.append((name, time or "no", key))
    output.table(("cosigner", "signed at", "key"), rows)
    if found.is_met:
        output.line(f"{about}: cosigned as the policy asks, by {found.policy.asks_for}", "green")
        return None
    return f"not cosigned as the policy asks: {found.in_words}"
