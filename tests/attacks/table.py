"""The table: every attack, in the order in which they can be made.

Later rounds also see the findings of the earlier ones. The audit's come first, as it finds again
whatever was ever removed; two rounds begin it in which nobody attacks.
"""

from __future__ import annotations

from tests.attacks import (
    answers,
    borrowed,
    controls,
    digests,
    elsewhere,
    expiry,
    hostile,
    logs,
    operators,
    recorder,
    records,
    rekeyed,
    removals,
    seal,
    switches,
    tables,
    trail,
    uploading,
    uploads,
)
from tests.attacks.attack import Job, Round

ROUNDS = [
    Round(Job.RECONCILE, [[]]),
    Round(Job.AUDIT, [[]]),
    Round(Job.AUDIT, [tables.BEFORE_AN_AUDIT]),
    Round(
        Job.AUDIT,
        [
            [
                *removals.AT_REST,
                *expiry.AT_REST,
                *recorder.AT_REST,
                *logs.AT_REST,
                *answers.AT_REST,
            ]
        ],
    ),
    Round(Job.PAGES, [operators.ON_PAGES]),
    Round(Job.PAGES, [[answers.one_mutes_what_was_found, *operators.ONCE_TOLD]]),
    Round(Job.AUDIT, [[seal.it_is_rolled_back]]),
    Round(Job.AUDIT, [[seal.a_tile_is_changed]]),
    Round(Job.AUDIT, [[seal.a_tile_is_deleted]]),
    Round(Job.AUDIT, [[rekeyed.a_tile_cannot_be_read]]),
    Round(Job.AUDIT, [[rekeyed.the_checkpoint_cannot_be_read]]),
    Round(Job.AUDIT, [[seal.another_log_is_cosigned]]),
    Round(Job.AUDIT, [[seal.it_is_forked]]),
    Round(
        Job.RECONCILE,
        [
            [
                *uploads.ATTACKS,
                *recorder.ATTACKS,
                *removals.ATTACKS,
                *records.ATTACKS,
                *controls.ATTACKS,
                *switches.ATTACKS,
                *elsewhere.ATTACKS,
                *expiry.ATTACKS,
                *borrowed.ATTACKS,
                uploading.an_uploaders_role_is_taken,
                hostile.files_that_break_readers,
            ],
            logs.ATTACKS,
            digests.BESIDE_THE_HONEST,
            digests.FOR_GOOD,
        ],
    ),
    Round(
        Job.RECONCILE,
        [
            [*tables.ATTACKS, *rekeyed.ATTACKS, borrowed.the_chain_is_signed],
            [trail.logging_is_stopped_for_a_while],
            [trail.validation_is_switched_off_for_a_while],
        ],
    ),
    Round(Job.RECONCILE, [[*operators.ON_RUNS, trail.the_selectors_stay_narrowed]]),
    Round(Job.RECONCILE, [[trail.the_tail_is_truncated]]),
    Round(Job.RECONCILE, [[trail.logging_is_stopped]]),
]

ATTACKS = [attack for round_ in ROUNDS for step in round_.steps for attack in step]
