"""The evidence's second copy, in another region and another account, which nobody here can touch.

The local AWS copies as S3 does, but for version ids: there a copy has its original's.
"""

from __future__ import annotations

import base64
import gzip
import json
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any, Final

import pytest
from infra.deployment.deploying import Deployment, Options
from infra.deployment.session import Session
from infra.deployment.stages import Replica, Stage, read_stage
from infra.deployment.templates.reading import FOLDER
from tests.infra.cloudformation.conftest import answer, bucket
from tests.infra.conftest import REGION
from tests.support.local_aws import ACCOUNT, LocalAws

from rehearsal.waiting import wait_until

ARCHIVE: Final = "444455556666"
SECOND: Final = "eu-west-1"
ADMINISTRATOR: Final = f"arn:aws:iam::{ARCHIVE}:role/administrator"
LOCAL: Final = FOLDER / "parameters" / "local.json"
ROLES: Final = ("raw", "provenance", "trail")
HOME_USERS: Final = ("insider", "platform-engineer", "web-shop")
KEY: Final = "incoming/customers/dt=2026-11-02/copied.csv"


def copy_of(role: str) -> str:
    return f"custody-local-{role}-replica-{ARCHIVE}"


@pytest.fixture(scope="module")
def session(aws: LocalAws) -> Iterator[Session]:
    with pytest.MonkeyPatch.context() as patch:
        for name, value in aws.environment.items():
            if name.startswith("AWS_"):
                patch.setenv(name, value)
        yield Session(REGION)


@pytest.fixture(scope="module")
def stage(aws: LocalAws) -> Stage:
    request = urllib.request.Request(
        f"http://127.0.0.1:{aws.port}/_local/accounts",
        data=json.dumps({"account_id": ARCHIVE}).encode(),
        method="POST",
    )
    urllib.request.urlopen(request).close()  # noqa: S310
    there = Replica(SECOND, ARCHIVE, (ADMINISTRATOR,), ADMINISTRATOR)
    return replace(read_stage(LOCAL, REGION), replica=there)


def deploy(session: Session, stage: Stage) -> list[str]:
    """What the deployment says."""
    said: list[str] = []
    Deployment(session, stage, Options({}), lambda _: True, said.append).run()
    return said


@pytest.fixture(scope="module")
def replicated(session: Session, stage: Stage) -> list[str]:
    return deploy(session, stage)


@pytest.fixture(scope="module")
def archive(session: Session, replicated: list[str]) -> Any:
    """S3 as an administrator of the other account."""
    return session.elsewhere(SECOND, ADMINISTRATOR).client("s3")


def test_the_copies_are_in_the_other_account_and_region(
    session: Session, archive: Any, replicated: list[str]
) -> None:
    assert "custody-local-replica would be made:" in replicated
    there = session.elsewhere(SECOND, ADMINISTRATOR)
    (stack,) = there.client("cloudformation").describe_stacks(StackName="custody-local-replica")[
        "Stacks"
    ]
    assert f":{SECOND}:{ARCHIVE}:" in stack["StackId"]
    assert stack["EnableTerminationProtection"] is True
    for role in ROLES:
        assert archive.get_bucket_location(Bucket=copy_of(role))["LocationConstraint"] == SECOND
    # Not what is made of these.
    names = {one["Name"] for one in archive.list_buckets()["Buckets"]}
    assert names == {copy_of(role) for role in ROLES}


def test_what_is_deployed_is_what_the_templates_say(aws: LocalAws, replicated: list[str]) -> None:
    aws.command("readback", "--stack", "custody-local-evidence")


@pytest.fixture(scope="module")
def key(session: Session, replicated: list[str]) -> str:
    """The ARN of the copies' key."""
    kms = session.elsewhere(SECOND, ADMINISTRATOR).client("kms")
    return str(kms.describe_key(KeyId="alias/custody-local-replica")["KeyMetadata"]["Arn"])


def test_the_judge_knows_the_key_of_the_copies(aws: LocalAws, key: str) -> None:
    """So a change of it is one of a control, if it is in an account whose trail the judge reads."""
    ssm = aws.client("ssm", "platform-engineer")
    variable = ssm.get_parameter(Name="/custody/local/airflow/variables/custody")["Parameter"]
    assert key in json.loads(variable["Value"])["encryption_key_arns"].split(",")


