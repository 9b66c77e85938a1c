"""What the DAGs share.

The same DAG file finds its SQL where MWAA puts it and where the repository has it; a task's own
clients are the worker's.
"""

from pathlib import Path

import pytest
from airflow.providers.amazon.aws.hooks.base_aws import AwsBaseHook

from custody.tasks.defaults import client, setting, sql_root


@pytest.mark.parametrize(
    "places",
    [["dags/include/sql"], ["include/sql"], ["include/sql", "dags/include"]],
    ids=["in the folder of the DAGs, as on MWAA", "beside it", "not where there is no SQL"],
)
def test_sql_is_found_in_the_folder_of_the_dags_or_beside_it(
    tmp_path: Path, places: list[str]
) -> None:
    for place in ("dags", *places):
        (tmp_path / place).mkdir(parents=True, exist_ok=True)
    assert sql_root(str(tmp_path / "dags" / "d.py")) == str(tmp_path / places[0])


def test_a_dag_without_its_sql_does_not_load(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"no include/sql in .*dags .*or beside it"):
        sql_root(str(tmp_path / "dags" / "d.py"))


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
