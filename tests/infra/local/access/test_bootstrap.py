from __future__ import annotations

import configparser
from pathlib import Path

import boto3
import pytest
from botocore.exceptions import ClientError
from tests.infra.local.conftest import ACCOUNT, Server

from localaws.access.bootstrap import ADMINISTRATORS, UPLOADERS, administrator, bootstrap
from localaws.settings import SettingsError


def profile(server: Server, name: str, monkeypatch: pytest.MonkeyPatch) -> boto3.Session:
    monkeypatch.setenv("AWS_CONFIG_FILE", str(server.settings.aws / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(server.settings.aws / "credentials"))
    return boto3.Session(profile_name=name)


@pytest.mark.parametrize("name", [*ADMINISTRATORS, *UPLOADERS])
def test_a_profile_is_all_a_person_needs(
    server: Server, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    identity = profile(server, name, monkeypatch).client("sts").get_caller_identity()
    assert identity["Arn"] == f"arn:aws:iam::{ACCOUNT}:user/{name}"


def test_uploaders_hold_no_permission_of_their_own(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in UPLOADERS:
        with pytest.raises(ClientError, match="AccessDenied"):
            profile(server, name, monkeypatch).client("s3").list_buckets()


def test_airflow_is_a_role_taken_by_the_platform_engineer(server: Server) -> None:
    config = configparser.ConfigParser()
    config.read(server.settings.aws / "config")
    assert dict(config["profile airflow"]) == {
        "region": "us-east-1",
        "endpoint_url": server.settings.endpoint,
        "disable_host_prefix_injection": "true",
        "output": "json",
        "s3": "\naddressing_style = path",
        "role_arn": f"arn:aws:iam::{ACCOUNT}:role/custody-local-airflow",
        "source_profile": "platform-engineer",
        "role_session_name": "airflow",
    }


def test_repeating_it_keeps_the_keys_and_mends_what_is_lost(server: Server) -> None:
    credentials = server.settings.aws / "credentials"
    assert credentials.stat().st_mode & 0o777 == 0o600
    before = credentials.read_text()
    bootstrap(server.settings)
    assert credentials.read_text() == before
    credentials.write_text("")
    bootstrap(server.settings)
    assert credentials.read_text() != before
    server.client("sts").get_caller_identity()
    keys = server.client("iam").list_access_keys(UserName="insider")["AccessKeyMetadata"]
    assert len(keys) == 1


def test_without_it_there_is_no_administrator(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="start the local AWS first"):
        administrator(Server(tmp_path).settings)
