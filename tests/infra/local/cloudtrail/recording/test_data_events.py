"""S3 calls against a running local AWS, and the CloudTrail log files that tell of them."""

from __future__ import annotations

import io
import json
import re
import urllib.error
import urllib.request
import zipfile
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError
from tests.infra.local.cloudtrail.conftest import (
    ACCOUNT,
    LOG_BUCKET,
    REGION,
    LocalAws,
    allow,
)
from tests.support.patience import PATIENCE_SECONDS, wait_for

RAW = f"custody-local-raw-{ACCOUNT}"
UNVERSIONED = f"custody-local-artifacts-{ACCOUNT}"
AWKWARD = "incoming/a b+c%d&e=f?g#h'\"i/Ünï¢ødé/日本.csv"

Clients = Callable[..., Any]


@pytest.fixture(scope="module")
def uploader(aws: LocalAws) -> Clients:
    """Sets up the trail and two buckets; gives clients of a user who may use them."""
    aws.trail()
    s3 = aws.root("s3")
    for bucket in (RAW, UNVERSIONED):
        s3.create_bucket(Bucket=bucket)
    s3.put_bucket_versioning(Bucket=RAW, VersioningConfiguration={"Status": "Enabled"})
    return aws.user("till", allow("s3:*", "sts:AssumeRole"))


def put_by_a_function(aws: LocalAws, key: str) -> None:
    """Upload an object with a Lambda function of the role `putter`."""
    iam = aws.root("iam")
    trust = {"Principal": {"Service": "lambda.amazonaws.com"}, **allow("sts:AssumeRole")}
    del trust["Resource"]
    role = iam.create_role(
        RoleName="putter",
        AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [trust]}),
    )["Role"]
    policy = {"Version": "2012-10-17", "Statement": [allow("s3:PutObject")]}
    iam.put_role_policy(RoleName="putter", PolicyName="p", PolicyDocument=json.dumps(policy))
    code = io.BytesIO()
    with zipfile.ZipFile(code, "w") as package:
        package.writestr(
            "f.py",
            "import boto3\n"
            "def handler(event, context):\n"
            "    s3 = boto3.client('s3')\n"
            "    s3.put_object(Bucket=event['bucket'], Key=event['key'], Body=b'')\n",
        )
    functions = aws.root("lambda")
    functions.create_function(
        FunctionName="put",
        Runtime="python3.12",
        Handler="f.handler",
        Role=role["Arn"],
        Code={"ZipFile": code.getvalue()},
        Timeout=PATIENCE_SECONDS,
    )
    answer = functions.invoke(
        FunctionName="put", Payload=json.dumps({"bucket": RAW, "key": key}).encode()
    )
    assert "FunctionError" not in answer, answer["Payload"].read()


def resources(bucket: str, key: str) -> list[dict[str, str]]:
    return [
        {"type": "AWS::S3::Object", "ARN": f"arn:aws:s3:::{bucket}/{key}"},
        {"accountId": ACCOUNT, "type": "AWS::S3::Bucket", "ARN": f"arn:aws:s3:::{bucket}"},
    ]


def test_a_function_is_named_by_the_id_of_its_role(aws: LocalAws, uploader: Clients) -> None:
    put_by_a_function(aws, "incoming/by-a-function.csv")
    (record,) = aws.records(eventName="PutObject", key="incoming/by-a-function.csv")
    role_id = aws.root("iam").get_role(RoleName="putter")["Role"]["RoleId"]
    assert role_id.startswith("AROA")
    assert record["userIdentity"]["principalId"] == f"{role_id}:put"
    assert record["userIdentity"]["sessionContext"]["sessionIssuer"]["principalId"] == role_id


