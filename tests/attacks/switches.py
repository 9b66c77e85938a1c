"""Attacks of a call or two, each on a control that nothing else here changes, and put back at once.

Nothing comes of them, and nothing but their own finding tells of them.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

from tests.attacks.attack import Finding, made
from tests.attacks.controls import changed
from tests.attacks.world import INSIDER, UPLOADER, World, lifted

STRANGER = "444455556666"


# Buckets


@made(INSIDER)
def versions_are_not_kept(world: World) -> list[Finding]:
    """has the bucket of gold keep no versions for a moment"""
    with lifted(world, world.analytics) as s3:
        for status in ("Suspended", "Enabled"):
            s3.put_bucket_versioning(
                Bucket=world.analytics, VersioningConfiguration={"Status": status}
            )
    return changed(world, f"s3/bucket/{world.analytics}/versioning")


@made(INSIDER)
def new_records_are_not_locked(world: World) -> list[Finding]:
    """has new records locked no more, and again as they were"""
    with lifted(world, world.provenance) as s3:
        where = {"Bucket": world.provenance}
        locked = s3.get_object_lock_configuration(**where)["ObjectLockConfiguration"]
        for lock in ({"ObjectLockEnabled": "Enabled"}, locked):
            s3.put_object_lock_configuration(**where, ObjectLockConfiguration=lock)
    return changed(world, f"s3/bucket/{world.provenance}/lock")


@made(INSIDER)
def logs_may_expire(world: World) -> list[Finding]:
    """adds a lifecycle rule that expires the trail's files after a year, and takes it away"""
    with lifted(world, world.trail) as s3:
        where = {"Bucket": world.trail}
        rules = s3.get_bucket_lifecycle_configuration(**where)["Rules"]
        expiring = {"Status": "Enabled", "Filter": {"Prefix": ""}, "Expiration": {"Days": 365}}
        for some in ([*rules, {"ID": "tidy-up", **expiring}], rules):
            s3.put_bucket_lifecycle_configuration(**where, LifecycleConfiguration={"Rules": some})
    return changed(world, f"s3/bucket/{world.trail}/lifecycle rules")


