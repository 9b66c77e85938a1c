"""CloudTrail records of management events, in the form of AWS's own samples."""

from __future__ import annotations

from typing import Any

ACCOUNT = "111122223333"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/custody-local-"
INSIDER = {
    "type": "IAMUser",
    "principalId": "AIDAINSIDER",
    "arn": f"arn:aws:iam::{ACCOUNT}:user/insider",
    "accessKeyId": "AKIAINSIDER",
    "userName": "insider",
}


def service(name: str) -> dict[str, Any]:
    return {"type": "AWSService", "invokedBy": f"{name}.amazonaws.com"}


def session(role: str, key: str, name: str = "session") -> dict[str, Any]:
    """The identity of whoever signs with a session's key; `role` is the end of its name."""
    return {
        "type": "AssumedRole",
        "principalId": f"AROA{role.upper()}:{name}",
        "arn": f"arn:aws:sts::{ACCOUNT}:assumed-role/custody-local-{role}/{name}",
        "accessKeyId": key,
        "sessionContext": {"sessionIssuer": {"type": "Role", "arn": ROLE + role}},
    }


def call(
    source: str,
    name: str,
    who: dict[str, Any],
    request: Any,
    response: Any = None,
    **changes: Any,
) -> dict[str, Any]:
    """A successful call; `changes` replace its top-level fields, and None takes one away."""
    record = {
        "eventVersion": "1.08",
        "userIdentity": who,
        "eventTime": "2026-11-01T06:00:00Z",
        "eventSource": f"{source}.amazonaws.com",
        "eventName": name,
        "awsRegion": "us-east-1",
        "sourceIPAddress": "203.0.113.9",
        "userAgent": "Boto3/1.43",
        "requestParameters": request,
        "responseElements": response,
        "requestID": "M1",
        "eventID": "m1",
        "readOnly": name.startswith(("Assume", "Get", "Describe")),
        "eventType": "AwsApiCall",
        "managementEvent": True,
        "recipientAccountId": ACCOUNT,
        "eventCategory": "Management",
    }
    return {field: value for field, value in (record | changes).items() if value is not None}


def role_taken(role: str, key: str, who: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """Somebody takes a session of a role, whose access key is `key`."""
    return call(
        "sts",
        "AssumeRole",
        who,
        {"roleArn": ROLE + role, "roleSessionName": "session"},
        {
            "credentials": {
                "accessKeyId": key,
                "sessionToken": "FwoGZXIvYXdzE",
                "expiration": "Nov 1, 2026, 7:00:00 AM",
            },
            "assumedRoleUser": {"assumedRoleId": "AROA:session", "arn": "arn:aws:sts::1:x"},
        },
        **changes,
    )


def partition_moved(
    who: dict[str, Any], location: str = "s3://analytics/x/", **changes: Any
) -> dict[str, Any]:
    """Somebody points a partition of the verdicts somewhere else."""
    moved = {
        "partitionValueList": ["2026-11-01", "06"],
        "partitionInput": {
            "values": ["2026-11-01", "06"],
            "storageDescriptor": {"location": location, "columns": []},
        },
    }
    return call(
        "glue",
        "BatchUpdatePartition",
        who,
        {"databaseName": "custody_local", "tableName": "reconciliation", "entries": [moved]},
        **changes,
    )


def switched(called: str, who: dict[str, Any], at: str, **more: Any) -> dict[str, Any]:
    """Somebody switches the trail off or on, at a time of 1 November 2026."""
    asked = {"name": "custody-local", **more}
    event = {"eventTime": f"2026-11-01T{at}Z", "eventID": f"{called} at {at}"}
    return call("cloudtrail", called, who, asked, **event)