def test_an_upload_is_told_with_who_what_where_and_which_version(
    aws: LocalAws, uploader: Clients
) -> None:
    answer = uploader("s3").put_object(Bucket=RAW, Key="incoming/a.csv", Body=b"x" * 1000)
    record = aws.record_of(answer)
    user = aws.root("iam").get_user(UserName="till")["User"]
    assert record["eventVersion"] == "1.11"
    assert record["eventName"] == "PutObject"
    assert record["userIdentity"] | {"accessKeyId": "…"} == {
        "type": "IAMUser",
        "principalId": user["UserId"],
        "arn": f"arn:aws:iam::{ACCOUNT}:user/till",
        "accountId": ACCOUNT,
        "accessKeyId": "…",
        "userName": "till",
    }
    assert record["awsRegion"] == REGION
    assert record["sourceIPAddress"] == "127.0.0.1"
    assert re.fullmatch(r"\[Boto3/.*\]", record["userAgent"])
    assert record["requestParameters"] == {
        "bucketName": RAW,
        "Host": f"127.0.0.1:{aws.settings.port}",
        "key": "incoming/a.csv",
    }
    assert record["responseElements"] == {"x-amz-version-id": answer["VersionId"]}
    assert record["resources"] == resources(RAW, "incoming/a.csv")
    data = record["additionalEventData"]
    assert data["x-amz-id-2"] == answer["ResponseMetadata"]["HostId"]
    # What went over the wire: the body and the framing of its checksum.
    assert 1000 <= data["bytesTransferredIn"] <= 1200
    assert data["bytesTransferredOut"] == 0
    assert (data["SignatureVersion"], data["AuthenticationMethod"]) == ("SigV4", "AuthHeader")
    assert (record["eventCategory"], record["managementEvent"]) == ("Data", False)
    assert record["readOnly"] is False
    assert "tlsDetails" not in record
    assert re.fullmatch(r"[0-9A-Z]{16}", record["requestID"])


@pytest.mark.parametrize("key", [AWKWARD, "k" * 1024, "folder marker/", "//two", "100%25"])
def test_an_awkward_key_is_told_decoded(aws: LocalAws, uploader: Clients, key: str) -> None:
    record = aws.record_of(uploader("s3").put_object(Bucket=RAW, Key=key, Body=b""))
    assert record["requestParameters"]["key"] == key
    assert record["resources"] == resources(RAW, key)


def test_a_read_tells_how_much_went_out(aws: LocalAws, uploader: Clients) -> None:
    s3 = uploader("s3")
    put = s3.put_object(Bucket=RAW, Key="read.csv", Body=b"y" * 70_000)
    got = s3.get_object(Bucket=RAW, Key="read.csv", VersionId=put["VersionId"])
    assert got["Body"].read() == b"y" * 70_000
    part = s3.get_object(Bucket=RAW, Key="read.csv", Range="bytes=0-9")
    head = s3.head_object(Bucket=RAW, Key="read.csv")
    records = [aws.record_of(answer) for answer in (got, part, head)]
    assert [r["eventName"] for r in records] == ["GetObject", "GetObject", "HeadObject"]
    out = [r["additionalEventData"]["bytesTransferredOut"] for r in records]
    assert out == [70_000, 10, 0]
    assert all(r["readOnly"] is True and r["responseElements"] is None for r in records)
    assert records[0]["requestParameters"]["versionId"] == put["VersionId"]


