"""Keys with characters that XML 1.0 cannot hold are stored, listed and found as on S3."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore import xform_name
from botocore.config import Config
from botocore.handlers import set_list_objects_encoding_type_url
from tests.infra.local.conftest import ACCOUNT, REGION, Server

from localaws.s3.listings import as_s3_writes, with_encoded_keys

BUCKET, OTHER = "awkward", "awkward-too"
KEYS = [
    "a\x01b",
    "a\x1f/\r\n\t",
    "plain.csv",
    "ruled & <quoted> \"'&#x1;+%2F",
    "ünïcode 日本 \U0001f600",
    "\ufffe",
    "\uffff",
]  # as UTF-8 sorts them


@pytest.fixture(scope="module")
def s3(server: Server) -> Any:
    s3 = server.client("s3")
    for bucket in (BUCKET, OTHER):
        s3.create_bucket(Bucket=bucket)
        s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    return s3


@pytest.fixture(scope="module")
def versions(s3: Any) -> list[tuple[str, str]]:
    """Key and id of two versions of each key, as S3 sorts them: the newest of a key first."""
    put = [
        [s3.put_object(Bucket=BUCKET, Key=key, Body=key.encode())["VersionId"] for _ in range(2)]
        for key in KEYS
    ]
    return [(key, id_) for key, ids in zip(KEYS, put, strict=True) for id_ in reversed(ids)]


@pytest.mark.parametrize("page_size", [1, 3, 1000])
def test_every_version_is_listed_page_by_page(
    s3: Any, versions: list[tuple[str, str]], page_size: int
) -> None:
    pages = s3.get_paginator("list_object_versions").paginate(
        Bucket=BUCKET, PaginationConfig={"PageSize": page_size}
    )
    found = [(v["Key"], v["VersionId"]) for page in pages for v in page.get("Versions", ())]
    assert found == versions


@pytest.mark.parametrize("operation", ["list_objects", "list_objects_v2"])
def test_every_object_is_listed_page_by_page(
    s3: Any, versions: list[tuple[str, str]], operation: str
) -> None:
    pages = s3.get_paginator(operation).paginate(Bucket=BUCKET, PaginationConfig={"PageSize": 2})
    assert [found["Key"] for page in pages for found in page["Contents"]] == KEYS


@pytest.mark.parametrize("key", KEYS)
def test_a_version_is_found_by_its_key(s3: Any, versions: list[tuple[str, str]], key: str) -> None:
    for version_id in (id_ for of, id_ in versions if of == key):
        found = s3.get_object(Bucket=BUCKET, Key=key, VersionId=version_id)
        assert found["Body"].read() == key.encode()
        assert s3.head_object(Bucket=BUCKET, Key=key, VersionId=version_id)["ContentLength"]
    listed = s3.list_object_versions(Bucket=BUCKET, Prefix=key)
    assert {(v["Key"], v["VersionId"]) for v in listed["Versions"]} == {
        version for version in versions if version[0] == key
    }
    assert listed["Prefix"] == key


def test_a_listing_goes_on_behind_a_key(s3: Any, versions: list[tuple[str, str]]) -> None:
    page = s3.list_object_versions(Bucket=BUCKET, MaxKeys=1)
    assert (page["NextKeyMarker"], page["NextVersionIdMarker"]) == versions[0]
    behind = s3.list_object_versions(
        Bucket=BUCKET, KeyMarker=page["NextKeyMarker"], VersionIdMarker=page["NextVersionIdMarker"]
    )
    assert [(v["Key"], v["VersionId"]) for v in behind["Versions"]] == versions[1:]
    assert behind["KeyMarker"] == "a\x01b"


def test_what_is_alike_up_to_a_delimiter_is_one(s3: Any, versions: list[tuple[str, str]]) -> None:
    found = s3.list_object_versions(Bucket=BUCKET, Prefix="a", Delimiter="\x1f/")
    assert [prefix["Prefix"] for prefix in found["CommonPrefixes"]] == ["a\x1f/"]
    assert found["Delimiter"] == "\x1f/"
    assert {version["Key"] for version in found["Versions"]} == {"a\x01b"}


def test_a_delete_marker_is_listed(s3: Any) -> None:
    markers = [(key, s3.delete_object(Bucket=OTHER, Key=key)["VersionId"]) for key in KEYS]
    found = s3.list_object_versions(Bucket=OTHER)["DeleteMarkers"]
    assert [(marker["Key"], marker["VersionId"]) for marker in found] == markers


@pytest.mark.parametrize("operation", ["ListObjects", "ListObjectsV2", "ListObjectVersions"])
def test_who_does_not_ask_for_encoded_keys_gets_references(
    server: Server, s3: Any, versions: list[tuple[str, str]], operation: str
) -> None:
    plain = server.client("s3", config=Config(signature_version="s3v4"))
    asking = f"before-parameter-build.s3.{operation}"
    plain.meta.events.unregister(asking, set_list_objects_encoding_type_url)
    url = plain.generate_presigned_url(xform_name(operation), Params={"Bucket": BUCKET})
    status, body = server.get(url.removeprefix(server.settings.endpoint))
    assert status == 200
    assert b"<Key>a&#x1;b</Key>" in body
    assert b"<Key>&#xfffe;</Key>" in body
    assert b"EncodingType" not in body


def test_a_notification_has_the_key_encoded(server: Server, s3: Any) -> None:
    sqs = server.client("sqs")
    queue = sqs.create_queue(QueueName="awkward-keys")["QueueUrl"]
    arn = f"arn:aws:sqs:{REGION}:{ACCOUNT}:awkward-keys"
    allowed = {
        "Effect": "Allow",
        "Principal": {"Service": "s3.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": arn,
    }
    policy = json.dumps({"Version": "2012-10-17", "Statement": [allowed]})
    sqs.set_queue_attributes(QueueUrl=queue, Attributes={"Policy": policy})
    configuration = {"QueueArn": arn, "Events": ["s3:ObjectCreated:*"]}
    s3.put_bucket_notification_configuration(
        Bucket=OTHER, NotificationConfiguration={"QueueConfigurations": [configuration]}
    )
    sqs.purge_queue(QueueUrl=queue)
    s3.put_object(Bucket=OTHER, Key="a\x01b\ufffe", Body=b"")
    (message,) = sqs.receive_message(QueueUrl=queue)["Messages"]
    (record,) = json.loads(message["Body"])["Records"]
    assert record["s3"]["object"]["key"] == "a%01b%EF%BF%BE"


def test_only_what_xml_cannot_hold_becomes_a_reference() -> None:
    body = b"<Key>a\x01\r\n\t&amp;#x1; \xc3\xbc \xef\xbf\xbe \xf0\x9f\x98\x80</Key>"
    assert as_s3_writes(body) == (
        b"<Key>a&#x1;&#xd;\n\t&amp;#x1; \xc3\xbc &#xfffe; \xf0\x9f\x98\x80</Key>"
    )


def test_keys_are_encoded_and_nothing_else_is() -> None:
    body = b"<R><Name>a b</Name><MaxKeys>1</MaxKeys><Key>a&#x1; /&amp;#x1;</Key><Prefix /></R>"
    assert with_encoded_keys(body) == (
        b"<R><Name>a b</Name><EncodingType>url</EncodingType><MaxKeys>1</MaxKeys>"
        b"<Key>a%01%20/%26%23x1%3B</Key><Prefix /></R>"
    )
