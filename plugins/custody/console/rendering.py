"""Pages of HTML, of an overview and its findings.

Whatever somebody typed (keys, agents, reasons) is text: every value is escaped, and characters that
could disguise others are shown as escapes (`custody.core.paging.form.shown`).
"""

from __future__ import annotations

import base64
import functools
import hashlib
import shlex
from collections import defaultdict
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final
from urllib.parse import urlencode

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from custody.console.datasets import MOST_DAYS, Days
from custody.console.runbooks import runbook
from custody.core.answers.model import LONGEST, MAX_REASON
from custody.core.answers.taking import Taken
from custody.core.console.days import DatasetDay
from custody.core.console.objects.life import Life
from custody.core.console.overview import Overview
from custody.core.console.picture import EVERY_LAYER, NO_LAYER, Shade, layer_of, stretches
from custody.core.console.run_in_airflow import Deeds
from custody.core.console.selection import Selection
from custody.core.console.standing import Standing
from custody.core.formats.plain_text import is_plain
from custody.core.ledger.causes import MAX_BESIDE
from custody.core.ledger.rows import CONTROL, LedgerRow
from custody.core.paging.findings import SEVERITIES
from custody.core.paging.form import shown
from custody.core.paging.messages import MEANING
from custody.objects import ObjectVersion
from custody.settings import LAYERS, Settings

PAGE_SIZE: Final = 100

MOST_OF_A_RUN: Final = 20
"""Of the objects that a run read or made, so many are named."""

MOST_AT_ONCE: Final = 8
"""Of the findings that stand, the most urgent that the overview names."""

MOST_IN_REPORT: Final = 2000
"""Findings that a report tells in full."""

TERMS: Final = tuple(days for days in (1, 3, 7, 14, 30) if timedelta(days=days) <= LONGEST)
"""For how many days a page offers to take a finding on."""

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
    return (_TEMPLATES / "parts" / "console.css").read_text(encoding="utf-8")


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
        "most_of_a_run": MOST_OF_A_RUN,
        "most_acts": MOST_ACTS,
        "most_causes": MAX_BESIDE,
        "every_layer": EVERY_LAYER,
        "finding_verdicts": tuple(SEVERITIES),
        "answer_states": tuple(Taken),
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


def _to_object(root: str, settings: Settings) -> Callable[[LedgerRow], str | None]:
    """Where a page at `root` finds the page of what a finding is about, if that is an object."""
    buckets = layers_of(settings)

    def to_object(row: LedgerRow) -> str | None:
        return _object(root, row.object_version) if row.bucket in buckets else None

    return to_object


def _object(root: str, version: ObjectVersion) -> str:
    """Where a page at `root` finds the page of an object version."""
    asked = {"object": version.uri, "version": version.version_id}
    return f"{root}object?{urlencode(asked, errors='surrogatepass')}"


def layers_of(settings: Settings) -> dict[str, str]:
    """The layer of each bucket whose objects have a page."""
    values = settings.fields.values
    named = {str(values.get(name)): layer for name, layer in LAYERS.items() if values.get(name)}
    return {bucket: layer for bucket, layer in named.items() if layer != "trail"}


def overview_page(overview: Overview, days: int) -> str:
    """The first page: the picture, what stands, and how fresh the watchers are."""
    return _render(
        "pages/overview.html",
        root="",
        here="Overview",
        link=_link("", days),
        overview=overview,
        period=days,
    )


def findings_page(overview: Overview, days: int, selection: Selection, number: int) -> str:
    """A page of the findings that were asked for; `number` counts from 1."""
    found = selection.of(overview)
    first = (number - 1) * PAGE_SIZE
    return _render(
        "pages/findings.html",
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
        "pages/finding.html",
        root="../",
        here="",
        link=_link("../", days),
        overview=overview,
        period=days,
        each=standing,
        to_object=_to_object("../", settings),
        runbook=runbook(standing.finding, _texts(settings)),
        token=token,
    )


def object_page(life: Life | None, days: int, settings: Settings, number: int, typed: str) -> str:
    """The page of one object, or one that asks for it; `number` counts pages of its versions."""
    versions = life.versions if life is not None else ()
    first = (number - 1) * PAGE_SIZE
    return _render(
        "pages/object.html",
        root="",
        here="",
        life=life,
        typed=typed,
        period=days,
        layers=defaultdict(lambda: NO_LAYER, layers_of(settings)),
        to_version=lambda version: _object("", version),
        to_finding=lambda fingerprint: f"findings/{fingerprint}?days={days}",
        versions=versions[first : first + PAGE_SIZE],
        number=number,
        pages=max(1, -(-len(versions) // PAGE_SIZE)),
        address=_word(life.place.uri) if life is not None else "",
        version_word=_word(life.version.version_id) if life is not None else "",
    )


def run_page(did: Deeds, overview: Overview, days: int, settings: Settings) -> str:
    """What a run of a DAG, or a task of it, read and wrote."""
    return _render(
        "pages/run.html",
        root="",
        here="",
        did=did,
        link=_link("", days),
        overview=overview,
        period=days,
        page_size=PAGE_SIZE,
        layers=defaultdict(lambda: NO_LAYER, layers_of(settings)),
        to_version=lambda version: _object("", version),
    )


def datasets_page(days: Days, count: int) -> str:
    """The days of every dataset."""
    names = list(next(iter(days.values()), {}))
    return _render(
        "pages/datasets.html",
        root="",
        here="Datasets",
        days=days,
        names=names,
        period=count,
        most_days=MOST_DAYS,
    )


def dataset_page(day: DatasetDay) -> str:
    """One day of a dataset: its publications, the runs that built it, and how it is rolled back."""
    return _render("pages/dataset.html", root="../../", here="Datasets", day=day)


def _word(text: str) -> str:
    """One word of a shell; a text that cannot be shown is not to be copied."""
    return shlex.quote(text) if is_plain(text) else "<its name cannot be printed>"


def trouble_page(root: str, title: str, text: str) -> str:
    """A page that says why there is nothing to show."""
    return _render("pages/trouble.html", root=root, here="", title=title, text=text)


def report_file(overview: Overview, deployment: str, unanswered: str = "") -> str:
    """Everything about a period in one file that needs nothing else; `unanswered` says why people's
    answers are not in it."""
    found, told = list(overview.findings.values()), Selection().of(overview)
    return _file(
        "files/report.html",
        overview,
        deployment,
        unanswered=unanswered,
        rows=told[:MOST_IN_REPORT],
        found=found[:MOST_IN_REPORT],
        untold=len(found[MOST_IN_REPORT:]),
    )


def object_file(
    life: Life, overview: Overview, days: int, deployment: str, settings: Settings
) -> str:
    """The life of one object in one file that needs nothing else."""
    return _file(
        "files/report_of_object.html",
        overview,
        deployment,
        life=life,
        period=days,
        layers=defaultdict(lambda: NO_LAYER, layers_of(settings)),
        to_version=lambda _: None,
        to_finding=lambda fingerprint: f"#f-{fingerprint}",
    )


def _file(name: str, overview: Overview, deployment: str, **values: object) -> str:
    style = stylesheet()
    digest = base64.b64encode(hashlib.sha256(style.encode("utf-8")).digest()).decode()
    return _render(
        name,
        link=lambda row: f"#f-{row.fingerprint}",
        to_object=lambda _: None,
        overview=overview,
        deployment=deployment,
        style=style,
        style_sha256=digest,
        **values,
    )


def _texts(settings: Settings) -> dict[str, str]:
    return {name: v for name, v in settings.fields.values.items() if isinstance(v, str)}