def test_a_multipart_upload_is_told_call_by_call(aws: LocalAws, uploader: Clients) -> None:
    s3 = uploader("s3")
    created = s3.create_multipart_upload(Bucket=RAW, Key=AWKWARD)
    upload = {"Bucket": RAW, "Key": AWKWARD, "UploadId": created["UploadId"]}
    part = s3.upload_part(**upload, PartNumber=1, Body=b"z" * 5_242_880)
    copied = s3.upload_part_copy(
        **upload, PartNumber=2, CopySource={"Bucket": RAW, "Key": "incoming/a.csv"}
    )
    parts = [
        {"PartNumber": 1, "ETag": part["ETag"]},
        {"PartNumber": 2, "ETag": copied["CopyPartResult"]["ETag"]},
    ]
    completed = s3.complete_multipart_upload(**upload, MultipartUpload={"Parts": parts})
    abandoned = s3.create_multipart_upload(Bucket=RAW, Key="abandoned")
    aborted = s3.abort_multipart_upload(Bucket=RAW, Key="abandoned", UploadId=abandoned["UploadId"])
    answers = (created, part, copied, completed, aborted)
    records = [aws.record_of(answer) for answer in answers]
    assert [r["eventName"] for r in records] == [
        "CreateMultipartUpload",
        "UploadPart",
        "UploadPartCopy",
        "CompleteMultipartUpload",
        "AbortMultipartUpload",
    ]
    assert records[0]["requestParameters"]["uploads"] == ""
    assert records[1]["requestParameters"]["partNumber"] == "1"
    assert records[1]["requestParameters"]["uploadId"] == created["UploadId"]
    assert records[1]["additionalEventData"]["bytesTransferredIn"] >= 5_242_880
    assert records[2]["requestParameters"]["x-amz-copy-source"] == f"{RAW}/incoming/a.csv"
    assert records[3]["responseElements"] == {"x-amz-version-id": completed["VersionId"]}
    assert {r["requestParameters"]["key"] for r in records[:4]} == {AWKWARD}


def test_a_copy_and_its_source(aws: LocalAws, uploader: Clients) -> None:
    s3 = uploader("s3")
    s3.put_object(Bucket=RAW, Key=AWKWARD, Body=b"copied")
    answer = s3.copy_object(
        Bucket=RAW, Key="copy of ü.csv", CopySource={"Bucket": RAW, "Key": AWKWARD}
    )
    record = aws.record_of(answer)
    assert record["eventName"] == "CopyObject"
    assert record["requestParameters"]["key"] == "copy of ü.csv"
    assert record["requestParameters"]["x-amz-copy-source"].startswith(f"{RAW}/incoming/a%20b")
    assert record["responseElements"]["x-amz-version-id"] == answer["VersionId"]


def test_a_key_that_xml_cannot_hold_is_told_as_it_is(aws: LocalAws, uploader: Clients) -> None:
    key = "incoming/a\x01b\ufffe.csv"
    record = aws.record_of(uploader("s3").put_object(Bucket=RAW, Key=key, Body=b"x"))
    assert record["requestParameters"]["key"] == key
    assert record["resources"] == resources(RAW, key)


def test_deletes_name_their_versions(aws: LocalAws, uploader: Clients) -> None:
    s3 = uploader("s3")
    put = s3.put_object(Bucket=RAW, Key="gone.csv", Body=b"")
    hidden = s3.delete_object(Bucket=RAW, Key="gone.csv")
    purged = s3.delete_object(Bucket=RAW, Key="gone.csv", VersionId=put["VersionId"])
    first, second = aws.record_of(hidden), aws.record_of(purged)
    assert first["eventName"] == second["eventName"] == "DeleteObject"
    assert first["responseElements"] == {
        "x-amz-version-id": hidden["VersionId"],
        "x-amz-delete-marker": "true",
    }
    assert second["requestParameters"]["versionId"] == put["VersionId"]
    assert second["responseElements"]["x-amz-version-id"] == put["VersionId"]


def test_a_batch_delete_names_no_key(aws: LocalAws, uploader: Clients) -> None:
    s3 = uploader("s3")
    s3.put_object(Bucket=RAW, Key="batch.csv", Body=b"")
    answer = s3.delete_objects(Bucket=RAW, Delete={"Objects": [{"Key": "batch.csv"}]})
    record = aws.record_of(answer)
    assert record["eventName"] == "DeleteObjects"
    assert record["requestParameters"] == {
        "bucketName": RAW,
        "Host": f"127.0.0.1:{aws.settings.port}",
        "delete": "",
    }
    assert record["resources"][0]["ARNPrefix"] == f"arn:aws:s3:::{RAW}/"
    assert "batch.csv" not in json.dumps(record)


