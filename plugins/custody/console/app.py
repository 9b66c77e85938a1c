"""The console's routes. None is open: `guards` stand before each. One writes, an answer to a
finding, and more stand before that."""

from __future__ import annotations

import functools
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date
from typing import Annotated, Any, Final

from botocore.exceptions import BotoCoreError, ClientError
from fastapi import Depends, FastAPI, Form, HTTPException, Path, Query, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from custody.aws.answers.keeping import AnswerConflict
from custody.console import rendering
from custody.console.answering import Answering, Visitor, answer_of
from custody.console.datasets import MOST_DAYS, Datasets
from custody.console.forms import SmallForms
from custody.console.lives import NoSuchObject
from custody.console.objects import Objects
from custody.console.reading import MAX_DAYS, Overviews
from custody.console.runs import NoSuchRun, Runs
from custody.core.answers.model import LONGEST, MAX_REASON, Kind
from custody.core.console.objects.asked import NotAsked
from custody.core.console.overview import Overview
from custody.core.console.selection import Selection
from custody.core.tlog.signed_note import BadNote
from custody.core.tlog.tiles import BadTile
from custody.reading.errors import CannotCheck
from custody.settings import Settings

DAYS: Final = 14

HEADERS: Final = {
    # Nothing but our own stylesheet and forms; Airflow shows us in a frame of its own page.
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; "
        "frame-ancestors 'self'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cache-Control": "no-store",
}

Days = Annotated[int, Query(ge=1, le=MAX_DAYS)]
Text = Annotated[str, Query(max_length=200)]
Fingerprint = Annotated[str, Path(pattern=r"^[0-9a-f]{64}$")]
Number = Annotated[int, Query(ge=1, le=100_000)]
Asked = Annotated[str, Query(alias="object", max_length=1200)]
Name = Annotated[str, Query(max_length=250)]
Version = Annotated[str, Query(max_length=1024)]

_UNREAD: Final = (BotoCoreError, ClientError, ValueError, CannotCheck, BadNote, BadTile)


class Unavailable(Exception):
    """There is nothing to show; the text says why."""


def console_app(
    overviews: Overviews,
    objects: Objects,
    datasets: Datasets,
    runs: Runs,
    guards: Sequence[Callable[..., Any]],
    answering: Answering,
) -> FastAPI:
    """The application: pages about these, for whom every one of `guards` lets in, and answers by
    whom `answering` lets."""
    app = FastAPI(
        title="Custody",
        dependencies=[Depends(guard) for guard in guards],
        # These would be routes without a guard.
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
    )
    app.add_middleware(SmallForms)
    app.middleware("http")(_protected)
    app.add_exception_handler(Unavailable, _unavailable)
    app.add_exception_handler(NoSuchObject, _unknown)
    app.add_exception_handler(NotAsked, _unknown)
    app.add_exception_handler(NoSuchRun, _no_run)
    _add_pages(app, overviews, answering)
    _add_answers(app, overviews, answering)
    _add_objects(app, overviews, objects)
    _add_datasets(app, datasets)
    _add_runs(app, overviews, runs)
    return app


async def _protected(
    request: Request, call_next: Callable[[Request], Awaitable[Response]]
) -> Response:
    response = await call_next(request)
    response.headers.update(HEADERS)
    return response


async def _unavailable(request: Request, error: Exception) -> HTMLResponse:
    root = "../" * len(request.path_params)
    page = rendering.trouble_page(root, "Custody cannot be read", str(error))
    return HTMLResponse(page, status_code=503)


async def _unknown(_: Request, error: Exception) -> HTMLResponse:
    page = rendering.trouble_page("", "No such object", str(error))
    return HTMLResponse(page, status_code=404)


async def _no_run(_: Request, error: Exception) -> HTMLResponse:
    return HTMLResponse(rendering.trouble_page("", "No such run", str(error)), status_code=404)


@contextmanager
def _reading() -> Iterator[None]:
    """Whatever cannot be read is said, and never taken for well."""
    try:
        yield
    except _UNREAD as error:
        raise Unavailable(str(error)) from error


def _read(overviews: Overviews, days: int) -> tuple[Overview, Settings]:
    with _reading():
        return overviews.of(days)


def _add_objects(app: FastAPI, overviews: Overviews, objects: Objects) -> None:
    @app.get("/object", response_class=HTMLResponse)
    def show_object(
        asked: Asked = "", version: Version = "", page: Number = 1, days: Days = DAYS
    ) -> str:
        with _reading():
            overview, settings = overviews.of(days)
            life = objects.life(asked, version, overview) if asked else None
        return rendering.object_page(life, days, settings, page, asked)

    @app.get("/case")
    def take_case(asked: Asked, version: Version = "") -> Response:
        with _reading():
            case = objects.case(asked, version)
        return Response(
            case.content,
            media_type="application/zip",
            headers={"Content-Disposition": f'attachment; filename="{case.name}"'},
        )


