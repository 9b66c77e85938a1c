"""Record one object version that is too large for one run of the recorder's Lambda.

Reads   the object version that was announced, once, in constant memory; the work is the driver's,
        and Spark has no part in it.
Writes  the same record under the same key as the Lambda would (`custody.aws.records.recording`).
        Idempotent: a rerun writes nothing that is there already.

Fails   when the bytes are not those announced, and when S3 or KMS refuse something that may be put
        right. The queue keeps the announcement until a run has succeeded, and the Lambda starts the
        next one. A version that nobody can read does not fail: its record says so.

Arguments: announcement (the event record of the S3 notification, JSON in URL-safe base64),
record_id (of that object version); fixed by the job: provenance_bucket, signing_key_arn,
data_key_arn.
"""

from __future__ import annotations

import logging
import sys
from datetime import UTC, datetime

from custody.aws.records.keeping import Outcome
from custody.aws.records.large_objects import announced
from custody.aws.records.recording import RecordingSession
from custody.spark.startup import job_arguments, kms_client, log_to_stdout, s3_client

log = logging.getLogger("custody")


def run(record_id: str, announcement: str, session: RecordingSession) -> Outcome:
    """Record what the two arguments announce.

    Raises what `announced` and `RecordingSession.record` raise.
    """
    created = announced(record_id, announcement)
    log.info("%s version %s", created.version.uri, created.version.version_id)
    kept = session.record(created)
    log.info("%s: %s", kept.outcome.value, kept.key)
    return kept.outcome


def main(argv: list[str]) -> None:
    """Run on Glue."""
    names = (
        "record_id",
        "announcement",
        "provenance_bucket",
        "signing_key_arn",
        "data_key_arn",
    )
    args = job_arguments(argv, names)
    session = RecordingSession(
        s3=s3_client(),
        kms=kms_client(args["signing_key_arn"]),
        now=lambda: datetime.now(UTC),
        provenance_bucket=args["provenance_bucket"],
        signing_key_arn=args["signing_key_arn"],
        data_key_arn=args["data_key_arn"],
    )
    run(args["record_id"], args["announcement"], session)


if __name__ == "__main__":
    log_to_stdout()
    main(sys.argv)
