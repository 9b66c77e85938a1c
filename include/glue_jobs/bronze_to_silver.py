"""Build one day of silver from the files of one dataset that landed for that day.

Reads   the current object versions under `incoming/<dataset>/dt=<dt>/` of the raw bucket, each
        through the custody gate, and the dataset's contract. Where its rules compare with other
        days or datasets, what is published of these, as the runs that built it signed it.
Writes  under `…/<dataset>/dt=<dt>/run=<job run id>/` of the processed bucket, as Parquet:
        `silver`      accepted rows, typed, one per primary key
        `quarantine`  rejected rows with every rule they broke; a broken file is one row
        `files`       the row accounting, one row per object version; beside it, as no row of it,
                      `_account.json`: its sums, and how much is in quarantine for which reason
        below `quality/results/dt=<dt>/run=<job run id>/` of the analytics bucket what was found for
the contract's rules of the table, where it has some, and, last, the run's signed lineage
(`custody.core.lineage.model`) into the provenance bucket. Nothing outside the run's own prefixes is
touched, so a rerun cannot harm what is published, and what a failed run leaves is never published.

Fails   when nothing landed, when no file could be read, when the share of rejected rows or of bytes
        in files that cannot be read, passes the contract's limit, when the accounting does not
        close (landed = silver + duplicates + quarantined, per file, and as counted again in what
        was written), and when a rule of the table is broken whose severity is error.

Arguments: dataset, dt (YYYY-MM-DD); fixed by the job: code_location (S3 URI of the bundle, which
holds the contract), raw_bucket, provenance_bucket, processed_bucket, analytics_bucket, signing_keys
(JSON of the settings `signing_key_arn` and `former_signing_keys`: which KMS keys signed the
records, and when), lineage_key_arn (the one that signs lineage), former_lineage_keys
(JSON of the setting: those that did before), token_key_arn (the one that tokens
of personal data are made with).
Needs: `custody.zip` as --extra-py-files; cryptography and PyYAML as --additional-python-modules.
"""

from __future__ import annotations

import sys

from custody.spark.glue_runs import this_run
from custody.spark.silver.job import build_silver
from custody.spark.startup import log_to_stdout

PARAMETERS = (
    "dataset",
    "dt",
    "code_location",
    "raw_bucket",
    "provenance_bucket",
    "processed_bucket",
    "analytics_bucket",
    "signing_keys",
    "lineage_key_arn",
    "former_lineage_keys",
    "token_key_arn",
)


def main(argv: list[str]) -> None:
    """Run on Glue."""
    build_silver(this_run(argv, PARAMETERS, script=__file__))


if __name__ == "__main__":
    log_to_stdout()
    main(sys.argv)