def _add_datasets(app: FastAPI, datasets: Datasets) -> None:
    @app.get("/datasets", response_class=HTMLResponse)
    def show_datasets(days: Annotated[int, Query(ge=1, le=MOST_DAYS)] = DAYS) -> str:
        with _reading():
            return rendering.datasets_page(datasets.days(days), days)

    @app.get("/datasets/{dataset}/{day}", response_class=HTMLResponse)
    def show_day(dataset: Annotated[str, Path(pattern=r"^[a-z0-9_]{1,100}$")], day: date) -> str:
        with _reading():
            return rendering.dataset_page(datasets.day(dataset, day))


def _add_runs(app: FastAPI, overviews: Overviews, runs: Runs) -> None:
    @app.get(
        "/run",
        response_class=HTMLResponse,
        dependencies=[Depends(guard) for guard in runs.guards],
    )
    def show_run(dag_id: Name, run_id: Name, task_id: Name = "", days: Days = DAYS) -> str:
        with _reading():
            overview, settings = overviews.of(days)
            did = runs.deeds(dag_id, run_id, task_id, overview)
        return rendering.run_page(did, overview, days, settings)


def _add_pages(app: FastAPI, overviews: Overviews, answering: Answering) -> None:
    read = functools.partial(_read, overviews)

    @app.get("/", response_class=HTMLResponse)
    def show_overview(days: Days = DAYS) -> str:
        overview, _ = read(days)
        return rendering.overview_page(overview, days)

    @app.get("/findings", response_class=HTMLResponse)
    def show_findings(
        days: Days = DAYS,
        verdict: Text = "",
        layer: Text = "",
        hour: Text = "",
        state: Text = "",
        answer: Text = "",
        words: Text = "",
        page: Number = 1,
    ) -> str:
        overview, _ = read(days)
        selection = Selection(verdict, layer, hour, state, answer, words)
        return rendering.findings_page(overview, days, selection, page)

    @app.get("/findings/{fingerprint}", response_class=HTMLResponse)
    def show_finding(
        fingerprint: Fingerprint,
        days: Days = DAYS,
        visitor: Visitor = Depends(answering.visitor),  # noqa: B008 - FastAPI's own form
    ) -> Response:
        # A link is kept for longer than the days that it was found in.
        for period in dict.fromkeys((days, MAX_DAYS)):
            overview, settings = read(period)
            standing = overview.findings.get(fingerprint)
            if standing is not None:
                token = visitor.token(fingerprint)
                page = rendering.finding_page(overview, period, standing, settings, token)
                return HTMLResponse(page)
        why = (
            f"No run of the last {MAX_DAYS} days found {fingerprint}; the ledger goes back further."
        )
        return HTMLResponse(rendering.trouble_page("../", "No such finding", why), status_code=404)

    @app.get("/console.css")
    def show_style() -> Response:
        return Response(rendering.stylesheet(), media_type="text/css")


def _add_answers(app: FastAPI, overviews: Overviews, answering: Answering) -> None:
    @app.post(
        "/findings/{fingerprint}", dependencies=[Depends(guard) for guard in answering.guards]
    )
    def answer_finding(
        fingerprint: Fingerprint,
        kind: Annotated[Kind, Form()],
        reason: Annotated[str, Form(max_length=MAX_REASON)],
        token: Annotated[str, Form(max_length=64)],
        term: Annotated[int, Form(ge=1, le=LONGEST.days)] = 1,
        visitor: Visitor = Depends(answering.visitor),  # noqa: B008 - FastAPI's own form
    ) -> Response:
        if not visitor.sent(token, fingerprint):
            raise HTTPException(403, "This form is not of this session: load the finding again.")
        overview, settings = _read(overviews, MAX_DAYS)
        if fingerprint not in overview.findings:
            raise HTTPException(404, f"no run of the last {MAX_DAYS} days found that")
        try:
            answer = answer_of(
                visitor,
                settings,
                finding=fingerprint,
                kind=kind,
                reason=reason,
                days=term,
                now=overviews.now(),
            )
        except ValueError as error:
            raise HTTPException(422, str(error)) from error
        try:
            overviews.answer(answer)
        except (AnswerConflict, BotoCoreError, ClientError, ValueError) as error:
            raise Unavailable(str(error)) from error
        # Relative, as all links are, and so that loading it again answers nothing.
        return RedirectResponse(fingerprint, status_code=303)
