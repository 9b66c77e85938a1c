"""Nothing large is read of who asks, whoever he is."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
from starlette import formparsers
from tests.plugins.custody.console.test_app import FINDING, FORM, Shown, app_of, closed
from tests.support.asgi import ask

from custody.console.app import HEADERS
from custody.console.forms import MAX_FORM_BYTES
from custody.core.answers.model import MAX_REASON

CHUNK = 4096
OF_FORMS = {"Content-Type": "application/x-www-form-urlencoded"}


class Streamed:
    """A body without an end, of one form field; `sent` is how many chunks were taken."""

    def __init__(self) -> None:
        self.sent = 0

    async def __aiter__(self) -> AsyncIterator[bytes]:
        yield b"reason="
        while self.sent < 1000:
            self.sent += 1
            yield b"x" * CHUNK


def post(app: Any, **more: Any) -> int:
    answer = ask(app, FINDING, "POST", **more)
    assert {name: answer.headers[name] for name in HEADERS} == HEADERS
    return answer.status_code


def test_of_a_body_without_an_end_no_more_is_read_than_a_form_has() -> None:
    body = Streamed()
    assert post(app_of(guards=(closed,)), content=body, headers=OF_FORMS) == 413
    assert body.sent <= MAX_FORM_BYTES // CHUNK + 1


@pytest.mark.parametrize("size", [MAX_FORM_BYTES + 1, 100 * MAX_FORM_BYTES])
def test_a_form_that_is_too_long_is_refused(size: int) -> None:
    overviews = Shown()
    data = {**FORM, "more": "x" * size}
    assert post(app_of(overviews), data=data) == 413
    assert overviews.answers == []


def test_the_longest_reason_is_taken() -> None:
    overviews = Shown()
    assert post(app_of(overviews), data={**FORM, "reason": "\U0001f600" * MAX_REASON}) == 303
    assert len(overviews.answers) == 1


def test_files_are_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    kept: list[bytes] = []
    monkeypatch.setattr(formparsers, "SpooledTemporaryFile", kept.append)
    app = app_of(guards=(closed,))
    assert post(app, data=FORM, files={"file": ("x", b"z" * 100)}) == 415
    assert kept == []


@pytest.mark.parametrize("path", ["/", "/object", "/findings"])
def test_a_body_of_what_takes_none_is_not_read(path: str) -> None:
    body = Streamed()
    assert ask(app_of(), path, "GET", content=body, headers=OF_FORMS).status_code == 200
    assert body.sent == 0
