"""The table: every attack, in the order in which they can be made.

A round ends with one reconciliation. Within a round the steps follow each other, with everything
told and proven in between; later rounds also see the findings of the earlier ones.
"""

from __future__ import annotations

from tests.attacks import digests, logs, recorder, records, removals, tables, trail, uploads
from tests.attacks.attack import Attack

ROUNDS: list[list[list[Attack]]] = [
    [
        [*uploads.ATTACKS, *recorder.ATTACKS, *removals.ATTACKS, *records.ATTACKS],
        logs.ATTACKS,
        digests.BESIDE_THE_HONEST,
        digests.FOR_GOOD,
    ],
    [
        tables.ATTACKS,
        [trail.logging_is_stopped_for_a_while],
        [trail.validation_is_switched_off_for_a_while],
    ],
    [[trail.the_tail_is_truncated]],
    [[trail.logging_is_stopped]],
]
TO_COME = [*recorder.TO_COME, *removals.TO_COME, *records.TO_COME]

ATTACKS = [attack for round_ in ROUNDS for step in round_ for attack in step] + TO_COME
