"""Buckets: encrypted, private, locked, and only read and added to."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date
from typing import Any

import pytest
from tests.infra.cloudformation.templates.loaded import (
    LOADED,
    RESOURCES,
    of_type,
    plain,
    statements,
)
from tests.infra.cloudformation.templates.test_keys import AUDIT

from custody.core.answers.model import ANSWER_PREFIX
from custody.core.ledger.policy import PREFIX_WRITERS
from custody.core.publications.expiry import EXPIRY_PREFIX
from custody.core.publications.model import PUBLICATION_PREFIX
from custody.core.runs.model import RUN_PREFIX
from custody.core.seal.layout import CHECKPOINT_PATH, SEAL_PREFIX, append_path, day_folder
from custody.core.tlog.tiles import bundle_path, tile_path


@pytest.mark.parametrize(("stack", "name", "bucket"), of_type("AWS::S3::Bucket"))
def test_every_bucket_is_encrypted_versioned_private_and_tls_only(
    stack: str, name: str, bucket: Mapping[str, Any]
) -> None:
    resource = LOADED[stack]["Resources"][name]
    assert resource["DeletionPolicy"] == "RetainExceptOnCreate"
    assert resource["UpdateReplacePolicy"] == "Retain"
    assert bucket["VersioningConfiguration"] == {"Status": "Enabled"}
    assert set(bucket["PublicAccessBlockConfiguration"].values()) == {True}
    assert len(bucket["PublicAccessBlockConfiguration"]) == 4
    assert bucket["OwnershipControls"] == {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]}
    (rule,) = bucket["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    default = rule["ServerSideEncryptionByDefault"]
    # The artifacts bucket is older than the keys.
    assert default["SSEAlgorithm"] == ("AES256" if stack == "bootstrap" else "aws:kms")
    assert ("KMSMasterKeyID" in default) == (stack != "bootstrap")

    (policy,) = [
        other["Properties"]["PolicyDocument"]
        for other in LOADED[stack]["Resources"].values()
        if other["Type"] == "AWS::S3::BucketPolicy"
        and other["Properties"]["Bucket"] == {"Ref": name}
    ]
    (tls,) = [s for s in statements(policy) if s["Sid"] == "DenyPlainTransport"]
    assert (tls["Effect"], tls["Principal"], tls["Action"]) == ("Deny", "*", "s3:*")
    assert tls["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
    assert [r for r in map(json.dumps, tls["Resource"]) if f"${{{name}" not in r] == []
    assert len(tls["Resource"]) == 2


def resource(name: str) -> Any:
    """A resource of the evidence, whatever its template; its name is there only once."""
    (found,) = [
        resource
        for stack, called, resource in RESOURCES
        if called == name and stack in ("storage", "witnesses")
    ]
    return found


@pytest.mark.parametrize("name", ["Provenance", "Trail"])
def test_evidence_is_locked(name: str) -> None:
    bucket = resource(name)["Properties"]
    assert bucket["ObjectLockEnabled"] is True
    assert bucket["ObjectLockConfiguration"]["Rule"]["DefaultRetention"] == {
        "Mode": {"Ref": "LockMode"},
        "Days": {"Ref": "LockDays"},
    }


def test_bronze_is_locked_but_stays_erasable() -> None:
    lock = resource("Raw")["Properties"]["ObjectLockConfiguration"]
    assert lock["Rule"]["DefaultRetention"] == {"Mode": "GOVERNANCE", "Days": {"Ref": "LockDays"}}


@pytest.mark.parametrize("name", ["Raw", "Provenance", "Trail"])
def test_evidence_never_expires(name: str) -> None:
    bucket = resource(name)["Properties"]
    rules = bucket["LifecycleConfiguration"]["Rules"]
    assert [rule.keys() for rule in rules] == [{"Id", "Status", "AbortIncompleteMultipartUpload"}]


def test_of_gold_all_expires_that_was_replaced_but_publications() -> None:
    """What somebody hid of these counts still: by them runs expire, or stay."""
    rules = resource("Analytics")["Properties"]["LifecycleConfiguration"]["Rules"]
    expiring = {r["Prefix"] for r in rules if "NoncurrentVersionExpiration" in r}
    policy = resource("AnalyticsPolicy")["Properties"]["PolicyDocument"]
    (others,) = [s for s in statements(policy) if s["Sid"] == "DenyOutputsByOthers"]
    written = {plain(place).partition("/")[2] for place in others["NotResource"]}
    built = {"gold/", "quality/"}
    assert expiring == {place.removesuffix("*") for place in written} - {PUBLICATION_PREFIX} | built


@pytest.mark.parametrize("name", ["Raw", "Processed", "Analytics"])
def test_every_byte_of_every_layer_is_recorded(name: str) -> None:
    bucket = resource(name)["Properties"]
    assert bucket["NotificationConfiguration"] == {
        "QueueConfigurations": [
            {"Event": "s3:ObjectCreated:*", "Queue": {"Ref": "RecorderQueueArn"}}
        ]
    }


def test_records_are_write_once() -> None:
    rule = provenance_rule("DenyOverwritingRecords")
    assert rule["Condition"] == {"Null": {"s3:if-none-match": "true"}}
    places = [plain(place).partition("/provenance/")[2] for place in rule["Resource"]]
    assert places == ["answers/*", "expiry/*", "incoming/*", "late/*", "lineage/*", "runs/*"]


def provenance_rule(sid: str) -> Mapping[str, Any]:
    policy = resource("ProvenancePolicy")["Properties"]["PolicyDocument"]
    (rule,) = [s for s in statements(policy) if s["Sid"] == sid]
    return rule


def test_only_the_role_that_audits_writes_the_seal_and_what_its_runs_state() -> None:
    rule = provenance_rule("DenySealsByOthers")
    assert (rule["Effect"], rule["Principal"]) == ("Deny", "*")
    assert rule["Action"] == "s3:PutObject"
    places = [plain(place).partition("${Provenance}/")[2] for place in rule["Resource"]]
    assert places == [f"{SEAL_PREFIX}*", f"{EXPIRY_PREFIX}*", f"{RUN_PREFIX}*"]
    assert [plain(w) for w in rule["Condition"]["ArnNotLike"]["aws:PrincipalArn"]] == AUDIT


def test_only_who_is_on_call_and_airflow_answer() -> None:
    rule = provenance_rule("DenyAnswersByOthers")
    assert (rule["Effect"], rule["Principal"], rule["Action"]) == ("Deny", "*", "s3:PutObject")
    assert plain(rule["Resource"]).partition("${Provenance}/")[2] == f"{ANSWER_PREFIX}*"
    who = rule["Condition"]["ArnNotLike"]["aws:PrincipalArn"]
    names = [plain(each).partition("${Stage}-")[2] for each in who]
    assert names == list(PREFIX_WRITERS[ANSWER_PREFIX])


def test_no_file_of_the_seal_is_written_twice_but_its_checkpoint() -> None:
    rule = provenance_rule("DenyOverwritingSeals")
    assert rule["Condition"] == {"Null": {"s3:if-none-match": "true"}}
    folders = {plain(place).partition(f"/{SEAL_PREFIX}")[2] for place in rule["Resource"]}
    written = (append_path(0), day_folder(date(2026, 11, 1)), tile_path(0, 0), bundle_path(0))
    assert folders == {f"{path.partition('/')[0]}/*" for path in written}
    replaced = provenance_rule("DenyReplacingCheckpointsUnseen")
    assert plain(replaced["Resource"]).endswith(f"/{SEAL_PREFIX}{CHECKPOINT_PATH}")
    # Both at once: one of the two conditions is enough to be let through.
    assert replaced["Condition"] == {"Null": {"s3:if-none-match": "true", "s3:if-match": "true"}}


EVIDENCE = ("Raw", "Provenance", "Processed", "Analytics", "Trail")


BUCKETS = (*EVIDENCE, "AthenaResults")


COPIED = ("Raw", "Provenance", "Trail")


READS_AND_WRITES = {
    "s3:AbortMultipartUpload",
    "s3:GetObject*",
    "s3:ListMultipartUploadParts",
    "s3:PutObject",
}


def policy_of(bucket: str) -> dict[str, Mapping[str, Any]]:
    """The statements of a bucket's policy by name."""
    document = resource(f"{bucket}Policy")["Properties"]["PolicyDocument"]
    return {statement["Sid"]: statement for statement in statements(document)}


