"""CloudTrail records of S3 data events, in the form of AWS's own samples."""

from typing import Any

USER = {
    "type": "IAMUser",
    "principalId": "AIDACRMEXPORT",
    "arn": "arn:aws:iam::111122223333:user/crm-export",
    "accountId": "111122223333",
    "accessKeyId": "AKIAIOSFODNN7EXAMPLE",
    "userName": "crm-export",
}


def put(**changes: Any) -> dict[str, Any]:
    """A PutObject; `changes` replace its top-level fields, and None takes one away."""
    record = {
        "eventVersion": "1.11",
        "userIdentity": USER,
        "eventTime": "2026-11-01T06:00:01Z",
        "eventSource": "s3.amazonaws.com",
        "eventName": "PutObject",
        "awsRegion": "us-east-1",
        "sourceIPAddress": "203.0.113.7",
        "userAgent": "[aws-cli/2.31]",
        "requestParameters": {
            "bucketName": "raw",
            "Host": "raw.s3.us-east-1.amazonaws.com",
            "key": "incoming/a.csv",
            "x-amz-server-side-encryption": "aws:kms",
        },
        "responseElements": {"x-amz-server-side-encryption": "aws:kms", "x-amz-version-id": "v1"},
        "additionalEventData": {
            "SignatureVersion": "SigV4",
            "CipherSuite": "TLS_AES_128_GCM_SHA256",
            "bytesTransferredIn": 100,
            "SSEApplied": "SSE_KMS",
            "AuthenticationMethod": "AuthHeader",
            "x-amz-id-2": "host",
            "bytesTransferredOut": 0,
        },
        "requestID": "R1",
        "eventID": "e1",
        "readOnly": False,
        "resources": [
            {"type": "AWS::S3::Object", "ARN": "arn:aws:s3:::raw/incoming/a.csv"},
            {"accountId": "111122223333", "type": "AWS::S3::Bucket", "ARN": "arn:aws:s3:::raw"},
        ],
        "eventType": "AwsApiCall",
        "managementEvent": False,
        "recipientAccountId": "111122223333",
        "eventCategory": "Data",
    }
    return {name: value for name, value in (record | changes).items() if value is not None}


def delete(**changes: Any) -> dict[str, Any]:
    """A DeleteObject that names no version and leaves the marker m1."""
    hidden = {"x-amz-delete-marker": "true", "x-amz-version-id": "m1"}
    return put(**{"eventName": "DeleteObject", "responseElements": hidden} | changes)
