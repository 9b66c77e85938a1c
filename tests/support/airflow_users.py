"""The console in an Airflow's web server, and how it answers users of each role."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any, Final

import pytest
from airflow import settings
from airflow.api_fastapi.app import create_auth_manager, purge_cached_app
from airflow.models import import_all_models
from airflow.models.base import Base
from fastapi import FastAPI
from tests.support.asgi import ask

PLUGINS: Final = Path(__file__).parents[2] / "plugins"

SIMPLE: Final = "airflow.api_fastapi.auth.managers.simple.simple_auth_manager.SimpleAuthManager"
FAB: Final = "airflow.providers.fab.auth_manager.fab_auth_manager.FabAuthManager"

ROUTES: Final = (
    "/",
    "/findings",
    f"/findings/{'0' * 64}",
    "/object",
    "/object?object=incoming/a.csv",
    "/case?object=incoming/a.csv",
    "/datasets",
    "/datasets/customers/2026-11-01",
    "/run?dag_id=medallion_customers&run_id=r",
    "/console.css",
)

SHOWN: Final = {200, 503}
"""Past the guards: without a deployment, a page says that there is none."""


def load_plugin() -> ModuleType:
    """The file as Airflow loads it: a module named by its stem."""
    spec = importlib.util.spec_from_file_location("custody_console", PLUGINS / "custody_console.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@contextmanager
def auth_manager(name: str) -> Iterator[Any]:
    """Airflow's tables, empty, and its auth manager of that class."""
    import_all_models()  # type: ignore[no-untyped-call]  # Airflow has no types here
    Base.metadata.create_all(settings.engine)
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("AIRFLOW__CORE__AUTH_MANAGER", name)
        patched.setenv("AIRFLOW__API_AUTH__JWT_SECRET", "secret" * 16)
        purge_cached_app()
        yield create_auth_manager()
    purge_cached_app()


def mounted(plugin: ModuleType) -> FastAPI:
    """The plugin's application where Airflow mounts it."""
    airflow = FastAPI()
    for app in plugin.CustodyPlugin.fastapi_apps:
        airflow.mount(app["url_prefix"], app["app"])
    return airflow


def may_answer(app: FastAPI, token: str | None) -> bool:
    """Whether whoever has this token gets as far as his form, which is that of another session."""
    given = {"Cookie": f"_token={token}"} if token else {}
    form = {"kind": "closed", "reason": "r", "token": "0" * 64}
    answer = ask(app, f"/custody{ROUTES[2]}", "POST", headers=given, data=form)
    assert answer.status_code in {401, 403}
    return bool(answer.json()["detail"].startswith("This form is not of this session"))


def answers(app: FastAPI, token: str | None, *, cookie: bool = False) -> set[int]:
    """The statuses of all routes, for whoever has this token."""
    given: dict[str, str] = {}
    if token:
        given = {"Cookie": f"_token={token}"} if cookie else {"Authorization": f"Bearer {token}"}
    return {ask(app, f"/custody{route}", headers=given).status_code for route in ROUTES}
