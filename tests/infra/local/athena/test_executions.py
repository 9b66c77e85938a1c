"""Executions survive their process; what it left running has failed."""

from __future__ import annotations

from pathlib import Path

import pytest

from localaws.athena.executions import Execution, Executions, Failure
from localaws.settings import SettingsError

QUEUED = Execution(
    id="1",
    query="SELECT 1",
    statement_type="DML",
    workgroup="w",
    account_id="111122223333",
    database=None,
    output="s3://b/",
    result="s3://b/1.csv",
    encryption={},
    state="QUEUED",
    submitted=100.0,
)


def test_they_are_as_they_were(tmp_path: Path) -> None:
    first = Executions(tmp_path)
    first.add(QUEUED)
    first.change(
        "1",
        state="FAILED",
        started=101.0,
        completed=102.5,
        reason="r",
        failure=Failure(2, 1006, "r"),
    )
    second = Executions(tmp_path)
    second.load()
    ended = second.get("1")
    assert ended is not None
    assert ended == first.get("1")
    assert ended.state == "FAILED"
    assert ended.api()["Statistics"]["TotalExecutionTimeInMillis"] == 2500


def test_what_was_running_has_failed(tmp_path: Path) -> None:
    first = Executions(tmp_path)
    first.add(QUEUED)
    first.change("1", state="RUNNING", started=101.0)
    second = Executions(tmp_path)
    second.load()
    found = second.get("1")
    assert found is not None
    assert (found.state, found.failure and found.failure.retryable) == ("FAILED", True)


def test_a_damaged_file(tmp_path: Path) -> None:
    (tmp_path / "1.json").write_text("{}")
    with pytest.raises(SettingsError, match=r"1\.json is damaged .*: reset the local AWS"):
        Executions(tmp_path).load()