def test_lists_are_data_events_and_bucket_configuration_is_not(
    aws: LocalAws, uploader: Clients
) -> None:
    s3 = uploader("s3")
    listed = s3.list_objects_v2(Bucket=RAW, Prefix="incoming/", Delimiter="/")
    record = aws.record_of(listed)
    assert record["eventName"] == "ListObjects"
    parameters = record["requestParameters"]
    assert (parameters["list-type"], parameters["prefix"], parameters["delimiter"]) == (
        "2",
        "incoming/",
        "/",
    )
    assert aws.record_of(s3.list_object_versions(Bucket=RAW))["eventName"] == "ListObjectVersions"
    assert aws.record_of(s3.head_bucket(Bucket=RAW))["eventName"] == "HeadBucket"
    configuration = s3.get_bucket_versioning(Bucket=RAW)
    assert aws.records(requestID=configuration["ResponseMetadata"]["RequestId"]) == []


def test_tags_locks_and_acls(aws: LocalAws, uploader: Clients) -> None:
    s3 = uploader("s3")
    s3.put_object(Bucket=RAW, Key="tagged.csv", Body=b"")
    tagged = s3.put_object_tagging(
        Bucket=RAW, Key="tagged.csv", Tagging={"TagSet": [{"Key": "a", "Value": "b"}]}
    )
    read = s3.get_object_tagging(Bucket=RAW, Key="tagged.csv")
    untagged = s3.delete_object_tagging(Bucket=RAW, Key="tagged.csv")
    acl = s3.get_object_acl(Bucket=RAW, Key="tagged.csv")
    records = [aws.record_of(answer) for answer in (tagged, read, untagged, acl)]
    assert [r["eventName"] for r in records] == [
        "PutObjectTagging",
        "GetObjectTagging",
        "DeleteObjectTagging",
        "GetObjectAcl",
    ]
    assert records[0]["requestParameters"]["tagging"] == ""


def test_a_refusal_is_told_with_its_reason(aws: LocalAws, uploader: Clients) -> None:
    reader = aws.user("reader", allow("s3:ListBucket"))
    with pytest.raises(ClientError) as refused:
        reader("s3").put_object(Bucket=RAW, Key="mine.csv", Body=b"x")
    record = aws.record_of(refused.value.response)
    assert record["errorCode"] == "AccessDenied"
    assert "reader is not authorized to perform: s3:PutObject" in record["errorMessage"]
    assert record["responseElements"] is None
    assert record["userIdentity"]["userName"] == "reader"


def test_a_refused_head_is_told_too(aws: LocalAws, uploader: Clients) -> None:
    peeper = aws.user("peeper")
    with pytest.raises(ClientError) as refused:
        peeper("s3").head_object(Bucket=RAW, Key="incoming/a.csv")
    record = aws.record_of(refused.value.response)
    assert (record["eventName"], record["errorCode"]) == ("HeadObject", "AccessDenied")


@pytest.mark.parametrize("operation", ["get_object", "head_object"])
def test_who_cannot_prove_who_they_are_is_not_told_of(
    aws: LocalAws, uploader: Clients, operation: str
) -> None:
    victim = aws.root("iam").list_access_keys(UserName="till")["AccessKeyMetadata"][0]
    impostor = aws.client("s3", victim["AccessKeyId"], "wrong secret")
    with pytest.raises(ClientError) as refused:
        getattr(impostor, operation)(Bucket=RAW, Key="incoming/a.csv")
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 403
    request_id = refused.value.response["ResponseMetadata"]["RequestId"]
    assert aws.records(requestID=request_id) == []


def test_what_is_not_there_is_told_as_an_error(aws: LocalAws, uploader: Clients) -> None:
    with pytest.raises(ClientError) as missing:
        uploader("s3").get_object(Bucket=RAW, Key="never was")
    record = aws.record_of(missing.value.response)
    assert record["errorCode"] == "NoSuchKey"
    with pytest.raises(ClientError) as taken:
        uploader("s3").put_object(Bucket=RAW, Key="incoming/a.csv", Body=b"", IfNoneMatch="*")
    assert aws.record_of(taken.value.response)["errorCode"] == "PreconditionFailed"


