"""Pages of HTML, of an overview and its findings.

Whatever somebody typed (keys, agents, reasons) is text: every value is escaped, and characters that
could disguise others are shown as escapes (`custody.core.paging.form.shown`).
"""

from __future__ import annotations

import base64
import functools
import hashlib
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from custody.console.answering import TERMS
from custody.console.runbooks import runbook
from custody.core.answers.model import MAX_REASON
from custody.core.console.overview import Overview
from custody.core.console.picture import EVERY_LAYER, Shade, layer_of, stretches
from custody.core.console.selection import Selection
from custody.core.console.standing import Standing
from custody.core.ledger.causes import nearest
from custody.core.ledger.rows import CONTROL, LedgerRow
from custody.core.paging.findings import SEVERITIES
from custody.core.paging.form import shown
from custody.core.paging.messages import MEANING
from custody.settings import Settings

PAGE_SIZE: Final = 100

MOST_AT_ONCE: Final = 8
"""Of the findings that stand, the most urgent that the overview names."""

MOST_IN_REPORT: Final = 2000
"""Findings that a report tells in full."""

MOST_CAUSES: Final = 20
"""Changes of controls that one finding names."""

MOST_ACTS: Final = 1000
"""Of what people did in Airflow, the latest that a report tells one by one."""

_TEMPLATES: Final = Path(__file__).parent / "templates"

_SIGNS: Final[Mapping[Shade, str]] = {
    Shade.AHEAD: "",
    Shade.UNJUDGED: "?",
    Shade.OPEN: "○",
    Shade.CLOSED: "●",
    Shade.HIGH: "!",
    Shade.CRITICAL: "‼",
}
"""What a cell shows, so that nobody needs to tell colours apart."""


def stylesheet() -> str:
    """The one stylesheet of all pages."""
    return (_TEMPLATES / "console.css").read_text(encoding="utf-8")


@functools.cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"shown": _shown, "time": _time}
    environment.globals |= {
        "meaning": MEANING,
        "severities": SEVERITIES,
        "signs": _SIGNS,
        "shades": tuple(Shade),
        "layer_of": layer_of,
        "stretches": stretches,
        "controls": CONTROL,
        "most_at_once": MOST_AT_ONCE,
        "nearest": nearest,
        "most_acts": MOST_ACTS,
        "most_causes": MOST_CAUSES,
        "every_layer": EVERY_LAYER,
        "finding_verdicts": tuple(SEVERITIES),
        "terms": TERMS,
        "max_reason": MAX_REASON,
    }
    return environment


def _shown(text: str | None) -> str:
    return "not known" if text is None else shown(text)[1:-1].replace('\\"', '"')


def _time(at: datetime | None) -> str:
    return "never" if at is None else f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"


def _render(name: str, **values: object) -> str:
    return _environment().get_template(name).render(**values)


def _link(root: str, days: int) -> Callable[[LedgerRow], str]:
    """Where a page at `root` finds the page of a finding."""
    return lambda row: f"{root}findings/{row.fingerprint}?days={days}"


def overview_page(overview: Overview, days: int) -> str:
    """The first page: the picture, what stands, and how fresh the watchers are."""
    return _render(
        "overview.html",
        root="",
        here="Overview",
        link=_link("", days),
        overview=overview,
        period=days,
    )


def findings_page(overview: Overview, days: int, selection: Selection, number: int) -> str:
    """A page of the findings that were asked for; `number` counts from 1."""
    found = selection.of(overview.findings.values())
    first = (number - 1) * PAGE_SIZE
    return _render(
        "findings.html",
        root="",
        here="Findings",
        link=_link("", days),
        overview=overview,
        period=days,
        selection=selection,
        found=found[first : first + PAGE_SIZE],
        total=len(found),
        number=number,
        pages=max(1, -(-len(found) // PAGE_SIZE)),
        layers=sorted({layer_of(each) for each in overview.findings.values()}),
    )


def finding_page(
    overview: Overview, days: int, standing: Standing, settings: Settings, token: str
) -> str:
    """The page of one finding, with its runbook, and a form to answer it that carries `token`."""
    return _render(
        "finding.html",
        root="../",
        here="",
        link=_link("../", days),
        overview=overview,
        period=days,
        each=standing,
        runbook=runbook(standing.finding, _texts(settings)),
        token=token,
    )


def trouble_page(root: str, title: str, text: str) -> str:
    """A page that says why there is nothing to show."""
    return _render("trouble.html", root=root, here="", title=title, text=text)


def report_file(overview: Overview, deployment: str) -> str:
    """Everything about a period in one file that needs nothing else."""
    found = list(overview.findings.values())
    style = stylesheet()
    digest = base64.b64encode(hashlib.sha256(style.encode("utf-8")).digest()).decode()
    return _render(
        "report.html",
        link=lambda row: f"#f-{row.fingerprint}",
        overview=overview,
        deployment=deployment,
        found=found[:MOST_IN_REPORT],
        untold=len(found[MOST_IN_REPORT:]),
        style=style,
        style_sha256=digest,
    )


def _texts(settings: Settings) -> dict[str, str]:
    return {name: v for name, v in settings.fields.values.items() if isinstance(v, str)}
