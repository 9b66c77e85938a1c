"""What people did in Airflow is told by name, and nothing of what they typed."""

from __future__ import annotations

import ast
import json
from datetime import UTC, datetime, timedelta
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from custody.core.formats.untrusted import MalformedInput
from custody.core.runs.airflow_log import (
    MACHINES,
    MAX_ACTS,
    MAX_ALIKE,
    OF_NO_CONCERN,
    OVERLAP,
    VERBS,
    AirflowLog,
    Verb,
    log_since,
)

SINCE = datetime(2026, 11, 1, 6, 35, tzinfo=UTC)
UNTIL = SINCE + timedelta(hours=1)
SECRET = "hunter2"
# Read and not imported, which would take seconds.
_SPEC = find_spec("airflow")
assert _SPEC is not None
assert _SPEC.submodule_search_locations is not None
_AIRFLOW = next(
    path for path in map(Path, _SPEC.submodule_search_locations) if (path / "api_fastapi").is_dir()
)


def entry(event: str, extra: object = None, **fields: Any) -> dict[str, Any]:
    """One of the log's, as `GET /api/v2/eventLogs` gives it."""
    return {
        "event_log_id": 7,
        "when": "2026-11-01T07:00:00.123456Z",
        "dag_id": None,
        "task_id": None,
        "run_id": None,
        "map_index": None,
        "try_number": None,
        "event": event,
        "logical_date": None,
        "owner": "operator",
        "extra": json.dumps(extra) if extra is not None else None,
        **fields,
    }


def told(*entries: object) -> list[Any]:
    document = AirflowLog.of(entries, SINCE, UNTIL).to_document()
    assert isinstance(document["acts"], list)
    return document["acts"]


TASK = {"dag_id": "provenance_reconcile", "run_id": "manual__1", "task_id": "pages"}
ON_TASK = {"dag": "provenance_reconcile", "run": "manual__1", "task": "pages"}


@pytest.mark.parametrize(
    ("made", "expected"),
    [
        (
            entry("patch_task_instance", {"new_state": "success", "note": SECRET}, **TASK),
            {"verb": "mark", **ON_TASK, "state": "success"},
        ),
        (
            entry("patch_dag", {"is_paused": True, "method": "PATCH"}, dag_id="custody_audit"),
            {"verb": "pause", "dag": "custody_audit", "state": "true"},
        ),
        (
            entry(
                "post_clear_task_instances",
                {"task_ids": ["pages", ["mapped", 3]], "dry_run": False},
                dag_id="d",
                run_id="r",
            ),
            {"verb": "clear", "dag": "d", "run": "r", "names": ["pages", "mapped"]},
        ),
        (
            entry("patch_variable", {"key": "custody", "value": SECRET, "description": SECRET}),
            {"verb": "variable", "names": ["custody"]},
        ),
        (
            entry("delete_variable", {"variable_key": "custody", "method": "DELETE"}),
            {"verb": "variable", "names": ["custody"]},
        ),
        (
            entry(
                "bulk_connections",
                {
                    "actions": [
                        {
                            "action": "create",
                            "entities": [
                                {"connection_id": "aws_default", "host": SECRET, "login": SECRET}
                            ],
                        },
                        {"action": "delete", "entities": ["old"]},
                    ]
                },
            ),
            {"verb": "connection", "names": ["aws_default", "old"]},
        ),
        (
            entry("patch_pool", {"pool": "default_pool", "slots": 0, "pool_name": "default_pool"}),
            {"verb": "pool", "names": ["default_pool"]},
        ),
        (
            entry("update_xcom_entry", {"xcom_key": "return_value", "value": SECRET}, **TASK),
            {"verb": "xcom", **ON_TASK, "names": ["return_value"]},
        ),
        (
            entry("trigger_dag_run", {"conf": {"password": SECRET}}, dag_id="d"),
            {"verb": "trigger", "dag": "d"},
        ),
        (
            entry("pause_backfill", {"backfill_id": "12"}),
            {"verb": "backfill", "names": ["12"]},
        ),
        (
            entry("cli_variables_set", {"full_command": f"airflow variables set k {SECRET}"}),
            {"verb": "command"},
        ),
        (entry("unheard_of", {"key": SECRET, "new_state": SECRET}), {"verb": "other"}),
    ],
    ids=lambda value: value.get("event") if isinstance(value, dict) else None,
)
def test_of_an_act_are_stated_who_when_what_and_on_what(
    made: dict[str, Any], expected: dict[str, Any]
) -> None:
    who = {"number": 7, "at": "2026-11-01T07:00:00.123Z", "who": "operator"}
    assert told(made) == [{**who, "event": made["event"], **expected}]


def test_what_airflow_does_itself_is_left_out() -> None:
    assert told(*(entry(event) for event in MACHINES | OF_NO_CONCERN)) == []


@pytest.mark.parametrize("extra", ["no JSON", '{"key": 1, "key": 2}', "[1]", "x" * 100_000, 7])
def test_an_extra_that_cannot_be_read_leaves_the_act(extra: object) -> None:
    (act,) = told({**entry("post_variable"), "extra": extra})
    assert (act["verb"], "names" in act) == ("variable", False)


