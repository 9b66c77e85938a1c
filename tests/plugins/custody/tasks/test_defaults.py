"""What the DAGs share.

The same DAG file finds its SQL where MWAA puts it and where the repository has it; a task's own
clients are the worker's.
"""

import pytest
from airflow.providers.amazon.aws.hooks.base_aws import AwsBaseHook

from custody.tasks.defaults import client, include_root, setting, sql_root


def test_include_beside_the_dags_wins(tmp_path):
    (tmp_path / "dags" / "include").mkdir(parents=True)
    (tmp_path / "include").mkdir()
    assert include_root(str(tmp_path / "dags" / "d.py")) == tmp_path / "dags" / "include"


def test_otherwise_it_is_beside_the_dags_folder(tmp_path):
    (tmp_path / "dags").mkdir()
    assert include_root(str(tmp_path / "dags" / "d.py")) == tmp_path / "include"
    assert sql_root(str(tmp_path / "dags" / "d.py")) == str(tmp_path / "include" / "sql")


def test_a_setting_is_a_template():
    assert setting("raw_bucket") == "{{ var.json.custody.raw_bucket }}"


def test_a_client_is_whoever_the_worker_is_and_no_connection_is_looked_for(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    monkeypatch.setattr(AwsBaseHook, "get_connection", lambda *_: pytest.fail("looked for one"))
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "worker")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    assert client("s3").meta.region_name == "eu-central-1"
    assert "Connection ID" not in caplog.text
