"""Who may do what to what: the table that `test_permissions` asks the local AWS about."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from tests.infra.cloudformation.conftest import ACCOUNT, bucket
from tests.infra.conftest import REGION
from tests.support.local_aws import role_arn

USERS: Final = ("web-shop", "insider", "platform-engineer", "airflow", "stranger")
"""Users, and the role that has a profile; `stranger` has no rights at all."""
PEOPLE: Final = ("auditor", "break-glass", "deployer")
"""Roles that people take."""
ROLES: Final = ("recorder", "recorder-large", "glue", "audit", "expiry", "cloudformation")
"""Roles that services take."""
ACTORS: Final = (*USERS, *PEOPLE, *ROLES)

NOBODY: Final = frozenset[str]()
ADMINISTRATORS: Final = frozenset({"insider", "platform-engineer", "break-glass"})
RECORDERS: Final = frozenset({"recorder", "recorder-large"})
UPLOADERS: Final = frozenset({"web-shop"})
ENGINEER: Final = frozenset({"platform-engineer"})
"""An administrator who also deploys."""
DEPLOYER: Final = frozenset({"deployer"})
CLOUDFORMATION: Final = frozenset({"cloudformation"})
AIRFLOW: Final = frozenset({"airflow"})
GLUE: Final = frozenset({"glue"})
AUDIT: Final = frozenset({"audit"})
EXPIRY: Final = frozenset({"expiry"})
READERS: Final = ADMINISTRATORS | {"auditor"}
"""Who reads all evidence."""

DAY: Final = "incoming/customers/dt=2026-11-01"
RUN: Final = "customers/dt=2026-11-01/run=1"
PUBLICATION: Final = "publications/customers/dt=2026-11-01/000001.json"
QUALITY: Final = "quality/results/dt=2026-11-01/run=1/silver_customers.json"


@dataclass(frozen=True)
class Call:
    """A call of an AWS service, and who may make it."""

    service: str
    operation: str
    arguments: Mapping[str, Any]
    may: frozenset[str]
    harmless: bool = True
    """Whether who may make it is asked, too."""
    actors: tuple[str, ...] = ACTORS
    """Who is asked."""

    def __str__(self) -> str:
        return f"{self.service}.{self.operation} {dict(self.arguments)}"


def calls(keys: Mapping[str, str], topics: Mapping[str, str]) -> Iterator[Call]:
    """The whole table. `keys` and `topics` are ARNs by their names in the stack."""
    yield from _writes()
    yield from _other_encryption(keys)
    yield from _reads()
    yield from _lists()
    yield from _tampering()
    yield from _code()
    yield from _setting_up()
    yield from _keys(keys)
    yield from _messages(topics)
    yield from _control()
    yield from _who_is_who()


WRITERS: Final = {
    ("raw", f"{DAY}/x.csv"): UPLOADERS,
    ("raw", "elsewhere/x.csv"): NOBODY,
    ("provenance", "provenance/answers/dt=2026-11-01/0/0.json"): AIRFLOW,
    ("provenance", "provenance/incoming/dt=2026-11-01/0.json"): RECORDERS,
    ("provenance", "provenance/late/dt=2026-11-01/0.json"): frozenset({"recorder"}),
    ("provenance", "provenance/lineage/dt=2026-11-01/0.json"): GLUE,
    ("provenance", "provenance/expiry/dt=2026-11-01/jr_0.json"): AUDIT,
    ("provenance", "provenance/runs/dt=2026-11-01/jr_0.json"): AUDIT,
    ("provenance", "seal/checkpoint"): AUDIT,
    ("provenance", "seal/tile/0/000"): AUDIT,
    ("provenance", "elsewhere/x"): NOBODY,
    ("processed", f"silver/{RUN}/part-0.parquet"): GLUE,
    ("processed", f"quarantine/{RUN}/part-0.parquet"): GLUE,
    ("processed", f"files/{RUN}/part-0.parquet"): GLUE,
    ("processed", "elsewhere/x"): NOBODY,
    ("analytics", f"gold/{RUN}/part-0.parquet"): GLUE,
    ("analytics", "reconciliation/run=1/dt=2026-11-01/hour=00/x.parquet"): AUDIT,
    ("analytics", "audit/run=1/dt=2026-11-01/hour=00/x.parquet"): AUDIT,
    ("analytics", "record_checks/dt=2026-11-01/run=1/x.parquet"): AUDIT,
    ("analytics", "lineage_checks/dt=2026-11-01/run=1/x.parquet"): AUDIT,
    ("analytics", "pages/0.json"): AIRFLOW,
    ("analytics", PUBLICATION): AIRFLOW,
    ("analytics", QUALITY): GLUE,
    ("analytics", "elsewhere/x"): NOBODY,
    ("trail", f"AWSLogs/{ACCOUNT}/CloudTrail/x.json.gz"): NOBODY,
    ("athena-results", "custody-local/x.csv"): NOBODY,  # but through Athena
    ("athena-results", "openlineage/event-1.json"): AIRFLOW,
}


def _writes() -> Iterator[Call]:
    for (role, key), may in WRITERS.items():
        once = _once(role, key)
        put = {"Bucket": bucket(role), "Key": key, "Body": b"x"}
        yield Call("s3", "put_object", {**put, **once}, may)
        if once:  # what is there already is not written again, by whomever
            yield Call("s3", "put_object", put, NOBODY)


def _once(role: str, key: str) -> dict[str, str]:
    """What a write says where what is there must not be written again."""
    return {"IfNoneMatch": "*"} if role == "provenance" or key in (PUBLICATION, QUALITY) else {}


def _other_encryption(keys: Mapping[str, str]) -> Iterator[Call]:
    ways: tuple[dict[str, str], ...] = (
        {"ServerSideEncryption": "AES256"},
        {"ServerSideEncryption": "aws:kms"},
        {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": keys["TrailKeyArn"]},
        {"SSECustomerAlgorithm": "AES256", "SSECustomerKey": "k" * 32},
    )
    for (role, key), may in WRITERS.items():
        once = _once(role, key)
        put = {"Bucket": bucket(role), "Key": f"{key}.other", "Body": b"x", **once}
        writers = tuple(actor for actor in ACTORS if actor in may)
        for way in ways:
            yield Call("s3", "put_object", {**put, **way}, NOBODY, actors=writers)
    own = {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": keys["DataKeyArn"]}
    put = {"Bucket": bucket("raw"), "Key": f"{DAY}/own.csv", "Body": b"x"}
    yield Call("s3", "put_object", {**put, **own}, UPLOADERS)


def _reads() -> Iterator[Call]:
    """Of what the writes left there; recorders and jobs read the versions that they are told of."""
    readers = {
        ("raw", f"{DAY}/x.csv"): NOBODY,
        ("provenance", "provenance/incoming/dt=2026-11-01/0.json"): (
            AIRFLOW | AUDIT | GLUE | RECORDERS
        ),
        ("provenance", "provenance/lineage/dt=2026-11-01/0.json"): AIRFLOW | AUDIT | GLUE,
        ("provenance", "provenance/runs/dt=2026-11-01/jr_0.json"): AUDIT,
        ("provenance", "seal/checkpoint"): AIRFLOW | AUDIT,
        ("processed", f"silver/{RUN}/part-0.parquet"): AIRFLOW | GLUE,
        ("analytics", f"gold/{RUN}/part-0.parquet"): AIRFLOW | GLUE,
        ("analytics", "reconciliation/run=1/dt=2026-11-01/hour=00/x.parquet"): AIRFLOW | AUDIT,
        ("analytics", "pages/0.json"): AIRFLOW | AUDIT,
        ("analytics", PUBLICATION): AIRFLOW | GLUE,
        ("analytics", QUALITY): AIRFLOW | GLUE,
        ("athena-results", "custody-local/x.csv"): AIRFLOW,
    }
    for (role, key), may in readers.items():
        yield Call("s3", "get_object", {"Bucket": bucket(role), "Key": key}, may | READERS)


def _lists() -> Iterator[Call]:
    objects = {
        "raw": AIRFLOW | GLUE | RECORDERS,
        "provenance": AIRFLOW | AUDIT | GLUE,
        "processed": AIRFLOW | EXPIRY | GLUE | RECORDERS,
        "analytics": AIRFLOW | AUDIT | EXPIRY | GLUE | RECORDERS,
        "trail": AIRFLOW | AUDIT,
        "athena-results": AIRFLOW,
    }
    versions = {
        "raw": AIRFLOW | AUDIT | GLUE | RECORDERS,
        "provenance": AIRFLOW | AUDIT | EXPIRY,
        "processed": AIRFLOW | AUDIT | GLUE | RECORDERS,
        "analytics": AIRFLOW | AUDIT | EXPIRY | GLUE | RECORDERS,
        "trail": AUDIT,
        "athena-results": NOBODY,
    }
    for operation, table in (("list_objects_v2", objects), ("list_object_versions", versions)):
        for role, may in table.items():
            results = operation == "list_object_versions" and role == "athena-results"
            others = ADMINISTRATORS if results else READERS
            if operation == "list_objects_v2":  # it looks whether a bucket is there
                others |= CLOUDFORMATION
            yield Call("s3", operation, {"Bucket": bucket(role)}, may | others)


def _tampering() -> Iterator[Call]:
    """What nobody may do to what is held, not even who deploys."""
    kept = {
        "raw": f"{DAY}/x.csv",
        "provenance": "provenance/incoming/dt=2026-11-01/0.json",
        "processed": f"silver/{RUN}/part-0.parquet",
        "analytics": "reconciliation/run=1/dt=2026-11-01/hour=00/x.parquet",
        "trail": f"AWSLogs/{ACCOUNT}/CloudTrail/x.json.gz",
    }
    retention = {"Mode": "GOVERNANCE", "RetainUntilDate": "2099-01-01T00:00:00Z"}
    for role, key in kept.items():
        what = {"Bucket": bucket(role), "Key": key}
        version = {**what, "VersionId": "0" * 32}
        for operation, arguments in (
            ("delete_object", what),
            ("delete_object", {**version, "BypassGovernanceRetention": True}),
            ("put_object_tagging", {**what, "Tagging": {"TagSet": []}}),
            ("put_object_retention", {**what, "Retention": retention}),
            ("put_object_legal_hold", {**what, "LegalHold": {"Status": "OFF"}}),
            ("restore_object", {**what, "RestoreRequest": {"Days": 1}}),
        ):
            yield Call("s3", operation, arguments, NOBODY)
    what = {"Bucket": bucket("raw"), "Key": f"{DAY}/x.csv"}
    encryption = {"SSEKMS": {"KMSKeyArn": f"arn:aws:kms:{REGION}:{ACCOUNT}:key/own"}}
    yield Call("s3", "update_object_encryption", {**what, "ObjectEncryption": encryption}, NOBODY)


def _code() -> Iterator[Call]:
    """What runs is written once, by who deploys."""
    for role in ("artifacts", "dags"):
        code = {"Bucket": bucket(role), "Key": f"{'0' * 64}/custody.zip"}
        yield Call("s3", "put_object", code, NOBODY)
        yield Call("s3", "put_object", {**code, "IfNoneMatch": "*"}, ENGINEER | DEPLOYER)
        yield Call("s3", "delete_object", code, NOBODY)
        yield Call("s3", "put_object_tagging", {**code, "Tagging": {"TagSet": []}}, NOBODY)


def _setting_up() -> Iterator[Call]:
    """How a bucket is set up: for who deploys, which the deployment itself has shown.

    CloudFormation's role has what the templates need, and nothing that unmakes a bucket.
    """
    unneeded = {"delete_bucket", "delete_bucket_policy", "put_bucket_logging"}
    unneeded |= {"put_bucket_replication"}
    rule = {"ID": "r", "Status": "Enabled", "Filter": {}, "Expiration": {"Days": 1}}
    replication = {
        "Role": f"arn:aws:iam::{ACCOUNT}:role/x",
        "Rules": [{"Status": "Enabled", "Destination": {"Bucket": "arn:aws:s3:::x"}}],
    }
    encryption = {"Rules": [{"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}]}
    changes: dict[str, dict[str, Any]] = {
        "delete_bucket": {},
        "delete_bucket_policy": {},
        "put_bucket_encryption": {"ServerSideEncryptionConfiguration": encryption},
        "put_bucket_lifecycle_configuration": {"LifecycleConfiguration": {"Rules": [rule]}},
        "put_bucket_logging": {"BucketLoggingStatus": {}},
        "put_bucket_notification_configuration": {"NotificationConfiguration": {}},
        "put_bucket_ownership_controls": {
            "OwnershipControls": {"Rules": [{"ObjectOwnership": "ObjectWriter"}]}
        },
        "put_bucket_policy": {"Policy": "{}"},
        "put_bucket_replication": {"ReplicationConfiguration": replication},
        "put_bucket_tagging": {"Tagging": {"TagSet": []}},
        "put_bucket_versioning": {"VersioningConfiguration": {"Status": "Suspended"}},
        "put_object_lock_configuration": {"ObjectLockConfiguration": {}},
        "put_public_access_block": {"PublicAccessBlockConfiguration": {}},
    }
    data = ("raw", "provenance", "processed", "analytics", "trail", "athena-results")
    for role in (*data, "artifacts", "dags"):
        # Of who has no rights in S3's settings one bucket tells enough.
        asked = ACTORS if role == "raw" else ("insider", "break-glass")
        for operation, arguments in changes.items():
            what = {"Bucket": bucket(role), **arguments}
            may = ENGINEER if operation in unneeded else ENGINEER | CLOUDFORMATION
            yield Call("s3", operation, what, may, harmless=False, actors=asked)


def _keys(keys: Mapping[str, str]) -> Iterator[Call]:
    elliptic = {
        "Message": bytes(32),
        "MessageType": "DIGEST",
        "SigningAlgorithm": "ECDSA_SHA_256",
    }
    edwards = {"Message": b"x", "MessageType": "RAW", "SigningAlgorithm": "ED25519_SHA_512"}
    signers = {"SigningKeyArn": elliptic, "LineageKeyArn": elliptic, "SealKeyArn": edwards}
    for name, how in signers.items():
        # Only in the function or in a job: the sessions asked here were taken by somebody else.
        yield Call("kms", "sign", {"KeyId": keys[name], **how}, NOBODY)
    making = {"Message": b"x", "MacAlgorithm": "HMAC_SHA_256"}
    yield Call("kms", "generate_mac", {"KeyId": keys["TokenKeyArn"], **making}, NOBODY)
    yield Call("kms", "sign", {"KeyId": keys["AnswerKeyArn"], **elliptic}, AIRFLOW)
    for arn in keys.values():
        grant = {"GranteePrincipal": f"arn:aws:iam::{ACCOUNT}:user/insider", "Operations": ["Sign"]}
        yield Call("kms", "create_grant", {"KeyId": arn, **grant}, NOBODY)
        for operation, arguments, others in (
            ("put_key_policy", {"PolicyName": "default", "Policy": "{}"}, CLOUDFORMATION),
            ("disable_key", {}, NOBODY),
            ("schedule_key_deletion", {}, NOBODY),
        ):
            change = {"KeyId": arn, **arguments}
            yield Call("kms", operation, change, ADMINISTRATORS | others, harmless=False)
    for name in ("DataKeyArn", "ProvenanceKeyArn", "TrailKeyArn"):
        # Only through S3, or SNS.
        use = {"KeyId": keys[name], "KeySpec": "AES_256"}
        yield Call("kms", "generate_data_key", use, NOBODY)


def _messages(topics: Mapping[str, str]) -> Iterator[Call]:
    page = {"Message": "test"}
    yield Call("sns", "publish", {"TopicArn": topics["TopicArn"], **page}, AIRFLOW)
    yield Call("sns", "publish", {"TopicArn": topics["AlarmTopicArn"], **page}, NOBODY)


def _control() -> Iterator[Call]:
    """What runs, what is believed, and who is who."""
    prefix = "custody-local"
    policy = {"PolicyName": "p", "PolicyDocument": "{}"}
    name = {"Name": "/custody/local/airflow/variables/custody"}
    # What a deployment changes too, and what none does.
    deployed: tuple[tuple[str, str, dict[str, Any]], ...] = (
        ("glue", "update_job", {"JobName": f"{prefix}-audit", "JobUpdate": {}}),
        ("iam", "put_role_policy", {"RoleName": f"{prefix}-audit", **policy}),
        ("lambda", "update_function_code", {"FunctionName": f"{prefix}-recorder", "ZipFile": b""}),
        ("ssm", "put_parameter", {**name, "Value": "{}", "Overwrite": True}),
    )
    never: tuple[tuple[str, str, dict[str, Any]], ...] = (
        ("cloudtrail", "stop_logging", {"Name": prefix}),
        ("cloudtrail", "delete_trail", {"Name": prefix}),
        ("glue", "delete_table", {"DatabaseName": "custody_local", "Name": "x"}),
    )
    for changes, others in ((deployed, CLOUDFORMATION), (never, NOBODY)):
        for service, operation, arguments in changes:
            yield Call(service, operation, arguments, ADMINISTRATORS | others, harmless=False)
    for job in ("bronze-to-silver", "silver-to-gold", "reconcile", "audit", "expire"):
        start = {"JobName": f"{prefix}-{job}"}
        yield Call("glue", "start_job_run", start, AIRFLOW | ADMINISTRATORS, harmless=False)
    large = {"JobName": f"{prefix}-record-large"}
    may_start = ADMINISTRATORS | {"recorder"}
    yield Call("glue", "start_job_run", large, may_start, harmless=False)
    yield Call("ssm", "get_parameter", name, AIRFLOW | AUDIT | READERS)


def _who_is_who() -> Iterator[Call]:
    """Who takes which role, and who says so."""
    prefix = "custody-local"
    engineer = ("platform-engineer",)
    for role in ROLES:
        take = {"RoleArn": role_arn(role), "RoleSessionName": "test"}
        yield Call("sts", "assume_role", take, NOBODY)
    for role in PEOPLE:
        take = {"RoleArn": role_arn(role), "RoleSessionName": "test"}
        # Without a second factor nobody acts in an emergency.
        may = NOBODY if role == "break-glass" else frozenset(engineer)
        yield Call("sts", "assume_role", take, may)
    another = f"arn:aws:iam::{ACCOUNT}:mfa/of-somebody-else"
    emergency = {"RoleArn": role_arn("break-glass"), "RoleSessionName": "test"}
    factor = {"SerialNumber": another, "TokenCode": "123456"}
    yield Call("sts", "assume_role", {**emergency, **factor}, NOBODY)

    trust = {"PolicyDocument": "{}"}
    boundary = f"arn:aws:iam::{ACCOUNT}:policy/{prefix}-boundary"
    for role in (*PEOPLE, "cloudformation"):
        of_role = {"RoleName": f"{prefix}-{role}"}
        for operation, arguments in (
            ("put_role_policy", {"PolicyName": "p", **trust}),
            ("update_assume_role_policy", trust),
            ("attach_role_policy", {"PolicyArn": boundary}),
            ("delete_role", {}),
        ):
            what = {**of_role, **arguments}
            yield Call("iam", operation, what, ADMINISTRATORS, harmless=False)
    for operation, arguments in (
        # A role of the platform's beyond its boundary, or a wider boundary.
        (
            "create_role",
            {"RoleName": f"{prefix}-mine", "AssumeRolePolicyDocument": "{}"},
        ),
        ("delete_role_permissions_boundary", {"RoleName": f"{prefix}-audit"}),
        ("create_policy_version", {"PolicyArn": boundary, **trust}),
        ("delete_policy", {"PolicyArn": boundary}),
        ("create_user", {"UserName": "mine"}),
        ("create_access_key", {"UserName": "platform-engineer"}),
    ):
        yield Call("iam", operation, arguments, ADMINISTRATORS, harmless=False)
    for name in ("access", "deployers"):
        stack = {"StackName": f"{prefix}-{name}"}
        for operation in ("describe_stacks", "delete_stack"):
            harmless = operation == "describe_stacks"
            yield Call("cloudformation", operation, stack, ADMINISTRATORS, harmless=harmless)
    for role in ("break-glass", "audit"):
        order = {
            "StackName": prefix,
            "ChangeSetName": "mine",
            "UsePreviousTemplate": True,
            "RoleARN": role_arn(role),
        }
        yield Call("cloudformation", "create_change_set", order, ADMINISTRATORS, harmless=False)
