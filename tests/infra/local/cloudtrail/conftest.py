"""A real local AWS, in a process of its own, for the tests that need one."""

from __future__ import annotations

import gzip
import json
import os
import shutil
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config
from tests.support.patience import PATIENCE_SECONDS

from localaws.access.root import root_keys
from localaws.server import lifecycle
from localaws.settings import GLOBAL_REGION, HOST, REPOSITORY, Settings

ACCOUNT = "111122223333"
REGION = "us-east-1"
TRAIL = "custody-local"
TRAIL_ARN = f"arn:aws:cloudtrail:{REGION}:{ACCOUNT}:trail/{TRAIL}"
LOG_BUCKET = f"custody-local-trail-{ACCOUNT}"


@dataclass
class LocalAws:
    """A running local AWS and what a test wants of it."""

    settings: Settings
    environment: dict[str, str]
    # Reading a log file is an S3 call that is logged in the next one: read each only once.
    _logs: dict[str, dict[str, Any]] = field(default_factory=dict)
    _root: dict[str, Any] = field(default_factory=dict)

    def start(self) -> None:
        command = [sys.executable, "-m", "localaws", "start"]
        done = subprocess.run(
            command,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=PATIENCE_SECONDS,
        )
        assert done.returncode == 0, done.stderr

    def stop(self, *, kill: bool = False) -> None:
        """Stop the server: asking it to (SIGTERM), or not asking (SIGKILL)."""
        lifecycle.stop(self.settings, kill=kill)

    def log(self) -> str:
        return lifecycle.tail(self.settings, 60)

    def root_keys(self) -> tuple[str, str]:
        keys = root_keys(self.settings)
        return keys.access_key_id, keys.secret_access_key

    def root(self, service: str) -> Any:
        if service not in self._root:
            self._root[service] = self.client(service, *self.root_keys())
        return self._root[service]

    def in_region(self, region: str, service: str) -> Any:
        """A client of the root in another region."""
        return self.client(service, *self.root_keys(), region=region)

    def client(
        self,
        service: str,
        key: str,
        secret: str,
        token: str | None = None,
        *,
        region: str = "",
        **config: Any,
    ) -> Any:
        return boto3.session.Session().client(
            service,
            endpoint_url=self.settings.endpoint,
            region_name=region or self.settings.region,
            aws_access_key_id=key,
            aws_secret_access_key=secret,
            aws_session_token=token,
            config=Config(
                proxies={},
                retries={"total_max_attempts": 1},
                read_timeout=PATIENCE_SECONDS,
                **config,
            ),
        )

    def user(self, name: str, *statements: dict[str, Any]) -> Callable[..., Any]:
        """Make a user with a policy; gives a function from service to client."""
        iam = self.root("iam")
        iam.create_user(UserName=name)
        if statements:
            policy = {"Version": "2012-10-17", "Statement": list(statements)}
            iam.put_user_policy(UserName=name, PolicyName="p", PolicyDocument=json.dumps(policy))
        made = iam.create_access_key(UserName=name)["AccessKey"]
        return lambda service, **config: self.client(
            service, made["AccessKeyId"], made["SecretAccessKey"], **config
        )

    def control(self, method: str, path: str, payload: dict[str, Any] | None = None) -> Any:
        request = urllib.request.Request(  # noqa: S310 - our own endpoint
            f"{self.settings.endpoint}/_local/cloudtrail/{path}",
            data=json.dumps(payload or {}).encode() if method == "POST" else None,
            method=method,
        )
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(request, timeout=PATIENCE_SECONDS) as response:
            return json.load(response)

    def flush(self) -> list[str]:
        files: list[str] = self.control("POST", "flush")["log_files"]
        return files

    def log_objects(self, kind: str = "CloudTrail") -> list[str]:
        """Keys of the delivered log files (or of the digests: `CloudTrail-Digest`)."""
        prefix = f"AWSLogs/{ACCOUNT}/{kind}/"
        pages = (
            self.root("s3")
            .get_paginator("list_objects_v2")
            .paginate(Bucket=LOG_BUCKET, Prefix=prefix)
        )
        return [found["Key"] for page in pages for found in page.get("Contents", [])]

    def read_log(self, key: str) -> dict[str, Any]:
        body = self.root("s3").get_object(Bucket=LOG_BUCKET, Key=key)["Body"].read()
        document: dict[str, Any] = json.loads(gzip.decompress(body))
        return document

    def records(self, **wanted: Any) -> list[dict[str, Any]]:
        """Every delivered record whose fields, or request parameters, are as `wanted`."""
        self.flush()
        for key in self.log_objects():
            if key not in self._logs:
                self._logs[key] = self.read_log(key)
        found = [record for log in self._logs.values() for record in log["Records"]]
        return [
            record
            for record in found
            if all(
                record.get(name, (record["requestParameters"] or {}).get(name)) == value
                for name, value in wanted.items()
            )
        ]

    def record_of(self, answer: dict[str, Any]) -> dict[str, Any]:
        """The one record of a call, by the request id its answer carried."""
        request_id = answer["ResponseMetadata"]["RequestId"]
        (record,) = self.records(requestID=request_id)
        return record

    def trail(
        self,
        *data_resources: str,
        validated: bool = True,
        kms_key_id: str = "",
        multi_region: bool = False,
    ) -> None:
        """A trail with its bucket, as AWS's user guide sets one up."""
        s3 = self.root("s3")
        elsewhere = {"CreateBucketConfiguration": {"LocationConstraint": self.settings.region}}
        s3.create_bucket(
            Bucket=LOG_BUCKET, **({} if self.settings.region == GLOBAL_REGION else elsewhere)
        )
        s3.put_bucket_versioning(Bucket=LOG_BUCKET, VersioningConfiguration={"Status": "Enabled"})
        s3.put_bucket_policy(
            Bucket=LOG_BUCKET, Policy=json.dumps(bucket_policy(self.settings.region))
        )
        cloudtrail = self.root("cloudtrail")
        cloudtrail.create_trail(
            Name=TRAIL,
            S3BucketName=LOG_BUCKET,
            EnableLogFileValidation=validated,
            IsMultiRegionTrail=multi_region,
            **({"KmsKeyId": kms_key_id} if kms_key_id else {}),
        )
        self.select(*data_resources)
        cloudtrail.start_logging(Name=TRAIL)

    def select(self, *data_resources: str) -> None:
        """Choose whose data events the trail records: all, or those of some ARN prefixes."""
        values = list(data_resources) or ["arn:aws:s3"]
        self.root("cloudtrail").put_event_selectors(
            TrailName=TRAIL,
            EventSelectors=[
                {
                    "ReadWriteType": "All",
                    "IncludeManagementEvents": False,
                    "DataResources": [{"Type": "AWS::S3::Object", "Values": values}],
                }
            ],
        )