@pytest.mark.parametrize("bucket", BUCKETS)
def test_a_bucket_takes_no_other_encryption_than_its_own(bucket: str) -> None:
    (rule,) = resource(bucket)["Properties"]["BucketEncryption"][
        "ServerSideEncryptionConfiguration"
    ]
    assert rule["BlockedEncryptionTypes"] == {"EncryptionType": ["SSE-C"]}
    policy = policy_of(bucket)
    assert policy["DenyKeysOfCallers"]["Condition"] == {
        "Null": {"s3:x-amz-server-side-encryption-customer-algorithm": "false"}
    }
    if bucket == "Trail":  # CloudTrail alone writes there, and chooses
        return
    key = rule["ServerSideEncryptionByDefault"]["KMSMasterKeyID"]
    assert policy["DenyOtherKeys"]["Condition"] == {
        "Null": {"s3:x-amz-server-side-encryption": "false"},
        "StringNotEquals": {"s3:x-amz-server-side-encryption-aws-kms-key-id": key},
    }


@pytest.mark.parametrize("bucket", BUCKETS)
def test_a_bucket_says_of_what_class_its_data_is(bucket: str) -> None:
    rows = {"Raw", "Processed", "AthenaResults"}
    value = f"{'Personal' if bucket in rows else 'Internal'}DataClass"
    assert resource(bucket)["Properties"]["Tags"] == [
        {"Key": "data-class", "Value": {"Ref": value}}
    ]


