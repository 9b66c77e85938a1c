"""boto3 sessions that know nothing of the user's own AWS configuration."""

from __future__ import annotations

import os

import boto3
import botocore.session
from botocore.config import Config

from localaws.settings import Settings

# What botocore would read from the environment or from files, and must not: a profile that does
# not exist yet would stop it, one that exists would change where requests go.
_NOTHING: dict[str, tuple[None, None, str | None, None]] = {
    "profile": (None, None, None, None),
    "config_file": (None, None, os.devnull, None),
    "credentials_file": (None, None, os.devnull, None),
    "ca_bundle": (None, None, None, None),
}


def session(
    settings: Settings,
    access_key_id: str,
    secret_access_key: str,
    session_token: str | None = None,
    service: str | None = None,
) -> boto3.Session:
    """A session with these keys, in the local AWS's region.

    `service` is the AWS service (`glue.amazonaws.com`) on whose behalf the account's own keys
    call, for CloudTrail to name. Its clients want `endpoint_url=settings.endpoint`; no proxy
    stands between.
    """
    core = botocore.session.Session(session_vars=_NOTHING)
    core.set_default_client_config(
        Config(proxies={}, user_agent_extra=f"app/{service}" if service else None)
    )
    return boto3.Session(
        aws_access_key_id=access_key_id,
        aws_secret_access_key=secret_access_key,
        aws_session_token=session_token,
        region_name=settings.region,
        botocore_session=core,
    )
