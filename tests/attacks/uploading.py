"""An uploader that is a role: somebody takes it, and uploads in a session of it."""

from __future__ import annotations

import json
from typing import Any

import boto3
from tests.attacks.attack import Finding, made
from tests.attacks.controls import changed
from tests.attacks.world import INSIDER, World

from rehearsal.landing import Landed
from rehearsal.platform import Platform

ROLE = "file-gateway"
TAKEN_BY = "crm-export"
FOLDER = "incoming/smoke/dt=2026-11-03"


def uploaders_with_a_role(platform: Platform) -> str:
    """Make the role, which an uploader's user may take; the parameter of a deployment in which it
    uploads, too."""
    users = ("crm-export", "web-shop", "partner-feed")
    arns = {user: str(platform.client("sts", user).get_caller_identity()["Arn"]) for user in users}
    taken = {
        "Effect": "Allow",
        "Principal": {"AWS": arns[TAKEN_BY]},
        "Action": "sts:AssumeRole",
    }
    iam = platform.client("iam")
    role = iam.create_role(RoleName=ROLE, AssumeRolePolicyDocument=_document(taken))["Role"]["Arn"]
    takes = {"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": role}
    # On AWS the role's trust in a user of its own account would do.
    iam.put_user_policy(UserName=TAKEN_BY, PolicyName=ROLE, PolicyDocument=_document(takes))
    return f"UploaderArns={','.join([*arns.values(), role])}"


def _document(statement: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def in_a_session(world: World) -> Landed:
    """Who may take the role does, and uploads."""
    role = world.client("iam").get_role(RoleName=ROLE)["Role"]["Arn"]
    got = world.client("sts", TAKEN_BY).assume_role(RoleArn=role, RoleSessionName="nightly")
    keys = got["Credentials"]
    session: Any = boto3.Session(
        region_name=world.platform.settings["region"],
        aws_access_key_id=keys["AccessKeyId"],
        aws_secret_access_key=keys["SecretAccessKey"],
        aws_session_token=keys["SessionToken"],
    )
    s3 = session.client("s3", endpoint_url=world.platform.machine.endpoint)
    return _put(world, s3, "honest-session.csv")


@made(INSIDER)
def an_uploaders_role_is_taken(world: World) -> list[Finding]:
    """lets himself assume the role of an uploader, and uploads under its name"""
    landed = _put(world, world.as_role(ROLE)("s3"), "in-the-uploaders-role.csv")
    return [
        *changed(world, f"iam/role/{ROLE}/trust"),
        world.finding("UNEXPECTED_PRINCIPAL", landed, INSIDER),
    ]


def _put(world: World, s3: Any, name: str) -> Landed:
    body, key = b"customer_id\nC-9\n", f"{FOLDER}/{name}"
    put = s3.put_object(Bucket=world.raw, Key=key, Body=body)
    return Landed(ROLE, key, str(put["VersionId"]), len(body))
