"""Attacks on what decides what the platform sees and does: changed, and put back as it was.

Nothing comes of most of them by itself, and nothing but their own finding tells of them.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import boto3
from tests.attacks.attack import Finding, made
from tests.attacks.world import FOLDER, INSIDER, UPLOADER, World, lifted

from custody.core.ledger.rows import CONTROL


def changed(world: World, *controls: str) -> list[Finding]:
    return [
        Finding("CONTROL_CHANGED", CONTROL, control, "null", world.arn(INSIDER))
        for control in controls
    ]


@made(INSIDER)
def the_settings_name_him_as_an_uploader(world: World) -> list[Finding]:
    """names himself as an uploader in the settings' parameter, and takes it back"""
    name = f"/{world.workgroup.replace('-', '/')}/airflow/variables/custody"
    ssm = world.client("ssm")
    value = ssm.get_parameter(Name=name)["Parameter"]["Value"]
    settings = json.loads(value)
    settings["uploader_arns"] += f",{world.arn(INSIDER)}"
    for written in (json.dumps(settings), value):
        ssm.put_parameter(Name=name, Value=written, Type="String", Overwrite=True)
    return changed(world, f"ssm/parameter{name}")


@made(INSIDER)
def the_settings_keep_him_as_an_uploader(world: World) -> list[Finding]:
    """names himself as an uploader in the settings' parameter, leaves it so, and uploads a file"""
    name = f"/{world.workgroup.replace('-', '/')}/airflow/variables/custody"
    ssm, key = world.client("ssm"), f"{FOLDER}/by-a-new-uploader.csv"
    settings = json.loads(ssm.get_parameter(Name=name)["Parameter"]["Value"])
    settings["uploader_arns"] += f",{world.arn(INSIDER)}"
    ssm.put_parameter(Name=name, Value=json.dumps(settings), Type="String", Overwrite=True)
    with lifted(world, world.raw) as s3:
        put = s3.put_object(Bucket=world.raw, Key=key, Body=b"customer_id\nC-8\n")
    version = str(put["VersionId"])
    return [
        *changed(world, f"ssm/parameter{name}"),
        Finding("UNEXPECTED_PRINCIPAL", world.raw, key, version, world.arn(INSIDER)),
    ]


@made(INSIDER)
def a_key_is_made_for_an_uploader(world: World) -> list[Finding]:
    """makes himself an access key of an uploader's user and uploads as him"""
    with _key_of_an_uploader(world) as made_key:
        return _uploaded(world, made_key, "as-the-uploader.csv")


@made(INSIDER)
def a_session_is_made_of_an_uploader(world: World) -> list[Finding]:
    """makes himself an access key of an uploader's user, a session with it, and uploads in that"""
    with _key_of_an_uploader(world) as made_key:
        session = _client(world, "sts", made_key).get_session_token()["Credentials"]
        return _uploaded(world, session, "in-the-uploaders-session.csv")


@contextmanager
def _key_of_an_uploader(world: World) -> Iterator[dict[str, str]]:
    iam = world.client("iam")
    made_key = iam.create_access_key(UserName=UPLOADER)["AccessKey"]
    try:
        yield made_key
    finally:
        iam.delete_access_key(UserName=UPLOADER, AccessKeyId=made_key["AccessKeyId"])


def _client(world: World, service: str, key: dict[str, str]) -> Any:
    session: Any = boto3.Session(
        aws_access_key_id=key["AccessKeyId"],
        aws_secret_access_key=key["SecretAccessKey"],
        aws_session_token=key.get("SessionToken"),
        region_name=world.platform.settings["region"],
    )
    return session.client(service, endpoint_url=world.platform.machine.endpoint)


def _uploaded(world: World, as_whom: dict[str, str], name: str) -> list[Finding]:
    key = f"{FOLDER}/{name}"
    s3 = _client(world, "s3", as_whom)
    put = s3.put_object(Bucket=world.raw, Key=key, Body=b"customer_id\nC-7\n")
    version = str(put["VersionId"])
    return [
        *changed(world, f"iam/user/{UPLOADER}/access keys"),
        Finding("UNEXPECTED_PRINCIPAL", world.raw, key, version, world.arn(INSIDER)),
    ]


@made(INSIDER)
def an_uploader_gets_more_rights(world: World) -> list[Finding]:
    """gives an uploader's user a policy of his own, and takes it away again"""
    iam, name = world.client("iam"), "everything"
    allow = {"Effect": "Allow", "Action": "*", "Resource": "*"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [allow]})
    iam.put_user_policy(UserName=UPLOADER, PolicyName=name, PolicyDocument=document)
    iam.delete_user_policy(UserName=UPLOADER, PolicyName=name)
    return changed(world, f"iam/user/{UPLOADER}/rights")