def test_a_role_session_names_the_role(aws: LocalAws, uploader: Clients) -> None:
    trust = {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"},
                "Action": "sts:AssumeRole",
            }
        ],
    }
    iam = aws.root("iam")
    role = iam.create_role(
        RoleName="glue", Path="/custody/", AssumeRolePolicyDocument=json.dumps(trust)
    )["Role"]
    policy = {"Version": "2012-10-17", "Statement": [allow("s3:*")]}
    iam.put_role_policy(RoleName="glue", PolicyName="p", PolicyDocument=json.dumps(policy))
    given = uploader("sts").assume_role(
        RoleArn=role["Arn"], RoleSessionName="job 1".replace(" ", "-")
    )
    credentials = given["Credentials"]
    s3 = aws.client(
        "s3",
        credentials["AccessKeyId"],
        credentials["SecretAccessKey"],
        credentials["SessionToken"],
    )
    identity = aws.record_of(s3.put_object(Bucket=RAW, Key="by-role", Body=b""))["userIdentity"]
    created = identity["sessionContext"]["attributes"].pop("creationDate")
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", created)
    assert identity == {
        "type": "AssumedRole",
        "principalId": f"{role['RoleId']}:job-1",
        "arn": f"arn:aws:sts::{ACCOUNT}:assumed-role/glue/job-1",
        "accountId": ACCOUNT,
        "accessKeyId": credentials["AccessKeyId"],
        "sessionContext": {
            "sessionIssuer": {
                "type": "Role",
                "principalId": role["RoleId"],
                "arn": role["Arn"],
                "accountId": ACCOUNT,
                "userName": "glue",
            },
            "attributes": {"mfaAuthenticated": "false"},
        },
    }


def test_root_is_told_as_root(aws: LocalAws, uploader: Clients) -> None:
    record = aws.record_of(aws.root("s3").put_object(Bucket=RAW, Key="by-root", Body=b""))
    assert record["userIdentity"]["type"] == "Root"
    assert record["userIdentity"]["arn"] == f"arn:aws:iam::{ACCOUNT}:root"


def test_a_presigned_upload_is_told_as_its_signers(aws: LocalAws, uploader: Clients) -> None:
    url = uploader("s3", signature_version="s3v4").generate_presigned_url(
        "put_object", Params={"Bucket": RAW, "Key": AWKWARD}, ExpiresIn=300
    )
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    request = urllib.request.Request(url, data=b"presigned", method="PUT")  # noqa: S310
    with opener.open(request) as answer:
        request_id = answer.headers["x-amz-request-id"]
        version_id = answer.headers["x-amz-version-id"]
    (record,) = aws.records(requestID=request_id)
    assert record["userIdentity"]["userName"] == "till"
    assert record["requestParameters"]["key"] == AWKWARD
    assert record["responseElements"]["x-amz-version-id"] == version_id
    assert record["additionalEventData"]["AuthenticationMethod"] == "QueryString"
    assert record["additionalEventData"]["bytesTransferredIn"] == 9
    assert record["requestParameters"]["X-Amz-Expires"] == "300"
    assert not {"X-Amz-Signature", "X-Amz-Credential"} & set(record["requestParameters"])


def test_an_error_carries_the_same_request_id_everywhere(aws: LocalAws, uploader: Clients) -> None:
    url = uploader("s3", signature_version="s3v4").generate_presigned_url(
        "get_object", Params={"Bucket": RAW, "Key": "never was"}, ExpiresIn=300
    )
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with pytest.raises(urllib.error.HTTPError) as missing:
        opener.open(url)
    with missing.value as error:
        body = error.read().decode()
        request_id = error.headers["x-amz-request-id"]
        assert error.headers["content-length"] == str(len(body.encode()))
    assert f"<RequestId>{request_id}</RequestId>" in body
    (record,) = aws.records(requestID=request_id)
    assert record["additionalEventData"]["bytesTransferredOut"] == len(body.encode())


