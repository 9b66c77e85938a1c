"""Another key for a stored version, in place."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError
from tests.infra.local.conftest import Server

BUCKET, KEY = "rekeyed", "incoming/a.csv"


def keyed(s3: Any, version_id: str, arn: str) -> None:
    s3.update_object_encryption(
        Bucket=BUCKET,
        Key=KEY,
        VersionId=version_id,
        ObjectEncryption={"SSEKMS": {"KMSKeyArn": arn}},
    )


@pytest.fixture(scope="module")
def s3(server: Server) -> Any:
    s3 = server.client("s3")
    s3.create_bucket(Bucket=BUCKET)
    s3.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
    return s3


def test_a_version_gets_another_key_and_stays_what_it_is(server: Server, s3: Any) -> None:
    arn = server.client("kms").create_key()["KeyMetadata"]["Arn"]
    old, new = [
        s3.put_object(Bucket=BUCKET, Key=KEY, Body=body)["VersionId"] for body in (b"old", b"new")
    ]

    def seen(version_id: str) -> dict[str, Any]:
        head = s3.head_object(Bucket=BUCKET, Key=KEY, VersionId=version_id)
        return {name: head[name] for name in ("ETag", "LastModified", "ContentLength")} | {
            "key": head.get("SSEKMSKeyId")
        }

    before = {version: seen(version) for version in (old, new)}
    for version in (old, new):
        keyed(s3, version, arn)
        assert seen(version) == before[version] | {"key": arn}
    listed = s3.list_object_versions(Bucket=BUCKET, Prefix=KEY)["Versions"]
    assert [version["VersionId"] for version in listed] == [new, old]
    assert s3.get_object(Bucket=BUCKET, Key=KEY)["Body"].read() == b"new"


def test_what_is_not_there_gets_none(s3: Any) -> None:
    with pytest.raises(ClientError, match="NoSuchVersion"):
        keyed(s3, "0" * 32, "arn:aws:kms:us-east-1:111122223333:key/1")
