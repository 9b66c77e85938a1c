"""The plugin in Airflow: it costs nothing at the start, and Airflow says who may see the pages."""

from __future__ import annotations

import ast
import asyncio
import json
import threading
from types import ModuleType
from typing import Any
from urllib.parse import quote
from uuid import uuid4

import pytest
from fastapi import FastAPI
from sqlalchemy import delete, insert
from sqlalchemy.exc import OperationalError
from tests.support.airflow_users import (
    PLUGINS,
    SHOWN,
    SIMPLE,
    answers,
    auth_manager,
    load_plugin,
    may_answer,
    mounted,
)
from tests.support.asgi import ask

from custody.reading.errors import CannotCheck


@pytest.fixture(scope="module")
def plugin() -> ModuleType:
    return load_plugin()


def test_every_process_of_airflow_loads_it_for_nothing() -> None:
    """What it imports when it is loaded, Airflow has loaded before."""
    body = ast.parse((PLUGINS / "custody_console.py").read_text(encoding="utf-8")).body
    imported = {
        name
        for node in body
        for name in (
            [node.module]
            if isinstance(node, ast.ImportFrom)
            else [alias.name for alias in node.names]
            if isinstance(node, ast.Import)
            else []
        )
    }
    assert imported == {
        "__future__",
        "airflow.plugins_manager",
        "asyncio",
        "collections.abc",
        "typing",
    }


def test_it_is_in_the_navigation_and_works_below_a_path(plugin: ModuleType) -> None:
    nav, *others = plugin.CustodyPlugin.external_views
    assert nav["destination"] == "nav"
    # In Airflow's frame nothing could be downloaded; beside the menus it could not be clicked.
    assert "url_route" not in nav
    assert nav["category"] == "browse"
    (app,) = plugin.CustodyPlugin.fastapi_apps
    assert app["url_prefix"] == "/" + nav["href"].rstrip("/")
    assert [view["destination"] for view in others] == ["dag_run", "task_instance"]
    for view in (nav, *others):
        assert view["href"].startswith("custody/")
    # Airflow passes over a view of which another has the route.
    assert len({view["url_route"] for view in others}) == 2


def test_a_view_of_a_run_asks_for_what_its_route_takes(plugin: ModuleType) -> None:
    from tests.plugins.custody.console.test_app import Ran, app_of  # noqa: PLC0415

    runs = Ran()
    airflow = FastAPI()
    airflow.mount("/custody", app_of(runs=runs))
    given = {"{DAG_ID}": "medallion_x", "{RUN_ID}": "manual__2026-11-01T00:00:00+00:00",
             "{TASK_ID}": "gold.silver_to_gold"}  # fmt: skip
    for view in plugin.CustodyPlugin.external_views[1:]:
        href = view["href"]
        for name, value in given.items():
            href = href.replace(name, quote(value, safe=""))  # as Airflow's page does
        assert "{" not in href
        assert ask(airflow, f"/{href}").status_code == 200
    dag, run, task = given.values()
    assert runs.asked == [(dag, run, ""), (dag, run, task)]


def test_airflow_has_what_the_tasks_of_a_run_returned(plugin: ModuleType) -> None:
    from airflow.models.dagrun import DagRun  # noqa: PLC0415
    from airflow.models.taskinstance import TaskInstance  # noqa: PLC0415
    from airflow.models.xcom import XComModel  # noqa: PLC0415
    from airflow.utils.session import create_session  # noqa: PLC0415
    from airflow.utils.types import DagRunType  # noqa: PLC0415

    with auth_manager(SIMPLE):
        assert plugin.run_in_airflow("medallion_x", "r") is None
        of_run = {"dag_id": "medallion_x", "run_id": "r"}
        hostile = {"__classname__": "no.such.Thing", "__version__": 1, "__data__": {}}
        values = {
            "bronze_to_silver": XComModel.serialize_value("jr_1"),
            "gold": "jr_2",  # as the API for tasks keeps it
            "names_a_class": json.dumps(hostile),
            "names_a_class_too": hostile,
            "deep": "[" * 200_000,
            "long": "9" * 5000,
            "nothing": None,
        }
        with create_session() as session:
            run = DagRun(**of_run, run_type=DagRunType.MANUAL, conf={"dt": "2026-11-01"})
            session.add(run)
            session.flush()
            table = TaskInstance.__table__
            for task, value in values.items():
                of_task = {**of_run, "task_id": task, "map_index": -1}
                session.execute(insert(table).values(**of_task, id=uuid4(), pool="p", pool_slots=1))
                returned = {"key": "return_value", "value": value, "dag_run_id": run.id}
                session.add(XComModel(**of_task, **returned))
        try:
            found = plugin.run_in_airflow("medallion_x", "r")
        finally:
            with create_session() as session:
                for table in (XComModel, TaskInstance, DagRun):
                    session.execute(delete(table))
    assert (found.dataset, found.dt) == ("x", "2026-11-01")
    assert found.jobs("") == {"bronze_to_silver": "jr_1", "gold": "jr_2"}


def test_that_airflows_database_does_not_answer_is_said_and_not_how(
    plugin: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    from airflow.utils import session  # noqa: PLC0415

    def refuse() -> None:
        raise OperationalError("SELECT 1", {}, Exception("password=secret"))

    monkeypatch.setattr(session, "create_session", refuse)
    with pytest.raises(CannotCheck, match="Airflow's database does not") as said:
        plugin.run_in_airflow("medallion_x", "r")
    assert "secret" not in str(said.value)


def test_airflow_takes_it_for_a_plugin_and_nothing_else(plugin: ModuleType) -> None:
    from airflow.plugins_manager import is_valid_plugin  # noqa: PLC0415

    assert is_valid_plugin(plugin.CustodyPlugin)
    ignored = (PLUGINS / ".airflowignore").read_text(encoding="utf-8").splitlines()
    assert [line for line in ignored if line and not line.startswith("#")] == ["custody/"]
    assert [path.name for path in PLUGINS.glob("*.py")] == ["custody_console.py"]


def test_the_application_is_made_once_and_away_from_the_loop(plugin: ModuleType) -> None:
    made: list[int] = []

    def make() -> Any:
        made.append(threading.get_ident())

        async def app(scope: Any, receive: Any, send: Any) -> None:
            await send(scope)

        return app

    async def ask() -> list[Any]:
        sent: list[Any] = []

        async def send(message: Any) -> None:
            sent.append(message)

        first = plugin.FirstAsked(make)
        await asyncio.gather(*(first({"n": n}, None, send) for n in range(5)))
        return sent

    assert len(asyncio.run(ask())) == 5
    assert len(made) == 1
    assert made[0] != threading.get_ident()


def test_a_viewer_sees_it_and_nobody_without_a_role(plugin: ModuleType) -> None:
    """Under Airflow's simple auth manager; `tests/mwaa` has the same under MWAA's."""
    from airflow.api_fastapi.auth.managers.simple.user import (  # noqa: PLC0415
        SimpleAuthManagerUser,
    )

    app = mounted(plugin)
    with auth_manager(SIMPLE) as manager:
        assert answers(app, None) == {401}
        assert answers(app, "no.token.atall") == {403}
        assert not may_answer(app, None)
        for role in (None, "VIEWER", "USER", "OP", "ADMIN"):
            token = manager.generate_jwt(SimpleAuthManagerUser(username="somebody", role=role))
            for cookie in (False, True):
                found = answers(app, token, cookie=cookie)
                assert found == {403} if role is None else found <= SHOWN, role
            assert may_answer(app, token) is (role in ("USER", "OP", "ADMIN")), role