def test_a_copy_is_locked_and_encrypted_as_deployed(stage: Stage, archive: Any, key: str) -> None:
    days = int(stage.parameters["LockDays"])
    for role in ROLES:
        lock = archive.get_object_lock_configuration(Bucket=copy_of(role))
        rule = lock["ObjectLockConfiguration"]["Rule"]["DefaultRetention"]
        assert rule == {"Mode": "GOVERNANCE", "Days": days}
        encryption = archive.get_bucket_encryption(Bucket=copy_of(role))
        (default,) = encryption["ServerSideEncryptionConfiguration"]["Rules"]
        assert default["ApplyServerSideEncryptionByDefault"] == {
            "SSEAlgorithm": "aws:kms",
            "KMSMasterKeyID": key,
        }
        assert archive.get_bucket_versioning(Bucket=copy_of(role))["Status"] == "Enabled"
        access = archive.get_public_access_block(Bucket=copy_of(role))
        assert set(access["PublicAccessBlockConfiguration"].values()) == {True}


def test_what_lands_is_copied_with_its_record_and_the_trail(aws: LocalAws, archive: Any) -> None:
    put = aws.client("s3", "web-shop").put_object(Bucket=bucket("raw"), Key=KEY, Body=b"id\n1\n")
    version = put["VersionId"]
    assert archive.get_object(Bucket=copy_of("raw"), Key=KEY)["Body"].read() == b"id\n1\n"
    insider = aws.client("s3", "insider")
    status = insider.head_object(Bucket=bucket("raw"), Key=KEY, VersionId=version)
    assert status["ReplicationStatus"] == "COMPLETED"

    def copied(role: str, prefix: str, text: Callable[[bytes], bytes]) -> bool:
        """Whether a copy below the prefix speaks of the version."""
        listed = archive.list_objects_v2(Bucket=copy_of(role), Prefix=prefix).get("Contents", [])
        bodies = (archive.get_object(Bucket=copy_of(role), Key=one["Key"]) for one in listed)
        return any(version.encode() in text(body["Body"].read()) for body in bodies)

    records, logs = "provenance/incoming/", f"AWSLogs/{ACCOUNT}/CloudTrail/"
    wait_until("its record is copied", lambda: copied("provenance", records, payload))
    wait_until("the trail is copied", lambda: copied("trail", logs, gzip.decompress))


def payload(record: bytes) -> bytes:
    return base64.b64decode(json.loads(record)["payload"])


def test_a_copy_outlives_its_original(aws: LocalAws, archive: Any) -> None:
    """A delete marker and a deleted version stay where somebody made them."""
    before = archive.list_object_versions(Bucket=copy_of("raw"), Prefix=KEY)
    deployer = aws.client("s3", "platform-engineer")
    policy = deployer.get_bucket_policy(Bucket=bucket("raw"))["Policy"]
    deployer.delete_bucket_policy(Bucket=bucket("raw"))
    try:
        version = deployer.head_object(Bucket=bucket("raw"), Key=KEY)["VersionId"]
        deployer.delete_object(Bucket=bucket("raw"), Key=KEY)
        deployer.delete_object(
            Bucket=bucket("raw"), Key=KEY, VersionId=version, BypassGovernanceRetention=True
        )
    finally:
        deployer.put_bucket_policy(Bucket=bucket("raw"), Policy=policy)
    after = archive.list_object_versions(Bucket=copy_of("raw"), Prefix=KEY)
    assert after["Versions"] == before["Versions"]
    assert "DeleteMarkers" not in after


def attempts(s3: Any, role: str, held: Mapping[str, Any]) -> dict[str, str]:
    """What changes of a copy are answered with."""
    where = {"Bucket": copy_of(role), "Key": held["Key"]}
    version = {**where, "VersionId": held["VersionId"]}
    off = {"Status": "OFF"}
    return {
        "put": answer(s3.put_object, **where, Body=b"x"),
        "delete": answer(s3.delete_object, **where),
        "delete it": answer(s3.delete_object, **version),
        "bypass": answer(s3.delete_object, **version, BypassGovernanceRetention=True),
        "free": answer(s3.put_object_legal_hold, **version, LegalHold=off),
    }


