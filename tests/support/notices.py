"""S3 notifications as S3 writes them, built from what happened."""

from typing import Any
from urllib.parse import quote_plus


def notice(
    *,
    bucket: str = "custody-dev-raw-111122223333",
    key: str = "incoming/a.csv",
    size: int = 12,
    etag: str = "d41d8cd98f00b204e9800998ecf8427e",
    version_id: str | None = "3HL4kqtJvjVBH40Nrjfkd",
    sequencer: str = "0055AED6DCD90281E5",
) -> dict[str, Any]:
    """One event record; `key` is decoded here and encoded in the result, as S3 does."""
    stored = {"key": quote_plus(key, safe="/"), "size": size, "eTag": etag, "sequencer": sequencer}
    if version_id is not None:
        stored["versionId"] = version_id
    return {
        "eventVersion": "2.1",
        "eventSource": "aws:s3",
        "awsRegion": "us-east-1",
        "eventTime": "2026-11-01T06:00:00.120Z",
        "eventName": "ObjectCreated:Put",
        "userIdentity": {"principalId": "AWS:AIDAJDPLRKLG7UEXAMPLE"},
        "requestParameters": {"sourceIPAddress": "198.51.100.7"},
        "responseElements": {
            "x-amz-request-id": "C3D13FE58DE4C810",
            "x-amz-id-2": "FMyUVURIY8/IgAtTv8xRjskZQpcIZ9KG4V5Wp6S7S/JRWeUWerMUE5JgHvANOjpD",
        },
        "s3": {
            "s3SchemaVersion": "1.0",
            "configurationId": "recorder",
            "bucket": {
                "name": bucket,
                "ownerIdentity": {"principalId": "A3NL1KOZZKExample"},
                "arn": f"arn:aws:s3:::{bucket}",
            },
            "object": stored,
        },
    }