def test_no_description_is_long_enough_to_hide_a_name() -> None:
    """Whoever works in Airflow chooses it; an answer of MWAA's may have 6 MB."""
    extra = {"key": "custody", "description": "x" * 5_000_000}
    (act,) = told(entry("post_variable", extra))
    assert act["names"] == ["custody"]


def test_names_are_as_long_as_they_may_be_and_can_be_written_down() -> None:
    many = {"task_ids": [f"{n}\ud800" + "x" * 1000 for n in range(40)]}
    (act,) = told(entry("post_clear_task_instances", many, owner="\udfff", run_id="y" * 9999))
    assert json.dumps(act, ensure_ascii=False).encode()
    assert (act["who"], len(act["names"]), len(act["run"])) == ("\\udfff", 10, 250)


def test_many_acts_hide_none_of_another_kind() -> None:
    noise = [entry("trigger_dag_run") for _ in range(1000)]
    log = AirflowLog.of([*noise, entry("patch_dag")], SINCE, UNTIL, unread=5)
    assert [act.verb for act in log.acts] == [Verb.TRIGGER] * MAX_ALIKE + [Verb.PAUSE]
    document = log.to_document()
    assert document["left_out"] == [["operator", "trigger_dag_run", 1000 - MAX_ALIKE]]
    assert document["unread"] == 5
    assert AirflowLog.from_document(document).to_document() == document


def test_of_very_many_some_are_only_counted() -> None:
    log = AirflowLog.of(
        [entry("patch_dag", owner=f"user {n}") for n in range(MAX_ACTS + 3)], SINCE, UNTIL
    )
    assert (len(log.acts), sum(log.left_out.values())) == (MAX_ACTS, 3)


def test_what_a_run_stated_is_read_as_it_was_written() -> None:
    made = entry("patch_task_instance", {"new_state": "success"}, **TASK)
    many = entry("post_clear_task_instances", {"task_ids": ["a", "b"]}, dag_id="d")
    log = AirflowLog.of([made, many], SINCE, UNTIL, trouble="InternalServerException")
    written = json.loads(json.dumps(log.to_document()))
    read = AirflowLog.from_document(written)
    assert read.to_document() == log.to_document()
    assert read.trouble == "InternalServerException"


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"since": "?"}, "airflow.since"),
        ({"acts": ["?"]}, r"airflow.acts\[0\]"),
        ({"acts": [{}] * (MAX_ACTS + 1)}, "airflow.acts: has"),
        ({"left_out": [["operator", "patch_dag"]]}, r"airflow.left_out\[0\]"),
        ({"left_out": [["operator", "patch_dag", "1"]]}, r"airflow.left_out\[0\].count"),
    ],
)
def test_what_no_run_stated_is_named(change: dict[str, object], field: str) -> None:
    document = AirflowLog(SINCE, UNTIL).to_document() | change
    with pytest.raises(MalformedInput, match=field):
        AirflowLog.from_document(document)


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ("text", r"event_logs\[0\]: must be an object"),
        (entry("patch_dag", when="yesterday"), r"event_logs\[0\].when"),
        (entry("patch_dag", event_log_id="7"), r"event_logs\[0\].event_log_id"),
    ],
)
def test_what_is_no_entry_is_named(wrong: object, field: str) -> None:
    with pytest.raises(MalformedInput, match=field):
        AirflowLog.of([wrong], SINCE, UNTIL)


def test_a_run_asks_since_the_one_before_it_and_some_minutes_more() -> None:
    assert log_since(UNTIL, SINCE) == UNTIL - OVERLAP
    assert log_since(None, SINCE) == SINCE


def test_everything_that_airflow_logs_of_people_is_known() -> None:
    """As the API's own source has it: whatever a release adds must be looked at."""
    routes = _AIRFLOW / "api_fastapi" / "core_api" / "routes"
    logged = {name for file in routes.rglob("*.py") for name in _logged(file)}
    assert logged == VERBS.keys() | OF_NO_CONCERN


def _logged(file: Path) -> set[str]:
    """The functions behind routes that write to the audit log, under their own names."""
    return {
        node.name
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and any("action_logging" in ast.unparse(each) for each in node.decorator_list)
    }


def test_what_becomes_of_tasks_is_known() -> None:
    states = ast.parse((_AIRFLOW / "utils" / "state.py").read_text(encoding="utf-8"))
    (terminal, between, of_tasks) = (
        {
            ast.unparse(line.targets[0]): line.value
            for line in node.body
            if isinstance(line, ast.Assign)
        }
        for node in states.body
        if isinstance(node, ast.ClassDef)
        and node.name in ("TerminalTIState", "IntermediateTIState", "TaskInstanceState")
    )
    values = [*terminal.values(), *between.values(), *of_tasks.values()]
    named = {value.value for value in values if isinstance(value, ast.Constant)}
    assert named <= MACHINES
    assert {"success", "running"} <= named