def test_an_unversioned_upload_has_no_version(aws: LocalAws, uploader: Clients) -> None:
    record = aws.record_of(uploader("s3").put_object(Bucket=UNVERSIONED, Key="a", Body=b"x"))
    assert record["responseElements"] is None


def test_our_own_log_files_are_told_as_the_services(aws: LocalAws, uploader: Clients) -> None:
    uploader("s3").put_object(Bucket=RAW, Key="anything", Body=b"")
    (first, *_) = aws.flush() or aws.log_objects()
    own = wait_for(
        lambda: [
            r
            for r in aws.records(eventName="PutObject", bucketName=LOG_BUCKET)
            if first.endswith(r["requestParameters"]["key"])
        ]
    )
    assert own[0]["userIdentity"] == {
        "type": "AWSService",
        "invokedBy": "cloudtrail.amazonaws.com",
    }
    assert own[0]["sourceIPAddress"] == own[0]["userAgent"] == "cloudtrail.amazonaws.com"
    assert own[0]["requestParameters"]["x-amz-acl"] == "bucket-owner-full-control"


def test_no_event_is_delivered_twice(aws: LocalAws, uploader: Clients) -> None:
    ids = [record["eventID"] for record in aws.records()]
    assert len(ids) == len(set(ids)) > 20


def test_log_files_are_gzipped_json_of_the_service(aws: LocalAws, uploader: Clients) -> None:
    uploader("s3").put_object(Bucket=RAW, Key="anything", Body=b"")
    aws.flush()
    key = aws.log_objects()[0]
    head = aws.root("s3").head_object(Bucket=LOG_BUCKET, Key=key)
    assert head["ContentType"] == "application/json"
    assert head["ContentEncoding"] == "gzip"
    assert head["ServerSideEncryption"] == "AES256"
    body = aws.root("s3").get_object(Bucket=LOG_BUCKET, Key=key)["Body"].read()
    assert io.BytesIO(body).read(2) == b"\x1f\x8b"


def test_a_notification_and_its_record_meet_on_the_request_id(
    aws: LocalAws, uploader: Clients
) -> None:
    sqs = aws.root("sqs")
    queue = sqs.create_queue(QueueName="notifications")["QueueUrl"]
    arn = f"arn:aws:sqs:{REGION}:{ACCOUNT}:notifications"
    policy = {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"Service": "s3.amazonaws.com"},
                "Action": "sqs:SendMessage",
                "Resource": arn,
            }
        ],
    }
    sqs.set_queue_attributes(QueueUrl=queue, Attributes={"Policy": json.dumps(policy)})
    aws.root("s3").put_bucket_notification_configuration(
        Bucket=RAW,
        NotificationConfiguration={
            "QueueConfigurations": [{"QueueArn": arn, "Events": ["s3:ObjectCreated:*"]}]
        },
    )
    sqs.purge_queue(QueueUrl=queue)
    answer = uploader("s3").put_object(Bucket=RAW, Key=AWKWARD, Body=b"notify")
    # Already there when the call was answered: nothing to wait for.
    (message,) = sqs.receive_message(QueueUrl=queue)["Messages"]
    (notified,) = json.loads(message["Body"])["Records"]
    record = aws.record_of(answer)
    assert notified["responseElements"] == {
        "x-amz-request-id": record["requestID"],
        "x-amz-id-2": record["additionalEventData"]["x-amz-id-2"],
    }
    assert notified["userIdentity"] == {
        "principalId": f"AWS:{record['userIdentity']['principalId']}"
    }
    assert notified["requestParameters"] == {"sourceIPAddress": record["sourceIPAddress"]}
    assert notified["s3"]["object"]["versionId"] == answer["VersionId"]
    assert re.fullmatch(r"[0-9A-F]+", notified["s3"]["object"]["sequencer"])