@pytest.mark.parametrize("role", ROLES)
def test_nobody_changes_a_copy(aws: LocalAws, archive: Any, role: str) -> None:
    """Neither the administrators of the platform's account nor those of the copies' own."""
    (held, *_) = archive.list_object_versions(Bucket=copy_of(role))["Versions"]
    here = [aws.client("s3", name) for name in HOME_USERS]
    for s3 in (archive, *here):
        assert set(attempts(s3, role, held).values()) == {"AccessDenied"}
    for s3 in here:
        asked = [
            answer(s3.get_object, Bucket=copy_of(role), Key=held["Key"]),
            answer(s3.list_objects_v2, Bucket=copy_of(role)),
        ]
        assert asked == ["AccessDenied"] * len(asked)


def test_nobody_here_changes_a_copy_either_if_he_were_let_in(aws: LocalAws, archive: Any) -> None:
    """Of another account nobody may a thing that a policy there does not allow. This one would."""
    name = copy_of("trail")
    (held, *_) = archive.list_object_versions(Bucket=name)["Versions"]
    before = archive.get_bucket_policy(Bucket=name)["Policy"]
    open_door = {
        "Effect": "Allow",
        "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"},
        "Action": "s3:*",
        "Resource": [f"arn:aws:s3:::{name}", f"arn:aws:s3:::{name}/*"],
    }
    opened = json.loads(before)
    opened["Statement"].append(open_door)
    archive.put_bucket_policy(Bucket=name, Policy=json.dumps(opened))
    try:
        for s3 in (aws.client("s3", "insider"), aws.client("s3", "platform-engineer")):
            assert answer(s3.get_object, Bucket=name, Key=held["Key"]) == "ok"
            assert set(attempts(s3, "trail", held).values()) == {"AccessDenied"}
            versioning = {"VersioningConfiguration": {"Status": "Suspended"}}
            asked = [
                answer(s3.delete_bucket_policy, Bucket=name),
                answer(s3.put_bucket_versioning, Bucket=name, **versioning),
            ]
            assert asked == ["AccessDenied"] * len(asked)
    finally:
        archive.put_bucket_policy(Bucket=name, Policy=before)


