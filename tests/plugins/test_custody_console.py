"""The plugin in Airflow: it costs nothing at the start, and Airflow says who may see the pages."""

from __future__ import annotations

import asyncio
import importlib.util
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

PLUGINS = Path(__file__).parents[2] / "plugins"
ROUTES = ("/", "/findings", f"/findings/{'0' * 64}", "/console.css")
SIMPLE = "airflow.api_fastapi.auth.managers.simple.simple_auth_manager.SimpleAuthManager"
FAB = "airflow.providers.fab.auth_manager.fab_auth_manager.FabAuthManager"
# What stands between a user and nothing to show is the guard; without a deployment, the pages say so.
SHOWN = {200, 503}


@pytest.fixture(scope="module")
def plugin() -> ModuleType:
    """The file as Airflow loads it: a module named by its stem."""
    spec = importlib.util.spec_from_file_location("custody_console", PLUGINS / "custody_console.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_every_process_of_airflow_loads_it_for_nothing() -> None:
    """In a process that has loaded what Airflow's plugins need, and no more."""
    program = (
        "import sys, time\n"
        "import airflow.plugins_manager\n"
        "before = set(sys.modules)\n"
        "begun = time.perf_counter()\n"
        f"exec(compile(open({str(PLUGINS / 'custody_console.py')!r}).read(), 'c', 'exec'),"
        " {'__name__': 'custody_console'})\n"
        "print(time.perf_counter() - begun)\n"
        "print(*sorted(set(sys.modules) - before))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    seconds, _, loaded = done.stdout.strip().splitlines()[-2:][0], "", done.stdout.splitlines()[-1]
    assert float(seconds) < 0.3
    heavy = {"custody", "fastapi", "boto3", "botocore", "jinja2", "markdown_it"}
    assert heavy & {name.partition(".")[0] for name in loaded.split()} == set()


def test_it_is_in_the_navigation_and_works_below_a_path(plugin: ModuleType) -> None:
    (view,) = plugin.CustodyPlugin.external_views
    assert view["destination"] == "nav"
    assert not view["href"].startswith("/")
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


@pytest.fixture(scope="module")
def database() -> None:
    """Airflow's tables, empty."""
    from airflow import settings  # noqa: PLC0415
    from airflow.models import import_all_models  # noqa: PLC0415
    from airflow.models.base import Base  # noqa: PLC0415

    import_all_models()
    Base.metadata.create_all(settings.engine)


def auth_manager(name: str, patched: pytest.MonkeyPatch) -> Any:
    from airflow.api_fastapi.app import (  # noqa: PLC0415
        create_auth_manager,
        purge_cached_app,
    )

    patched.setenv("AIRFLOW__CORE__AUTH_MANAGER", name)
    purge_cached_app()
    return create_auth_manager()


@pytest.fixture(scope="module")
def patched() -> Iterator[pytest.MonkeyPatch]:
    with pytest.MonkeyPatch.context() as patch:
        yield patch
    from airflow.api_fastapi.app import purge_cached_app  # noqa: PLC0415

    purge_cached_app()


def mounted(plugin: ModuleType) -> FastAPI:
    """The plugin's application where Airflow mounts it."""
    airflow = FastAPI()
    for app in plugin.CustodyPlugin.fastapi_apps:
        airflow.mount(app["url_prefix"], app["app"])
    return airflow


def answers(app: FastAPI, token: str | None, *, cookie: bool = False) -> set[int]:
    client = TestClient(app)
    if token and cookie:
        client.cookies["_token"] = token
    elif token:
        client.headers["Authorization"] = f"Bearer {token}"
    return {client.get(f"/custody{route}").status_code for route in ROUTES}


def test_under_the_simple_auth_manager_a_viewer_sees_and_nobody_else_does(
    plugin: ModuleType, database: None, patched: pytest.MonkeyPatch
) -> None:
    from airflow.api_fastapi.auth.managers.simple.user import (  # noqa: PLC0415
        SimpleAuthManagerUser,
    )

    manager, app = auth_manager(SIMPLE, patched), mounted(plugin)
    assert answers(app, None) == {401}
    assert answers(app, "no.token.at-all") == {403}
    for role in (None, "VIEWER", "USER", "OP", "ADMIN"):
        token = manager.generate_jwt(SimpleAuthManagerUser(username="somebody", role=role))
        for cookie in (False, True):
            found = answers(app, token, cookie=cookie)
            assert found == {403} if role is None else found <= SHOWN, role


@pytest.mark.filterwarnings("ignore")  # Flask-AppBuilder's own
def test_under_fab_a_viewer_sees_and_the_public_does_not(
    plugin: ModuleType, database: None, patched: pytest.MonkeyPatch
) -> None:
    """MWAA forces this one."""
    manager, app = auth_manager(FAB, patched), mounted(plugin)
    from airflow import settings  # noqa: PLC0415
    from airflow.providers.fab.auth_manager.models import Model  # noqa: PLC0415
    from airflow.providers.fab.www.app import create_app  # noqa: PLC0415

    Model.metadata.create_all(settings.engine)
    flask = create_app(enable_plugins=False)
    assert answers(app, None) == {401}
    with flask.app_context():
        security = flask.appbuilder.sm
        security.sync_roles()
        for role in ("Public", "Viewer", "User", "Op", "Admin"):
            user = security.add_user(role, role, role, f"{role}@x", security.find_role(role), "p")
            found = answers(app, manager.generate_jwt(user))
            assert found == {403} if role == "Public" else found <= SHOWN, role