@pytest.mark.parametrize("bucket", EVIDENCE)
def test_what_a_bucket_of_evidence_holds_is_read_and_written_and_nothing_else(bucket: str) -> None:
    rule = policy_of(bucket)["DenyAllButReadsAndWrites"]
    assert (rule["Effect"], rule["Principal"]) == ("Deny", "*")
    assert plain(rule["Resource"]) == f"arn:${{AWS::Partition}}:s3:::${{{bucket}}}/*"
    spark = {"s3:DeleteObject"} if bucket in ("Processed", "Analytics") else set()
    acl = {"s3:PutObjectAcl"} if bucket == "Trail" else set()
    anew = {"s3:InitiateReplication"} if bucket in COPIED else set()
    assert set(rule["NotAction"]) == READS_AND_WRITES | spark | acl | anew
    if spark:
        kept = policy_of(bucket)["DenyDeletesOfWhatIsHeld"]
        assert (kept["Effect"], kept["Action"]) == ("Deny", "s3:DeleteObject")
        assert [plain(place).partition("}/")[2] for place in kept["NotResource"]] == [
            "*/_temporary/*",
            "*/",
        ]


@pytest.mark.parametrize("bucket", COPIED)
def test_what_was_there_before_the_copy_is_copied_by_a_batch_job_alone(bucket: str) -> None:
    """ "Configuring an IAM role for S3 Batch Replication", with a manifest of one's own."""
    (held,) = [
        s
        for s in policy_of(bucket).values()
        if s["Effect"] == "Deny" and s.get("Action") == "s3:InitiateReplication"
    ]
    assert plain(held["Resource"]) == f"arn:${{AWS::Partition}}:s3:::${{{bucket}}}/*"
    who = held["Condition"]["ArnNotLike"]["aws:PrincipalArn"]
    role = LOADED["replication"]["Resources"]["BatchRole"]["Properties"]
    assert plain(who).endswith(f":role/{plain(role['RoleName'])}")
    replicating, reading = statements(role["Policies"][0]["PolicyDocument"])
    assert replicating["Action"] == "s3:InitiateReplication"
    names = [plain(resource(each)["Properties"]["BucketName"]) for each in COPIED]
    assert [plain(each) for each in replicating["Resource"]] == [
        f"arn:${{AWS::Partition}}:s3:::{name}/*" for name in names
    ]
    # The guide's copies of it go where only who deploys writes.
    assert plain(reading["Resource"]).endswith("-artifacts-${AWS::AccountId}/manifests/*")


@pytest.mark.parametrize("bucket", BUCKETS)
def test_only_who_deploys_changes_how_a_bucket_is_set_up(bucket: str) -> None:
    rule = policy_of(bucket)["DenySettingUpByOthers"]
    assert (rule["Effect"], rule["Principal"]) == ("Deny", "*")
    assert set(rule["NotAction"]) == {"s3:Get*", "s3:List*"}
    assert plain(rule["Resource"]) == f"arn:${{AWS::Partition}}:s3:::${{{bucket}}}"
    assert rule["Condition"] == {"ArnNotLike": {"aws:PrincipalArn": {"Ref": "DeployerArns"}}}
