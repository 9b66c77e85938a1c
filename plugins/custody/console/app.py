"""The console's routes. All of them read, and none is open: `guards` stand before each."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Annotated, Any, Final

from botocore.exceptions import BotoCoreError, ClientError
from fastapi import Depends, FastAPI, Path, Query, Request, Response
from fastapi.responses import HTMLResponse

from custody.console import rendering
from custody.console.reading import MAX_DAYS, Overviews
from custody.core.console.overview import Overview
from custody.core.console.selection import Selection
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


class Unavailable(Exception):
    """There is nothing to show; the text says why."""


def console_app(overviews: Overviews, guards: Sequence[Callable[..., Any]]) -> FastAPI:
    """The application: pages about `overviews`, for whom every one of `guards` lets in."""
    app = FastAPI(
        title="Custody",
        dependencies=[Depends(guard) for guard in guards],
        # These would be routes without a guard.
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
    )
    app.middleware("http")(_protected)
    app.add_exception_handler(Unavailable, _unavailable)
    _add_pages(app, overviews)
    return app


async def _protected(
    request: Request, call_next: Callable[[Request], Awaitable[Response]]
) -> Response:
    response = await call_next(request)
    response.headers.update(HEADERS)
    return response


async def _unavailable(request: Request, error: Exception) -> HTMLResponse:
    root = "../" if "fingerprint" in request.path_params else ""
    page = rendering.trouble_page(root, "Custody cannot be read", str(error))
    return HTMLResponse(page, status_code=503)


def _add_pages(app: FastAPI, overviews: Overviews) -> None:
    def read(days: int) -> tuple[Overview, Settings]:
        try:
            return overviews.of(days)
        except (BotoCoreError, ClientError, ValueError) as error:
            raise Unavailable(str(error)) from error

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
        words: Text = "",
        page: Annotated[int, Query(ge=1, le=100_000)] = 1,
    ) -> str:
        overview, _ = read(days)
        selection = Selection(verdict, layer, hour, state, words)
        return rendering.findings_page(overview, days, selection, page)

    @app.get("/findings/{fingerprint}", response_class=HTMLResponse)
    def show_finding(
        fingerprint: Annotated[str, Path(pattern=r"^[0-9a-f]{64}$")], days: Days = DAYS
    ) -> Response:
        # A link is kept for longer than the days that it was found in.
        for period in dict.fromkeys((days, MAX_DAYS)):
            overview, settings = read(period)
            standing = overview.findings.get(fingerprint)
            if standing is not None:
                page = rendering.finding_page(overview, period, standing, settings)
                return HTMLResponse(page)
        why = (
            f"No run of the last {MAX_DAYS} days found {fingerprint}; the ledger goes back further."
        )
        return HTMLResponse(rendering.trouble_page("../", "No such finding", why), status_code=404)

    @app.get("/console.css")
    def show_style() -> Response:
        return Response(rendering.stylesheet(), media_type="text/css")
