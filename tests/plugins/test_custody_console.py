"""The plugin in Airflow: it costs nothing at the start, and Airflow says who may see the pages."""

from __future__ import annotations

import ast
import asyncio
import threading
from types import ModuleType
from typing import Any

import pytest
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
    (view,) = plugin.CustodyPlugin.external_views
    assert view["destination"] == "nav"
    assert not view["href"].startswith("/")
    # In Airflow's frame nothing could be downloaded.
    assert "url_route" not in view
    (app,) = plugin.CustodyPlugin.fastapi_apps
    assert app["url_prefix"] == "/" + view["href"].rstrip("/")


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
