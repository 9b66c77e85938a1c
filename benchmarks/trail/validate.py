"""Validate a whole trail as the platform does; prints how many digests and log files are proven.

Exits with 1 if there is any finding. AWS's settings come from the environment.

    python benchmarks/trail/validate.py TRAIL BUCKET ACCOUNT REGION
"""

from __future__ import annotations

import functools
import sys
from datetime import UTC, datetime
from pathlib import Path

import boto3
from botocore.config import Config

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "plugins"))

from custody.aws.trail.state import fetch_digest_keys, read_trail_state
from custody.aws.trail.store import S3TrailStore
from custody.aws.trail.validation import Pace, validate_trail
from custody.core.trail.layout import TrailLayout
from custody.core.trail.report import TrailReport


def main() -> int:
    """Validate, print, say whether all is well."""
    trail, bucket, account, region = sys.argv[1:5]
    pace = Pace()
    s3 = boto3.client("s3", config=Config(max_pool_connections=pace.workers))
    cloudtrail = boto3.client("cloudtrail")
    report = TrailReport.merged(
        validate_trail(
            S3TrailStore(s3, bucket),
            TrailLayout(bucket, account, region, trail, region),
            functools.partial(fetch_digest_keys, cloudtrail),
            state=read_trail_state(
                cloudtrail, f"arn:aws:cloudtrail:{region}:{account}:trail/{trail}"
            ),
            as_of=datetime.now(UTC),
            pace=pace,
        )
    )
    for defect in report.defects:
        print(defect, file=sys.stderr)
    print(report.digests_verified, len(report.logs_verified))
    return 1 if report.defects else 0


if __name__ == "__main__":
    sys.exit(main())
