"""Keys fetched anew, held against those that were trusted before.

Keys are replaced in time: a key of records by the next one, from a moment on that both periods
name; those of CloudTrail by CloudTrail. What a former key signed in its time stays good, so nothing
that was trusted is forgotten. What cannot come of replacing a key contradicts what was trusted.
"""

from __future__ import annotations

from collections.abc import Iterator

from custody.core.case.key_ring import KeyRing
from custody.core.lineage.trust import Trust


def renew(before: KeyRing, now: KeyRing) -> tuple[KeyRing, list[str]]:
    """What to trust from now on, and what in `now` contradicts what was trusted `before`.

    If anything does, nothing of `now` should be believed.
    """
    troubles = [*_other_deployment(before, now), *_other_keys(before, now), *_periods(before, now)]
    renewed = KeyRing(
        records={**before.records, **now.records},
        lineage=Trust(
            {**before.lineage.public_keys, **now.lineage.public_keys},
            before.lineage.builders | now.lineage.builders,
        ),
        seal=tuple(dict.fromkeys([*before.seal, *now.seal])),
        cloudtrail={**before.cloudtrail, **now.cloudtrail},
        deployment=now.deployment,
    )
    return renewed, troubles


def _other_deployment(before: KeyRing, now: KeyRing) -> list[str]:
    return KeyRing(deployment=now.deployment).beyond(before)


def _other_keys(before: KeyRing, now: KeyRing) -> Iterator[str]:
    known = {(name.signs, name.key_id): name.sha256 for name in before.names()}
    for name in now.names():
        if known.get((name.signs, name.key_id), name.sha256) != name.sha256:
            yield f"the key of {name.signs} {name.key_id} is another public key than before"


def _periods(before: KeyRing, now: KeyRing) -> Iterator[str]:
    """A period may end and the next key's begin then; no other may change, or begin in the past."""
    signing = [key_id for key_id, key in before.records.items() if key.valid_until is None]
    ends = [now.records[key_id].valid_until for key_id in signing if key_id in now.records]
    for key_id, known in before.records.items():
        found = now.records.get(key_id)
        if found is None and known.valid_until is None:
            yield f"the key of records {key_id} is named no more, nor until when it signed"
        if found is not None and found.valid_from != known.valid_from:
            yield f"the period of the key of records {key_id} begins at another time than before"
        if found is not None and known.valid_until not in (None, found.valid_until):
            yield f"the period of the key of records {key_id} ends at another time than before"
    for key_id, found in now.records.items():
        follows = any(end is not None and end <= found.valid_from for end in ends)
        if before.records and key_id not in before.records and not follows:
            yield f"the key of records {key_id} is new, and its period follows no other's end"