@made(INSIDER)
def another_key_encrypts(world: World) -> list[Finding]:
    """has bronze encrypted with a key of his own, which he may delete, and with ours again"""
    own = world.client("kms").create_key()["KeyMetadata"]["Arn"]
    with lifted(world, world.raw) as s3:
        where = {"Bucket": world.raw}
        honest = s3.get_bucket_encryption(**where)["ServerSideEncryptionConfiguration"]
        by_default = {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": own}
        his = {"Rules": [{"ApplyServerSideEncryptionByDefault": by_default}]}
        for rules in (his, honest):
            s3.put_bucket_encryption(**where, ServerSideEncryptionConfiguration=rules)
    return changed(world, f"s3/bucket/{world.raw}/encryption")


@made(INSIDER)
def a_bucket_may_be_public(world: World) -> list[Finding]:
    """takes away what keeps silver from being public, and puts it back"""
    with lifted(world, world.processed) as s3:
        where = {"Bucket": world.processed}
        block = s3.get_public_access_block(**where)["PublicAccessBlockConfiguration"]
        s3.delete_public_access_block(**where)
        s3.put_public_access_block(**where, PublicAccessBlockConfiguration=block)
    return changed(world, f"s3/bucket/{world.processed}/openness")


@made(INSIDER)
def a_files_lock_is_shortened(world: World) -> list[Finding]:
    """shortens the lock of a file in bronze to some minutes"""
    landed = world.recorded("lock-shortened.csv")
    until = datetime.now(UTC) + timedelta(minutes=5)
    with lifted(world, world.raw) as s3:
        s3.put_object_retention(
            Bucket=world.raw,
            Key=landed.key,
            VersionId=landed.version_id,
            Retention={"Mode": "GOVERNANCE", "RetainUntilDate": until},
            BypassGovernanceRetention=True,
        )
    return [world.finding("CONTROL_CHANGED", landed, INSIDER)]


@made(INSIDER)
def a_legal_hold_is_taken_off(world: World) -> list[Finding]:
    """puts a legal hold on a file in bronze, and takes it off"""
    landed = world.recorded("held.csv")
    with lifted(world, world.raw) as s3:
        for status in ("ON", "OFF"):
            s3.put_object_legal_hold(
                Bucket=world.raw,
                Key=landed.key,
                VersionId=landed.version_id,
                LegalHold={"Status": status},
            )
    return [world.finding("CONTROL_CHANGED", landed, INSIDER)]


# Keys


@made(INSIDER)
def a_key_is_to_be_deleted(world: World) -> list[Finding]:
    """schedules the deletion of the key that signs lineage, and takes it back"""
    kms, key = world.client("kms"), world.platform.settings["lineage_key_arn"]
    kms.schedule_key_deletion(KeyId=key, PendingWindowInDays=7)
    kms.cancel_key_deletion(KeyId=key)
    kms.enable_key(KeyId=key)
    return changed(world, f"kms/key/{key.rpartition('/')[2]}/state")


@made(INSIDER)
def a_key_is_not_rotated(world: World) -> list[Finding]:
    """switches the rotation of the key that encrypts bronze off, and on again"""
    kms, key = world.client("kms"), _data_key(world)
    kms.disable_key_rotation(KeyId=key)
    kms.enable_key_rotation(KeyId=key)
    return changed(world, f"kms/key/{key.rpartition('/')[2]}/state")


@made(INSIDER)
def an_alias_leads_elsewhere(world: World) -> list[Finding]:
    """has the alias of the key that encrypts bronze lead to a key of his own, and back"""
    kms, alias = world.client("kms"), f"alias/{world.workgroup}-data"
    for key in (kms.create_key()["KeyMetadata"]["Arn"], _data_key(world)):
        kms.update_alias(AliasName=alias, TargetKeyId=key)
    return changed(world, f"kms/alias/{world.workgroup}-data")


def _data_key(world: World) -> str:
    rules = world.s3.get_bucket_encryption(Bucket=world.raw)["ServerSideEncryptionConfiguration"]
    by_default = rules["Rules"][0]["ApplyServerSideEncryptionByDefault"]
    return str(by_default["KMSMasterKeyID"])


# Roles and users


@made(INSIDER)
def an_uploader_gets_a_password(world: World) -> list[Finding]:
    """gives an uploader's user a password, and takes it away again"""
    iam = world.client("iam")
    iam.create_login_profile(UserName=UPLOADER, Password="Correct-horse-1")
    iam.delete_login_profile(UserName=UPLOADER)
    return changed(world, f"iam/user/{UPLOADER}/sign-in")


@made(INSIDER)
def a_stranger_may_take_airflows_role(world: World) -> list[Finding]:
    """lets another account take Airflow's role, and no more"""
    iam, role = world.client("iam"), f"{world.workgroup}-airflow"
    trust = iam.get_role(RoleName=role)["Role"]["AssumeRolePolicyDocument"]
    theirs = {
        "Effect": "Allow",
        "Principal": {"AWS": f"arn:aws:iam::{STRANGER}:root"},
        "Action": "sts:AssumeRole",
    }
    for statements in ([*trust["Statement"], theirs], trust["Statement"]):
        document = json.dumps({**trust, "Statement": statements})
        iam.update_assume_role_policy(RoleName=role, PolicyDocument=document)
    return changed(world, f"iam/role/{role}/trust")


@made(INSIDER)
def sessions_last_longer(world: World) -> list[Finding]:
    """lets sessions of the jobs' role last twelve hours, and one again"""
    iam, role = world.client("iam"), f"{world.workgroup}-glue"
    for hours in (12, 1):
        iam.update_role(RoleName=role, MaxSessionDuration=hours * 3600)
    return changed(world, f"iam/role/{role}/rights")


@made(INSIDER)
def a_role_gets_every_right(world: World) -> list[Finding]:
    """gives the role that records large files every right, and takes them away"""
    iam, role = world.client("iam"), f"{world.workgroup}-recorder-large"
    policy = "arn:aws:iam::aws:policy/AdministratorAccess"
    iam.attach_role_policy(RoleName=role, PolicyArn=policy)
    iam.detach_role_policy(RoleName=role, PolicyArn=policy)
    return changed(world, f"iam/role/{role}/rights")


# What runs, and what tells


@made(INSIDER)
def a_stranger_may_call_the_recorder(world: World) -> list[Finding]:
    """lets another account call the recorder's function, and no more"""
    functions, name = world.client("lambda"), world.recorder
    functions.add_permission(
        FunctionName=name,
        StatementId="stranger",
        Action="lambda:InvokeFunction",
        Principal=STRANGER,
    )
    functions.remove_permission(FunctionName=name, StatementId="stranger")
    return changed(world, f"lambda/function/{name}/configuration")


@made(INSIDER)
def dead_letters_are_forgotten(world: World) -> list[Finding]:
    """has the recorder's dead letters forgotten after a minute, and after two weeks again"""
    sqs, name = world.client("sqs"), f"{world.recorder}-dlq"
    queue = sqs.get_queue_url(QueueName=name)["QueueUrl"]
    for seconds in ("60", "1209600"):
        sqs.set_queue_attributes(QueueUrl=queue, Attributes={"MessageRetentionPeriod": seconds})
    return changed(world, f"sqs/queue/{name}/configuration")


@made(INSIDER)
def dead_letters_are_thrown_away(world: World) -> list[Finding]:
    """throws the recorder's dead letters away"""
    sqs, name = world.client("sqs"), f"{world.recorder}-dlq"
    sqs.purge_queue(QueueUrl=sqs.get_queue_url(QueueName=name)["QueueUrl"])
    return changed(world, f"sqs/queue/{name}/messages")


@made(INSIDER)
def a_rule_calls_nobody(world: World) -> list[Finding]:
    """switches off the rule that calls people when a key is changed, and on again"""
    events, name = world.client("events"), f"{world.workgroup}-key-changed"
    events.disable_rule(Name=name)
    events.enable_rule(Name=name)
    return changed(world, f"events/rule/{name}")


@made(INSIDER)
def an_alarm_is_silenced(world: World) -> list[Finding]:
    """silences the alarm that nothing is judged any more, and lets it speak again"""
    watch, name = world.client("cloudwatch"), f"{world.workgroup}-no-reconciliation"
    watch.disable_alarm_actions(AlarmNames=[name])
    watch.enable_alarm_actions(AlarmNames=[name])
    return changed(world, f"monitoring/alarm/{name}")


@made(INSIDER)
def an_alarm_is_told_that_all_is_well(world: World) -> list[Finding]:
    """tells the alarm of the audit that all is well"""
    name = f"{world.workgroup}-no-audit"
    world.client("cloudwatch").set_alarm_state(
        AlarmName=name, StateValue="OK", StateReason="nothing to see here"
    )
    return changed(world, f"monitoring/alarm/{name}")


@made(INSIDER)
def somebody_is_told_no_more(world: World) -> list[Finding]:
    """takes somebody off the list of those who get the pages"""
    sns, topic = world.client("sns"), world.platform.settings["topic_arn"]
    told = sns.subscribe(
        TopicArn=topic,
        Protocol="email",
        Endpoint="on-call@example.com",
        ReturnSubscriptionArn=True,
    )["SubscriptionArn"]
    sns.unsubscribe(SubscriptionArn=told)
    return changed(world, f"sns/topic/{told.split(':', 5)[-1]}/subscribers")


@made(INSIDER)
def the_workgroup_is_changed(world: World) -> list[Finding]:
    """changes the workgroup that queries run in"""
    world.client("athena").update_work_group(
        WorkGroup=world.workgroup, Description="nothing to see here"
    )
    return changed(world, f"athena/workgroup/{world.workgroup}")


@made(INSIDER)
def the_database_is_changed(world: World) -> list[Finding]:
    """changes the database of the tables, whose tables stay"""
    database = world.platform.settings["database"]
    world.client("glue").update_database(
        Name=database, DatabaseInput={"Name": database, "Description": "nothing to see here"}
    )
    return changed(world, f"glue/database/{database}/set-up")


@made(INSIDER)
def the_stack_may_be_deleted(world: World) -> list[Finding]:
    """lets the stack be deleted, and not again"""
    stacks, name = world.client("cloudformation"), world.workgroup
    for protected in (False, True):
        stacks.update_termination_protection(StackName=name, EnableTerminationProtection=protected)
    return changed(world, f"cloudformation/stack/{name}")


@made(INSIDER)
def a_job_gets_other_arguments(world: World) -> list[Finding]:
    """starts the audit with settings and code of his own, which it does not take: it fails"""
    name = world.platform.settings["audit_job"]
    own = {"--settings": "{}", "--audit": "{}", "--extra-py-files": f"s3://{world.raw}/mine.zip"}
    world.client("glue").start_job_run(JobName=name, Arguments=own)
    return changed(world, f"glue/job/{name}/runs")


@made(INSIDER)
def airflows_role_starts_a_job(world: World) -> list[Finding]:
    """lets himself assume Airflow's role, and starts a job as it does"""
    name = world.platform.settings["silver_to_gold_job"]
    glue = world.as_role(f"{world.workgroup}-airflow")("glue")
    glue.start_job_run(JobName=name)
    return changed(world, f"glue/job/{name}/runs")


ATTACKS = [
    versions_are_not_kept,
    new_records_are_not_locked,
    logs_may_expire,
    another_key_encrypts,
    a_bucket_may_be_public,
    a_files_lock_is_shortened,
    a_legal_hold_is_taken_off,
    a_key_is_to_be_deleted,
    a_key_is_not_rotated,
    an_alias_leads_elsewhere,
    an_uploader_gets_a_password,
    a_stranger_may_take_airflows_role,
    sessions_last_longer,
    a_role_gets_every_right,
    a_stranger_may_call_the_recorder,
    dead_letters_are_forgotten,
    dead_letters_are_thrown_away,
    a_rule_calls_nobody,
    an_alarm_is_silenced,
    an_alarm_is_told_that_all_is_well,
    somebody_is_told_no_more,
    the_workgroup_is_changed,
    the_database_is_changed,
    the_stack_may_be_deleted,
    a_job_gets_other_arguments,
    airflows_role_starts_a_job,
]
