"""Audit what stands: the whole trail, every version at rest, and the seal.

Reads   the digests and log files since the head remembered; the names of all records and of all
        versions in bronze, silver and gold; the bytes and records of the day's sample, and the
        bytes of versions without a record; the last audit's report; the records and verdicts of
        the last days; the seal.
Writes  `audit/run=<job run id>/dt=YYYY-MM-DD/hour=HH/` of the analytics bucket, as Parquet: one
        row per finding and one per version whose bytes are as recorded; the seal of those records
        and verdicts; `provenance/runs/dt=…/<job run id>.json` of the provenance bucket, what it
        judged by, and the hashes of its report and of its summaries of the runs of the day before,
        signed; and, where nothing was wrong, the heads of trail and seal under `audit/heads/`.

Arguments: audit (JSON, that of `custody.core.ledger.hours.windows.audit_window`); fixed by the job:
settings (JSON, what is believed and where everything lies).
Needs: `custody.zip` as --extra-py-files; cryptography as --additional-python-modules.
"""

from __future__ import annotations

import json
import sys

from custody.spark.audit.job import audit
from custody.spark.audit.request import AuditRequest
from custody.spark.glue_runs import this_run
from custody.spark.startup import log_to_stdout

PARAMETERS = ("settings", "audit")


def main(argv: list[str]) -> None:
    """Run on Glue."""
    run = this_run(argv, PARAMETERS, script=__file__)
    audit(run, AuditRequest.of(json.loads(run.parameters["audit"])))


if __name__ == "__main__":
    log_to_stdout()
    main(sys.argv)
