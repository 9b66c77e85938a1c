"""The routes: none is open, none writes, and each says what it cannot show."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError
from fastapi import FastAPI, HTTPException
from fastapi.routing import APIRoute
from tests.support.asgi import ask
from tests.support.consoles import SCRIPT, read_run, removed, shown

from custody.console.app import HEADERS, console_app
from custody.core.console.overview import Overview
from custody.settings import Settings

SETTINGS = Settings.parse({"project": "custody", "stage": "dev"})
FOUND = removed(SCRIPT)
FINDING = f"/findings/{FOUND.fingerprint}"
PATHS = {"/", "/findings", FINDING, "/console.css"}
TEMPLATES = {"/", "/findings", "/findings/{fingerprint}", "/console.css"}


class Shown:
    """Overviews of runs that found one removal; `asked` is for how many days."""

    def __init__(self) -> None:
        self.asked: list[int] = []

    def of(self, days: int) -> tuple[Overview, Settings]:
        self.asked.append(days)
        return shown(read_run(8, FOUND), read_run(12, FOUND)), SETTINGS


def open_to_all() -> None:
    pass


def closed() -> None:
    raise HTTPException(403)


def app_of(
    overviews: Any = None, guards: tuple[Callable[..., Any], ...] = (open_to_all,)
) -> FastAPI:
    return console_app(overviews or Shown(), guards)


def test_the_world_of_routes_is_closed_and_each_is_guarded() -> None:
    routes = app_of(guards=(open_to_all, closed)).routes
    assert all(isinstance(route, APIRoute) for route in routes)
    assert {route.path for route in routes if isinstance(route, APIRoute)} == TEMPLATES
    for route in routes:
        assert isinstance(route, APIRoute)
        assert route.methods == {"GET"}
        guards = {dependency.call for dependency in route.dependant.dependencies}
        assert {open_to_all, closed} <= guards


@pytest.mark.parametrize("path", sorted(PATHS))
def test_whom_a_guard_refuses_gets_nothing(path: str) -> None:
    overviews = Shown()
    assert ask(app_of(overviews, (open_to_all, closed)), path).status_code == 403
    assert overviews.asked == []


@pytest.mark.parametrize("path", sorted(PATHS))
def test_no_answer_lets_a_browser_run_anything(path: str) -> None:
    answer = ask(app_of(), path)
    assert answer.status_code == 200
    assert "<script" not in answer.text
    assert {name: answer.headers[name] for name in HEADERS} == HEADERS
    assert "script-src" not in HEADERS["Content-Security-Policy"]
    assert "default-src 'none'" in HEADERS["Content-Security-Policy"]


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
@pytest.mark.parametrize("path", sorted(PATHS))
def test_nothing_can_be_written(method: str, path: str) -> None:
    assert ask(app_of(), path, method).status_code == 405


@pytest.mark.parametrize(
    "path",
    [
        "/?days=0",
        "/?days=91",
        "/?days=x",
        "/findings?page=0",
        f"/findings?words={'x' * 201}",
        "/findings/..%2f..%2fetc",
        f"/findings/{'0' * 63}",
        f"/findings/{'0' * 64}%0a",
    ],
)
def test_input_of_another_form_is_refused(path: str) -> None:
    overviews = Shown()
    answer = ask(app_of(overviews), path)
    assert answer.status_code in {404, 422}
    assert overviews.asked == []
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


def test_what_is_asked_for_is_only_compared() -> None:
    answer = ask(app_of(), "/findings", params={"words": "' OR 1=1 --", "verdict": SCRIPT})
    assert answer.status_code == 200
    assert "0 findings" in answer.text


def test_a_kept_link_is_looked_for_further_back() -> None:
    overviews = Shown()
    answer = ask(app_of(overviews), f"/findings/{'0' * 64}?days=3")
    assert answer.status_code == 404
    assert "The ledger goes" not in answer.text
    assert "the ledger goes back further" in answer.text
    assert overviews.asked == [3, 90]


@pytest.mark.parametrize(
    "error",
    [
        ClientError({"Error": {"Code": "AccessDenied", "Message": SCRIPT}}, "ListObjectVersions"),
        ValueError(SCRIPT),
    ],
)
@pytest.mark.parametrize("path", ["/", "/findings", FINDING])
def test_what_cannot_be_read_is_said_and_never_taken_for_well(error: Exception, path: str) -> None:
    class Broken:
        def of(self, _: int) -> tuple[Overview, Settings]:
            raise error

    answer = ask(app_of(Broken()), path)
    assert answer.status_code == 503
    assert "Custody cannot be read" in answer.text
    assert "<script" not in answer.text
    assert answer.headers["Content-Security-Policy"]