@made(INSIDER)
def the_judges_role_gets_other_rights(world: World) -> list[Finding]:
    """denies the role that judges to read the trail, and lets it again"""
    iam, role, name = world.client("iam"), f"{world.workgroup}-audit", "blind"
    deny = {
        "Effect": "Deny",
        "Action": "s3:GetObject*",
        "Resource": f"arn:aws:s3:::{world.trail}/*",
    }
    document = json.dumps({"Version": "2012-10-17", "Statement": [deny]})
    iam.put_role_policy(RoleName=role, PolicyName=name, PolicyDocument=document)
    iam.delete_role_policy(RoleName=role, PolicyName=name)
    return changed(world, f"iam/role/{role}/rights")


@made(INSIDER)
def the_signing_key_is_switched_off(world: World) -> list[Finding]:
    """switches the recorder's signing key off and on again while nobody uploads"""
    kms, arn = world.client("kms"), world.platform.settings["signing_key_arn"]
    world.drain()
    kms.disable_key(KeyId=arn)
    kms.enable_key(KeyId=arn)
    return changed(world, f"kms/key/{arn.rpartition('/')[2]}/state")


@made(INSIDER)
def the_selectors_are_narrowed_for_a_moment(world: World) -> list[Finding]:
    """takes removals out of the trail's event selectors, and puts them back at once"""
    trail, name = world.client("cloudtrail"), world.platform.settings["trail_name"]
    before = trail.get_event_selectors(TrailName=name)["AdvancedEventSelectors"]
    for selectors in (without_removals(before), before):
        trail.put_event_selectors(TrailName=name, AdvancedEventSelectors=selectors)
    return changed(world, f"cloudtrail/trail/{name}/selectors")


def without_removals(selectors: list[Any]) -> list[Any]:
    """A trail's selectors that leave out the removal of objects."""
    without = {"Field": "eventName", "NotEquals": ["DeleteObject"]}
    return [
        {**selector, "FieldSelectors": [*selector["FieldSelectors"], without]}
        if {"Field": "eventCategory", "Equals": ["Data"]} in selector["FieldSelectors"]
        else selector
        for selector in selectors
    ]


@made(INSIDER)
def the_jobs_code_is_changed(world: World) -> list[Finding]:
    """gives the job that judges another script, and the deployed one again"""
    glue, name = world.client("glue"), world.platform.settings["reconcile_job"]
    job = glue.get_job(JobName=name)["Job"]
    kept = {field: job[field] for field in _JOB_FIELDS if field in job}
    other = {**kept["Command"], "ScriptLocation": f"s3://{world.analytics}/other.py"}
    for command in (other, kept["Command"]):
        glue.update_job(JobName=name, JobUpdate={**kept, "Command": command})
    return changed(world, f"glue/job/{name}/code")


_JOB_FIELDS = (
    *("Role", "Command", "DefaultArguments", "NonOverridableArguments", "ExecutionProperty"),
    *("MaxRetries", "Timeout", "GlueVersion", "WorkerType", "NumberOfWorkers"),
    *("SecurityConfiguration", "Description", "ExecutionClass"),
)


@made(INSIDER)
def the_pages_go_nowhere(world: World) -> list[Finding]:
    """changes who may publish to the topic of the pages, and changes it back"""
    sns, topic = world.client("sns"), world.platform.settings["topic_arn"]
    policy = sns.get_topic_attributes(TopicArn=topic)["Attributes"]["Policy"]
    for _ in range(2):
        sns.set_topic_attributes(TopicArn=topic, AttributeName="Policy", AttributeValue=policy)
    return changed(world, f"sns/topic/{topic.rpartition(':')[2]}/configuration")


@made(INSIDER)
def a_file_is_tagged(world: World) -> list[Finding]:
    """tags a file in bronze, by which a rule might remove it or a right be given"""
    landed = world.recorded("tagged.csv")
    tags = {"TagSet": [{"Key": "expire", "Value": "soon"}]}
    with lifted(world, world.raw) as s3:
        s3.put_object_tagging(
            Bucket=world.raw, Key=landed.key, VersionId=landed.version_id, Tagging=tags
        )
    return [world.finding("CONTROL_CHANGED", landed, INSIDER)]


ATTACKS = [
    the_settings_name_him_as_an_uploader,
    the_settings_keep_him_as_an_uploader,
    a_key_is_made_for_an_uploader,
    a_session_is_made_of_an_uploader,
    an_uploader_gets_more_rights,
    the_judges_role_gets_other_rights,
    the_signing_key_is_switched_off,
    the_selectors_are_narrowed_for_a_moment,
    the_jobs_code_is_changed,
    the_pages_go_nowhere,
    a_file_is_tagged,
]
