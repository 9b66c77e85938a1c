"""Compare the trail's and the recorder's evidence of every write in a window; write the verdicts.

Reads   CloudTrail's log files delivered since the window began, each proven by a digest or not
        (`custody.aws.trail.validation`), every version of every record filed under the window's
        days, and every lineage statement that was written in the window, as the trail tells.
Writes  `reconciliation/run=<job run id>/dt=YYYY-MM-DD/hour=HH/` of the analytics bucket, as
        Parquet: one row per ledger row whose event_time lies in the window. And
        `record_checks/dt=…/judged=…/run=<job run id>/` and `lineage_checks/…`: what became of
        each record and statement read by this run, so that the next one need not read and verify it
        again. Last, `provenance/runs/dt=…/<job run id>.json` of the provenance bucket: what it
        judged by, and the hash of its report, signed (`custody.core.runs`).

Arguments: window (JSON, that of `custody.core.ledger.hours.windows.Window.parameters`); fixed by
the job: settings (JSON, what is believed and where everything lies).
Needs: `custody.zip` as --extra-py-files; cryptography as --additional-python-modules.
"""

from __future__ import annotations

import json
import sys

from custody.core.ledger.hours.windows import Window
from custody.spark.glue_runs import this_run
from custody.spark.reconcile.job import reconcile
from custody.spark.startup import log_to_stdout

PARAMETERS = ("settings", "window")


def main(argv: list[str]) -> None:
    """Run on Glue."""
    run = this_run(argv, PARAMETERS, script=__file__)
    reconcile(run, Window.of(json.loads(run.parameters["window"])))


if __name__ == "__main__":
    log_to_stdout()
    main(sys.argv)