def bucket_policy(region: str = REGION) -> dict[str, Any]:
    """The policy AWS's CloudTrail user guide gives for a trail's bucket."""
    service = {"Service": "cloudtrail.amazonaws.com"}
    arn = f"arn:aws:cloudtrail:{region}:{ACCOUNT}:trail/{TRAIL}"
    source = {"aws:SourceArn": arn}
    return {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": service,
                "Action": "s3:GetBucketAcl",
                "Resource": f"arn:aws:s3:::{LOG_BUCKET}",
                "Condition": {"StringEquals": source},
            },
            {
                "Effect": "Allow",
                "Principal": service,
                "Action": "s3:PutObject",
                "Resource": f"arn:aws:s3:::{LOG_BUCKET}/AWSLogs/{ACCOUNT}/*",
                "Condition": {
                    "StringEquals": source | {"s3:x-amz-acl": "bucket-owner-full-control"}
                },
            },
        ],
    }


def allow(*actions: str, resource: str = "*") -> dict[str, Any]:
    """A statement of an identity policy."""
    return {"Effect": "Allow", "Action": list(actions), "Resource": resource}


def make_local_aws(home: Path, **environment: str) -> LocalAws:
    """A local AWS on a free port and a home of its own, not yet started."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.bind((HOST, 0))
        port = probe.getsockname()[1]
    env = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(REPOSITORY / "infra" / "local"),
        "CUSTODY_LOCAL_HOME": str(home),
        "LOCAL_AWS_PORT": str(port),
        "LOCAL_CLOUDTRAIL_DELIVERY_SECONDS": "0.2",
        **environment,
    }
    region = environment.get("LOCAL_AWS_REGION", REGION)
    return LocalAws(Settings(home, port, ACCOUNT, region), env)


@pytest.fixture(scope="module")
def aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalAws]:
    """A running local AWS without a trail, for all the tests of a module."""
    home = Path(tmp_path_factory.mktemp("home"))
    local = make_local_aws(home)
    try:
        local.start()
        yield local
    finally:
        local.stop()
        shutil.rmtree(home, ignore_errors=True)
