"""Build one day of a gold table from one run of silver.

Reads   the Parquet files of one silver run, as the temporary view `silver`, and the table's SQL.
        What lies under the silver run's prefix must be just what its signed lineage states.
Writes  `gold/<gold_table>/dt=<dt>/run=<job run id>/` of the analytics bucket, as Parquet, below
        `quality/results/dt=<dt>/run=<job run id>/` what was found for the contract's rules of the
        table, where it has some, and, last, the run's signed lineage
        (`custody.core.lineage.model`) into the provenance bucket. Nothing else is touched, so a
        rerun cannot harm what is published.

Fails   when silver is not as its lineage states it or changes while it is read, when the SQL makes
        other columns than the contract says of the table, when the silver run has no rows, when the
        SQL yields none, on an amount that does not fit its type (ANSI mode: no silent null), and
        when a rule of the table is broken whose severity is error.

Arguments: dataset, dt (YYYY-MM-DD), silver_run (S3 URI of the silver run's prefix), gold_table;
fixed by the job: code_location (S3 URI of the bundle, which holds the dataset's contract and the
table's SQL, one SELECT),
silver_job (name of the Glue job that builds silver), analytics_bucket, provenance_bucket,
lineage_key_arn (KMS key that signs lineage), former_lineage_keys (JSON of the setting: those that
did before).
Needs: `custody.zip` as --extra-py-files; cryptography and PyYAML as --additional-python-modules.
"""

from __future__ import annotations

import sys

from custody.spark.glue_runs import this_run
from custody.spark.gold import build_gold
from custody.spark.startup import log_to_stdout

PARAMETERS = (
    "dataset",
    "dt",
    "silver_run",
    "gold_table",
    "code_location",
    "silver_job",
    "analytics_bucket",
    "provenance_bucket",
    "lineage_key_arn",
    "former_lineage_keys",
)


def main(argv: list[str]) -> None:
    """Run on Glue."""
    build_gold(this_run(argv, PARAMETERS, script=__file__))


if __name__ == "__main__":
    log_to_stdout()
    main(sys.argv)