def test_the_role_that_copies_does_nothing_else(
    aws: LocalAws, archive: Any, replicated: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither here nor there: what is held, and what could be written, by anything but a copy."""
    monkeypatch.delenv("AWS_PROFILE")  # the role has keys of its own
    s3 = aws.role_client("s3", "replication")
    for role in ROLES:
        (held, *_) = archive.list_object_versions(Bucket=copy_of(role))["Versions"]
        for name in (bucket(role), copy_of(role)):
            where = {"Bucket": name, "Key": held["Key"]}
            asked = [
                answer(s3.get_object, **where),
                answer(s3.put_object, **where, Body=b"x"),
                answer(s3.delete_object, **where),
                answer(s3.delete_object, **where, VersionId=held["VersionId"]),
                answer(s3.put_object_tagging, **where, Tagging={"TagSet": []}),
                answer(s3.delete_bucket_policy, Bucket=name),
                answer(s3.delete_bucket_replication, Bucket=name),
            ]
            assert asked == ["AccessDenied"] * len(asked)
    kms = aws.role_client("kms", "replication")
    assert answer(kms.list_keys) == "AccessDeniedException"


def test_only_who_deploys_them_changes_how_copies_are_kept(session: Session, archive: Any) -> None:
    iam = session.elsewhere(SECOND, ADMINISTRATOR).client("iam")
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
    iam.create_role(RoleName="other", AssumeRolePolicyDocument=json.dumps(trust))
    iam.attach_role_policy(
        RoleName="other", PolicyArn="arn:aws:iam::aws:policy/AdministratorAccess"
    )
    other = session.elsewhere(SECOND, f"arn:aws:iam::{ARCHIVE}:role/other").client("s3")
    for role in ROLES:
        assert answer(other.delete_bucket_policy, Bucket=copy_of(role)) == "AccessDenied"
        assert answer(other.get_bucket_policy, Bucket=copy_of(role)) == "ok"


@pytest.mark.parametrize(
    ("rule", "name", "asked"),
    [
        ("key-changed", "DisableKey", {"keyId": "k"}),
        ("key-changed", "ScheduleKeyDeletion", {"keyId": "k"}),
        ("key-changed", "PutKeyPolicy", {"keyId": "k"}),
        ("bucket-changed", "DeleteBucketPolicy", {"bucketName": copy_of("trail")}),
    ],
)
def test_a_change_of_their_key_or_of_a_bucket_is_told_there(
    session: Session, key: str, rule: str, name: str, asked: dict[str, str]
) -> None:
    events = session.elsewhere(SECOND, ADMINISTRATOR).client("events")
    full = f"custody-local-replica-{rule}"
    pattern = events.describe_rule(Name=full)["EventPattern"]

    def tells(arn: str, asked: dict[str, str]) -> bool:
        source = "kms" if rule == "key-changed" else "s3"
        detail = {
            "eventSource": f"{source}.amazonaws.com",
            "eventName": name,
            "managementEvent": True,
            "readOnly": False,
            "requestParameters": asked,
            "resources": [{"ARN": arn}],
        }
        told: bool = events.test_event_pattern(
            EventPattern=pattern,
            Event=json.dumps(
                {
                    "id": "1",
                    "detail-type": "AWS API Call via CloudTrail",
                    "source": f"aws.{source}",
                    "account": ARCHIVE,
                    "time": "2026-11-01T00:00:00Z",
                    "region": SECOND,
                    "resources": [],
                    "detail": detail,
                }
            ),
        )["Result"]
        return told

    assert tells(key, asked)
    assert not tells(f"{key[:-1]}?", {"bucketName": "another"})
    (target,) = events.list_targets_by_rule(Rule=full)["Targets"]
    assert target["Arn"] == f"arn:aws:sns:{SECOND}:{ARCHIVE}:custody-local-replica-alarms"


def test_deploying_again_changes_nothing(session: Session, stage: Stage, archive: Any) -> None:
    said = deploy(session, stage)
    for part in ("bootstrap", "replica", "evidence"):
        assert f"custody-local-{part}: no changes" in said


def test_auditors_of_another_account_say_what_was_agreed(aws: LocalAws, session: Session) -> None:
    engineer = aws.client("iam", "platform-engineer")
    everything = {"Effect": "Allow", "Action": "*", "Resource": "*"}
    engineer.create_policy(
        PolicyName="auditing-local-boundary",
        PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [everything]}),
    )
    stacks = aws.client("cloudformation", "platform-engineer")
    given = {
        "Project": "auditing",
        "Stage": "local",
        "AuditorArns": f"arn:aws:iam::{ARCHIVE}:root",
        "AuditorExternalId": "agreed",
    }
    stacks.create_stack(
        StackName="auditing-local-access",
        TemplateBody=(FOLDER / "access.yaml").read_text(encoding="utf-8"),
        Parameters=[{"ParameterKey": n, "ParameterValue": v} for n, v in given.items()],
        Capabilities=["CAPABILITY_NAMED_IAM"],
    )
    made = stacks.get_waiter("stack_create_complete")
    made.wait(StackName="auditing-local-access", WaiterConfig={"Delay": 1, "MaxAttempts": 600})
    take = session.elsewhere(SECOND, ADMINISTRATOR).client("sts").assume_role
    role = {"RoleArn": f"arn:aws:iam::{ACCOUNT}:role/auditing-local-auditor"}
    asked = {
        said: answer(take, **role, RoleSessionName="audit", **said_with)
        for said, said_with in {
            "nothing": {},
            "something else": {"ExternalId": "guessed"},
            "what was agreed": {"ExternalId": "agreed"},
        }.items()
    }
    assert asked == {
        "nothing": "AccessDenied",
        "something else": "AccessDenied",
        "what was agreed": "ok",
    }
