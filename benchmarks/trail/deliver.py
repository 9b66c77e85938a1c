"""Fill a trail's bucket with a past of CloudTrail's: a log file every five minutes, hourly digests.

Runs in the local AWS's environment, whose own CloudTrail makes the files. Prints, as JSON, the
start of the first digest's period and how many log files and digests there are.

    CUSTODY_LOCAL_HOME=… LOCAL_AWS_PORT=… python benchmarks/trail/deliver.py TRAIL BUCKET HOURS
"""

from __future__ import annotations

import datetime as dt
import json
import os
import sys
import uuid
from typing import Any

from localaws.access.root import root_keys
from localaws.clients import session
from localaws.cloudtrail.delivery import digests, logfiles
from localaws.cloudtrail.delivery.digests import Window
from localaws.cloudtrail.delivery.publickeys import SigningKey
from localaws.cloudtrail.journal import Chain, DeliveredFile
from localaws.cloudtrail.place import Place
from localaws.cloudtrail.trails import Trail
from localaws.settings import Settings

HOUR = 3600
LOGS_PER_HOUR = 12
RECORDS_PER_LOG = 40


def record(at: dt.datetime, number: int) -> dict[str, Any]:
    """An event of about the size and the repetition of real ones."""
    return {
        "eventVersion": "1.11",
        "userIdentity": {"type": "IAMUser", "arn": f"arn:aws:iam::111122223333:user/u{number % 7}"},
        "eventTime": f"{at:%Y-%m-%dT%H:%M:%SZ}",
        "eventSource": "s3.amazonaws.com",
        "eventName": "PutObject",
        "awsRegion": "us-east-1",
        "sourceIPAddress": "192.0.2.1",
        "requestParameters": {"bucketName": "raw", "key": f"incoming/{uuid.uuid4()}.csv"},
        "responseElements": {"x-amz-version-id": uuid.uuid4().hex},
        "additionalEventData": {"bytesTransferredIn": number, "x-amz-id-2": uuid.uuid4().hex * 3},
        "requestID": uuid.uuid4().hex[:16].upper(),
        "eventID": str(uuid.uuid4()),
        "eventType": "AwsApiCall",
        "eventCategory": "Data",
    }


def main() -> None:
    """Write the files, oldest first."""
    name, bucket, hours = sys.argv[1], sys.argv[2], int(sys.argv[3])
    settings = Settings.from_env(os.environ)
    place = Place(settings.account_id, settings.region)
    keys = root_keys(settings)
    root = session(settings, keys.access_key_id, keys.secret_access_key)
    s3 = root.client("s3", endpoint_url=settings.endpoint)
    key = SigningKey.of(settings.state / "cloudtrail" / "keys", settings.region)
    arn = f"arn:aws:cloudtrail:{settings.region}:{settings.account_id}:trail/{name}"
    trail = Trail(
        arn=arn, name=name, home_region=settings.region, multi_region=False, bucket=bucket,
        prefix="", kms_key_id=None, logging=True, validated=True, selectors=[],
    )  # fmt: skip
    now = int(dt.datetime.now(dt.UTC).timestamp())
    start = now // HOUR * HOUR - hours * HOUR
    chain = Chain(arn, start)
    for hour in range(hours):
        window = Window(start + hour * HOUR, start + (hour + 1) * HOUR)
        files = []
        for number in range(LOGS_PER_HOUR):
            at = dt.datetime.fromtimestamp(window.start + number * 300 + 60, dt.UTC)
            log_key = logfiles.log_key(trail, place, at, uuid.uuid4().hex[:16])
            records = [record(at, n) for n in range(RECORDS_PER_LOG)]
            log = logfiles.log_file(trail, log_key, records)
            s3.put_object(Bucket=bucket, Key=log.key, Body=log.body)
            files.append(DeliveredFile(number, bucket, log.key, log.sha256, log.oldest, log.newest))
        digest, chain = digests.build(
            trail=trail, place=place, window=window, files=files, chain=chain, key=key
        )
        s3.put_object(
            Bucket=bucket, Key=digest.key, Body=digest.body, Metadata=digests.metadata(digest)
        )
    first = dt.datetime.fromtimestamp(start, dt.UTC)
    print(json.dumps({"start": first.isoformat(), "logs": hours * LOGS_PER_HOUR, "digests": hours}))


if __name__ == "__main__":
    main()
