"""The base as it is deployed: what each principal may do, and no more.

The deploy command runs against a local AWS of this test's own, which checks signatures and
evaluates policies. What it cannot show: the condition key `s3:if-none-match` (unknown to
ministack) and the KMS side of encryption, which it does not ask for (`kms:ViaService`).
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import boto3
import botocore.session
import pytest
from botocore.exceptions import ClientError
from infra.build import REPOSITORY
from tests.support.patience import PATIENCE_SECONDS

from custody.aws.kms.public_keys import trusted_keys
from custody.core.formats.dsse import Envelope
from custody.core.records.checking import TrustedKey, read_envelope
from custody.core.records.model import UnreadableReason, UnreadableRecord
from custody.core.records.names import record_id
from custody.core.records.statement import from_statement, read_record
from custody.objects import ObjectVersion
from custody.settings import Settings

ACCOUNT: Final = "111122223333"
DAY: Final = "incoming/customers/dt=2026-11-01"
LARGE_OBJECT_BYTES: Final = 1024 * 1024
SMALL_IS_LARGE: Final = ("--parameter", f"RecorderLargeObjectBytes={LARGE_OBJECT_BYTES}")


def bucket(role: str) -> str:
    return f"custody-local-{role}-{ACCOUNT}"


@dataclass(frozen=True)
class LocalAws:
    """A local AWS in a folder of its own."""

    home: Path
    port: int

    @property
    def environment(self) -> dict[str, str]:
        """Of a program that acts as the platform engineer there, and knows no other AWS."""
        inherited = {k: v for k, v in os.environ.items() if not k.startswith(("AWS_", "CUSTODY_"))}
        return inherited | {
            "AWS_CONFIG_FILE": str(self.home / "aws" / "config"),
            "AWS_SHARED_CREDENTIALS_FILE": str(self.home / "aws" / "credentials"),
            "AWS_PROFILE": "platform-engineer",
            "AWS_EC2_METADATA_DISABLED": "true",
            "CUSTODY_LOCAL_HOME": str(self.home),
            "LOCAL_AWS_PORT": str(self.port),
            "NO_PROXY": "127.0.0.1",
        }

    def command(self, *arguments: str) -> None:
        subprocess.run(
            [REPOSITORY / ".venvs" / "local" / "bin" / "python", "-m", "localaws", *arguments],
            env=self.environment | {"PYTHONPATH": str(REPOSITORY / "infra" / "local")},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            check=True,
        )

    def deploy(self, *arguments: str, repository: Path = REPOSITORY) -> str:
        """What the deploy command prints."""
        finished = subprocess.run(
            [sys.executable, repository / "infra" / "deploy.py", "--stage", "local", *arguments],
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        assert finished.returncode == 0, finished.stdout
        return finished.stdout

    def client(self, service: str, principal: str) -> Any:
        """A client of one of the local principals."""
        session = botocore.session.Session(profile=principal)
        for file in ("config", "credentials"):
            session.set_config_variable(f"{file}_file", str(self.home / "aws" / file))
        return boto3.Session(botocore_session=session).client(service)

    def role_client(self, service: str, role: str) -> Any:
        """A client of a service's role, which only the account's root can become here."""
        root = json.loads((self.home / "aws" / "root.json").read_text())
        place: dict[str, Any] = {
            "region_name": "us-east-1",
            "endpoint_url": f"http://127.0.0.1:{self.port}",
        }
        sts = boto3.client(
            "sts",
            **place,
            aws_access_key_id=root["AccessKeyId"],
            aws_secret_access_key=root["SecretAccessKey"],
        )
        session = sts.assume_role(RoleArn=role_arn(role), RoleSessionName="test")["Credentials"]
        return boto3.client(
            service,
            **place,
            aws_access_key_id=session["AccessKeyId"],
            aws_secret_access_key=session["SecretAccessKey"],
            aws_session_token=session["SessionToken"],
        )


@dataclass(frozen=True)
class Deployed:
    aws: LocalAws
    said: str
    """What the first deployment printed."""


@pytest.fixture(scope="module")
def deployed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployed]:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    aws = LocalAws(tmp_path_factory.mktemp("local-aws"), port)
    aws.command("start")
    try:
        yield Deployed(aws, aws.deploy(*SMALL_IS_LARGE))
    finally:
        aws.command("stop")


@pytest.fixture(scope="module")
def aws(deployed: Deployed) -> LocalAws:
    return deployed.aws


def role_arn(role: str) -> str:
    return f"arn:aws:iam::{ACCOUNT}:role/custody-local-{role}"


def answer(call: Callable[..., object], **arguments: object) -> str:
    """`ok`, or the code of the error the call was refused with."""
    try:
        call(**arguments)
    except ClientError as error:
        return str(error.response["Error"]["Code"])
    return "ok"


def test_deploying_again_changes_nothing_and_an_update_goes_through(deployed: Deployed) -> None:
    assert "custody-local CREATE_COMPLETE" in deployed.said
    again = deployed.aws.deploy(*SMALL_IS_LARGE)
    assert "custody-local-bootstrap: no changes" in again
    assert "custody-local: no changes" in again
    # Every nested stack is updated, those without a change of their own included.
    updated = deployed.aws.deploy(*SMALL_IS_LARGE, "--parameter", "QueryResultDays=7")
    assert "custody-local: custody-local UPDATE_COMPLETE" in updated
    # What the services say of the resources is what the templates say.
    deployed.aws.command("readback", "--stack", "custody-local")


def settings_of(aws: LocalAws) -> dict[str, str]:
    """The runtime settings, as Airflow reads them."""
    name = "/custody/local/airflow/variables/custody"
    ssm = aws.client("ssm", "airflow")
    settings: dict[str, str] = json.loads(ssm.get_parameter(Name=name)["Parameter"]["Value"])
    return settings


def test_airflow_reads_the_settings(aws: LocalAws) -> None:
    settings = settings_of(aws)
    assert settings["raw_bucket"] == bucket("raw")
    assert (settings["account_id"], settings["region"]) == (ACCOUNT, "us-east-1")
    assert (settings["database"], settings["workgroup"]) == ("custody_local", "custody-local")
    location = settings["code_location"].removeprefix(f"s3://{bucket('artifacts')}/")
    s3 = aws.client("s3", "platform-engineer")
    listed = s3.list_objects_v2(Bucket=bucket("artifacts"), Prefix=f"{location}/")["Contents"]
    assert [item["Key"].removeprefix(f"{location}/") for item in listed] == [
        "contracts/customers.odcs.yaml",
        "custody.zip",
        "sql/gold/customers_by_country_month.sql",
    ]


def recorded(aws: LocalAws, key: str, version: str) -> Envelope:
    """The record of an object version, once it is there."""
    reader = aws.client("s3", "airflow")
    name = record_id(ObjectVersion(bucket("raw"), key, version))
    deadline = time.monotonic() + PATIENCE_SECONDS
    found: list[str] = []
    while not found and time.monotonic() < deadline:
        listed = reader.list_objects_v2(Bucket=bucket("provenance"), Prefix="provenance/incoming/")
        found = [i["Key"] for i in listed.get("Contents", []) if name in i["Key"]]
    assert found, "no record"
    line = reader.get_object(Bucket=bucket("provenance"), Key=found[0])["Body"].read()
    return Envelope.parse(line)


def test_what_is_uploaded_gets_a_signed_record(aws: LocalAws) -> None:
    key = f"{DAY}/ a+b%20é'.csv"
    uploader = aws.client("s3", "web-shop")
    version = uploader.put_object(Bucket=bucket("raw"), Key=key, Body=b"a,b\n")["VersionId"]
    envelope = recorded(aws, key, version)
    assert from_statement(envelope.payload).version.key == key
    kms = aws.role_client("kms", "glue")
    assert kms.get_public_key(KeyId=envelope.signatures[0].keyid)["KeyUsage"] == "SIGN_VERIFY"


def test_what_is_too_large_for_the_lambda_is_recorded_by_the_job(aws: LocalAws) -> None:
    key, content = f"{DAY}/large é.csv", b"x" * (LARGE_OBJECT_BYTES + 1)
    uploader = aws.client("s3", "web-shop")
    version = uploader.put_object(Bucket=bucket("raw"), Key=key, Body=content)["VersionId"]
    record = from_statement(recorded(aws, key, version).payload)
    assert record.sha256 == hashlib.sha256(content).hexdigest()
    runs = aws.client("glue", "platform-engineer").get_job_runs(
        JobName="custody-local-record-large"
    )["JobRuns"]
    assert len(runs) == 1
    assert runs[0]["Arguments"]["--record_id"] == record_id(
        ObjectVersion(bucket("raw"), key, version)
    )


def test_what_nobody_can_read_gets_a_record_that_says_so(aws: LocalAws) -> None:
    """ministack keeps SSE-C objects and archives as S3 does."""
    uploader = aws.client("s3", "web-shop")
    reasons = {
        UnreadableReason.CUSTOMER_KEY: {
            "SSECustomerAlgorithm": "AES256",
            "SSECustomerKey": "k" * 32,
        },
        UnreadableReason.ARCHIVED: {"StorageClass": "GLACIER"},
    }
    for reason, how in reasons.items():
        key = f"{DAY}/{reason}.csv"
        put = uploader.put_object(Bucket=bucket("raw"), Key=key, Body=b"x", **how)
        record = read_record(recorded(aws, key, put["VersionId"]).payload)
        assert isinstance(record, UnreadableRecord)
        assert record.reason is reason


WRITES: Final = {
    # place: who may put an object there
    ("raw", f"{DAY}/x.csv"): {"web-shop", "crm-export", "partner-feed"},
    ("raw", "elsewhere/x.csv"): set[str](),
    ("provenance", "provenance/incoming/dt=2026-11-01/0.json"): {"recorder", "recorder-large"},
    ("provenance", "provenance/lineage/dt=2026-11-01/0.json"): {"glue"},
    ("provenance", "seal/checkpoint"): {"audit"},
    ("processed", "silver/customers/dt=2026-11-01/run=1/part-0.parquet"): {"glue"},
    ("processed", "quarantine/customers/dt=2026-11-01/run=1/part-0.parquet"): {"glue"},
    ("processed", "files/customers/dt=2026-11-01/run=1/part-0.parquet"): {"glue"},
    ("processed", "elsewhere/x"): set[str](),
    ("analytics", "gold/customers/dt=2026-11-01/run=1/part-0.parquet"): {"glue"},
    ("analytics", "reconciliation/run=1/dt=2026-11-01/hour=00/x.parquet"): {"audit"},
    ("analytics", "record_checks/dt=2026-11-01/run=1/x.parquet"): {"audit"},
    ("analytics", "lineage_checks/dt=2026-11-01/run=1/x.parquet"): {"audit"},
    ("analytics", "pages/0.json"): {"airflow"},
    ("analytics", "elsewhere/x"): set[str](),
    ("trail", f"AWSLogs/{ACCOUNT}/CloudTrail/x.json.gz"): set[str](),
    ("athena-results", "custody-local/x.csv"): {"airflow", "insider"},
}
ROLES: Final = ("recorder", "recorder-large", "glue", "audit")


@pytest.fixture(scope="module")
def s3_of(aws: LocalAws) -> dict[str, Any]:
    users = ("web-shop", "crm-export", "partner-feed", "insider", "airflow")
    return {user: aws.client("s3", user) for user in users} | {
        role: aws.role_client("s3", role) for role in ROLES
    }


@pytest.mark.parametrize("place", WRITES, ids="/".join)
def test_who_writes_where(s3_of: dict[str, Any], place: tuple[str, str]) -> None:
    role, key = place
    answers = {
        who: answer(s3.put_object, Bucket=bucket(role), Key=key, Body=b"x")
        for who, s3 in s3_of.items()
    }
    assert {who for who, said in answers.items() if said == "ok"} == WRITES[place]
    assert set(answers.values()) <= {"ok", "AccessDenied"}


@pytest.mark.parametrize("role", ["raw", "provenance", "processed", "analytics", "trail"])
def test_no_part_of_the_pipeline_deletes(s3_of: dict[str, Any], role: str) -> None:
    for place, key in WRITES:
        if place == role:
            answers = {
                who: answer(s3_of[who].delete_object, Bucket=bucket(role), Key=key)
                for who in ("web-shop", "recorder", "glue", "airflow")
            }
            assert set(answers.values()) == {"AccessDenied"}, (key, answers)


def test_glue_clears_sparks_working_files(s3_of: dict[str, Any]) -> None:
    key = "silver/customers/dt=2026-11-01/run=2/_temporary/0/task/part-0.parquet"
    s3_of["glue"].put_object(Bucket=bucket("processed"), Key=key, Body=b"")
    assert answer(s3_of["glue"].delete_object, Bucket=bucket("processed"), Key=key) == "ok"


def test_an_uploader_reads_nothing_back(s3_of: dict[str, Any]) -> None:
    uploader, raw = s3_of["web-shop"], bucket("raw")
    uploader.put_object(Bucket=raw, Key=f"{DAY}/mine.csv", Body=b"x")
    assert answer(uploader.get_object, Bucket=raw, Key=f"{DAY}/mine.csv") == "AccessDenied"
    assert answer(uploader.list_objects_v2, Bucket=raw) == "AccessDenied"


def test_airflow_sees_bronze_but_does_not_read_it(s3_of: dict[str, Any]) -> None:
    airflow, raw = s3_of["airflow"], bucket("raw")
    s3_of["web-shop"].put_object(Bucket=raw, Key=f"{DAY}/seen.csv", Body=b"x")
    assert answer(airflow.list_object_versions, Bucket=raw) == "ok"
    assert answer(airflow.get_object, Bucket=raw, Key=f"{DAY}/seen.csv") == "AccessDenied"


@pytest.mark.parametrize(
    ("key", "signers"), [("signing", {"recorder", "recorder-large"}), ("lineage", {"glue"})]
)
def test_a_key_signs_for_its_roles_and_not_even_for_an_administrator(
    aws: LocalAws, key: str, signers: set[str]
) -> None:
    alias = f"alias/custody-local-{key}"
    arn = aws.client("kms", "insider").describe_key(KeyId=alias)["KeyMetadata"]["Arn"]
    clients = {who: aws.client("kms", who) for who in ("insider", "airflow", "web-shop")}
    clients |= {role: aws.role_client("kms", role) for role in ROLES}
    answers = {
        who: answer(
            kms.sign,
            KeyId=arn,
            Message=bytes(32),
            MessageType="DIGEST",
            SigningAlgorithm="ECDSA_SHA_256",
        )
        for who, kms in clients.items()
    }
    assert {answers.pop(role) for role in signers} == {"ok"}
    assert set(answers.values()) == {"AccessDeniedException"}


def test_only_the_role_that_audits_seals_not_even_an_administrator(aws: LocalAws) -> None:
    alias = "alias/custody-local-seal"
    key = aws.client("kms", "insider").describe_key(KeyId=alias)["KeyMetadata"]
    assert (key["KeySpec"], key["KeyUsage"]) == ("ECC_NIST_EDWARDS25519", "SIGN_VERIFY")
    clients = {who: aws.client("kms", who) for who in ("insider", "airflow", "web-shop")}
    clients |= {role: aws.role_client("kms", role) for role in ROLES}
    answers = {
        who: answer(
            kms.sign,
            KeyId=key["Arn"],
            Message=b"checkpoint",
            MessageType="RAW",
            SigningAlgorithm="ED25519_SHA_512",
        )
        for who, kms in clients.items()
    }
    assert answers.pop("audit") == "ok"
    assert set(answers.values()) == {"AccessDeniedException"}


@pytest.mark.parametrize(
    ("service", "operation", "arguments", "said"),
    [
        ("glue", "get_job", {"JobName": "custody-local-bronze-to-silver"}, "ok"),
        ("glue", "get_job", {"JobName": "custody-local-silver-to-gold"}, "ok"),
        ("glue", "get_job", {"JobName": "other"}, "AccessDeniedException"),
        ("glue", "get_tables", {"DatabaseName": "custody_local"}, "ok"),
        ("glue", "get_tables", {"DatabaseName": "other"}, "AccessDeniedException"),
        ("glue", "delete_table", {"DatabaseName": "custody_local", "Name": "x"}, "Access"),
        ("athena", "get_work_group", {"WorkGroup": "custody-local"}, "ok"),
        ("athena", "get_work_group", {"WorkGroup": "primary"}, "AccessDeniedException"),
        ("ssm", "get_parameter", {"Name": "/custody/local/airflow/variables/x"}, "Parameter"),
        ("ssm", "get_parameter", {"Name": "/other"}, "AccessDeniedException"),
        ("iam", "list_users", {}, "AccessDenied"),
        ("cloudtrail", "stop_logging", {"Name": "custody-local"}, "AccessDenied"),
    ],
)
def test_what_airflow_may_ask_for(
    aws: LocalAws, service: str, operation: str, arguments: dict[str, str], said: str
) -> None:
    client = aws.client(service, "airflow")
    assert answer(getattr(client, operation), **arguments).startswith(said)


def test_only_airflow_pages(aws: LocalAws) -> None:
    page = {"TopicArn": f"arn:aws:sns:us-east-1:{ACCOUNT}:custody-local-pages", "Message": "test"}
    answers = {
        who: answer(aws.client("sns", who).publish, **page)
        for who in ("airflow", "insider", "web-shop")
    }
    assert answers == {
        "airflow": "ok",
        "insider": "AuthorizationError",
        "web-shop": "AuthorizationError",
    }


@pytest.mark.parametrize("role", ROLES)
def test_nobody_becomes_a_services_role(aws: LocalAws, role: str) -> None:
    answers = {
        who: answer(
            aws.client("sts", who).assume_role, RoleArn=role_arn(role), RoleSessionName="test"
        )
        for who in ("insider", "platform-engineer", "airflow", "web-shop")
    }
    assert set(answers.values()) == {"AccessDenied"}


def test_a_new_key_takes_over_and_the_old_one_is_believed_for_its_time(
    aws: LocalAws, tmp_path: Path
) -> None:
    """As docs/operations.md tells; last, for the stack goes on with the new key."""
    uploader, kms = aws.client("s3", "web-shop"), aws.role_client("kms", "glue")

    def signed(name: str) -> Envelope:
        put = uploader.put_object(Bucket=bucket("raw"), Key=f"{DAY}/{name}", Body=b"a,b\n")
        return recorded(aws, f"{DAY}/{name}", put["VersionId"])

    before = signed("before.csv")
    (old,) = (signature.keyid for signature in before.signatures)
    until = from_statement(before.payload).hashed_at + timedelta(seconds=1)
    former = f"{old}={until:%Y-%m-%dT%H:%M:%SZ}"
    aws.deploy(
        *SMALL_IS_LARGE,
        *("--parameter", f"FormerSigningKeys={former}"),
        repository=with_another_signing_key(tmp_path / "repository"),
    )
    after = signed("after.csv")
    (new,) = (signature.keyid for signature in after.signatures)

    assert old != new
    keys = trusted_keys(kms, Settings.parse(settings_of(aws)))
    assert [trouble(envelope, keys) for envelope in (before, after)] == [None, None]
    late = replace(keys[old], valid_until=until - timedelta(days=1))
    assert "outside the period of its key" in str(trouble(before, keys | {old: late}))


def trouble(envelope: Envelope, keys: Mapping[str, TrustedKey]) -> str | None:
    """Why a record is not to be believed."""
    return read_envelope(
        envelope.to_json_line(),
        keys,
        stored=ObjectVersion(bucket("provenance"), "any", "any"),
        stored_at=datetime.now(UTC),
    ).trouble


def with_another_signing_key(repository: Path) -> Path:
    """A copy of the repository in which the key that signs records has a new logical name."""
    for folder in ("infra", "include", "lambda", "plugins"):
        shutil.copytree(REPOSITORY / folder, repository / folder)
    (repository / ".venvs").symlink_to(REPOSITORY / ".venvs")
    keys = repository / "infra" / "cloudformation" / "keys.yaml"
    template = keys.read_text(encoding="utf-8")
    for name in ("  {}:\n", "!Ref {}\n", "${{{}}}"):
        assert name.format("Signing") in template
        template = template.replace(name.format("Signing"), name.format("SigningFrom2027"))
    keys.write_text(template, encoding="utf-8")
    return repository
