"""The principals of the local account, and the AWS profiles with which people use them.

Everything later runs as one of these (or as a role): root only creates them.
"""

from __future__ import annotations

import configparser
import io
from typing import Any

import boto3
from botocore.exceptions import ClientError

from localaws.access.root import root_keys
from localaws.clients import session
from localaws.files import write_private
from localaws.settings import Settings, SettingsError

ADMINISTRATORS = ("platform-engineer", "insider")
# No policies of their own: the landing bucket's policy names them.
UPLOADERS = ("crm-export", "web-shop", "partner-feed")
# Assumed through an administrator, as a developer would on AWS.
AIRFLOW_PROFILE = "airflow"
_ADMINISTRATOR_ACCESS = "arn:aws:iam::aws:policy/AdministratorAccess"


def bootstrap(settings: Settings, project: str = "custody", stage: str = "local") -> None:
    """Create the users that are missing and write `aws/config` and `aws/credentials`.

    Safe to repeat: keys that still work are kept.
    """
    keys = root_keys(settings)
    root = session(settings, keys.access_key_id, keys.secret_access_key)
    iam = root.client("iam", endpoint_url=settings.endpoint)
    credentials = _read_credentials(settings)
    for user in (*ADMINISTRATORS, *UPLOADERS):
        _ensure_user(iam, user)
        if user in ADMINISTRATORS:
            _ensure_policy(iam, user, _ADMINISTRATOR_ACCESS)
        _ensure_key(iam, user, credentials)
    write_private(settings.aws / "credentials", _text(credentials))
    write_private(settings.aws / "config", _text(_config(settings, project, stage)))


def administrator(settings: Settings) -> boto3.Session:
    """A session of the platform engineer; raises SettingsError before `bootstrap` has run."""
    user = ADMINISTRATORS[0]
    credentials = _read_credentials(settings)
    if not credentials.has_section(user):
        raise SettingsError(
            f"{settings.aws / 'credentials'} has no profile {user}: start the local AWS first"
        )
    keys = credentials[user]
    return session(settings, keys["aws_access_key_id"], keys["aws_secret_access_key"])


def _ensure_policy(iam: Any, user: str, policy_arn: str) -> None:
    """Attach a policy that is not: to do it again would be a change that somebody is named for."""
    attached = iam.list_attached_user_policies(UserName=user)["AttachedPolicies"]
    if all(policy["PolicyArn"] != policy_arn for policy in attached):
        iam.attach_user_policy(UserName=user, PolicyArn=policy_arn)


def _ensure_user(iam: Any, user: str) -> None:
    try:
        iam.create_user(UserName=user)
    except ClientError as error:
        if error.response["Error"]["Code"] != "EntityAlreadyExists":
            raise


def _ensure_key(iam: Any, user: str, credentials: configparser.ConfigParser) -> None:
    existing = {
        key["AccessKeyId"] for key in iam.list_access_keys(UserName=user)["AccessKeyMetadata"]
    }
    if credentials.get(user, "aws_access_key_id", fallback=None) in existing:
        return
    for stale in existing:
        iam.delete_access_key(UserName=user, AccessKeyId=stale)
    created = iam.create_access_key(UserName=user)["AccessKey"]
    credentials[user] = {
        "aws_access_key_id": created["AccessKeyId"],
        "aws_secret_access_key": created["SecretAccessKey"],
    }


def _config(settings: Settings, project: str, stage: str) -> configparser.ConfigParser:
    config = _parser()
    common = {
        "region": settings.region,
        "endpoint_url": settings.endpoint,
        # MWAA's calls go to hosts below the endpoint's: `api.` and `env.`.
        "disable_host_prefix_injection": "true",
        "output": "json",
        # Also by a name instead of an address: no name server knows `bucket.name`.
        "s3": "\naddressing_style = path",
    }
    for user in (*ADMINISTRATORS, *UPLOADERS):
        config[f"profile {user}"] = common
    config[f"profile {AIRFLOW_PROFILE}"] = {
        **common,
        "role_arn": f"arn:aws:iam::{settings.account_id}:role/{project}-{stage}-airflow",
        "source_profile": ADMINISTRATORS[0],
        "role_session_name": "airflow",
    }
    return config


def _read_credentials(settings: Settings) -> configparser.ConfigParser:
    credentials = _parser()
    credentials.read(settings.aws / "credentials", encoding="utf-8")
    return credentials


def _parser() -> configparser.ConfigParser:
    return configparser.ConfigParser(interpolation=None)


def _text(parser: configparser.ConfigParser) -> str:
    buffer = io.StringIO()
    parser.write(buffer)
    return buffer.getvalue()
