"""Hide what lies of runs that expire: behind delete markers, object by object.

Reads   what the audit signed of runs that expire (`custody.core.publications.expiry`), and the
        publications of their days.
Writes  a delete marker over each object of a run of which that was signed half a day ago, and which
        no publication has shown since. It can delete no version: those expire as replaced ones do.
        Idempotent: a run that was stopped goes on where it was.

Fails   when S3 or KMS refuse something. What must not be believed, what a publication
        contradicts, and what keeps runs for less than is deployed, it leaves alone, and says so in
        its log: the audit pages it.

Argument, fixed by the job: settings (JSON of the settings `analytics_bucket`, `provenance_bucket`,
`seal_key_arn`, `former_seal_keys` and `run_retention_days`).
Needs: `custody.zip` as --extra-py-files; cryptography as --additional-python-modules.
"""

from __future__ import annotations

import logging
import sys
from datetime import UTC, datetime

from custody.aws.kms.seal_key import fetch_seal_keys
from custody.aws.publications.expiring import remove_expired
from custody.core.seal.layout import log_origin
from custody.settings import Settings
from custody.spark.startup import job_arguments, kms_client, log_to_stdout, s3_client

log = logging.getLogger("custody")


def main(argv: list[str]) -> None:
    """Run on Glue."""
    settings = Settings.parse(job_arguments(argv, ["settings"])["settings"])
    provenance, arn = settings.provenance_bucket, settings.seal_key_arn
    origin = log_origin(provenance)
    hidden, left = remove_expired(
        s3_client(),
        analytics=settings.analytics_bucket,
        provenance=provenance,
        key=fetch_seal_keys(kms_client(arn), arn, settings.former_seal_keys, origin),
        retention=settings.run_retention_days,
        now=datetime.now(UTC),
    )
    for run, objects in hidden.items():
        log.info("run %s of %s: %d objects are hidden", run.id, run.dt, objects)
    for why in left:
        log.warning("left alone: %s", why)
    log.info("%d runs were removed, %d statements left alone", len(hidden), len(left))


if __name__ == "__main__":
    log_to_stdout()
    main(sys.argv)
