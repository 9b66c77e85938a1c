"""The routes: none is open, one writes, and each says what it cannot show."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError
from fastapi import FastAPI, HTTPException
from fastapi.routing import APIRoute
from tests.support.asgi import ask
from tests.support.consoles import NOW, SCRIPT, life_of, read_run, removed, shown

from custody.aws.answers.keeping import AnswerConflict
from custody.console.answering import Answering, Visitor
from custody.console.app import HEADERS, console_app
from custody.console.datasets import Days
from custody.console.lives import NoSuchObject
from custody.console.objects import Case
from custody.console.runs import NoSuchRun
from custody.core.answers.model import Answer, Kind
from custody.core.console.days import DatasetDay, day_of_dataset
from custody.core.console.objects.asked import NotAsked, Place
from custody.core.console.objects.life import Life
from custody.core.console.overview import Overview
from custody.core.console.run_in_airflow import Deeds, RunInAirflow, deeds_of
from custody.core.tlog.signed_note import BadNote
from custody.core.tlog.tiles import BadTile
from custody.reading.errors import CannotCheck
from custody.settings import Settings

SETTINGS = Settings.parse(
    {"project": "custody", "stage": "dev", "partition": "aws", "account_id": "111122223333"}
)
VISITOR = Visitor("bob", "session")
FOUND = removed(SCRIPT)
FINDING = f"/findings/{FOUND.fingerprint}"
OBJECT, CASE = (f"/{page}?object=s3://raw/{SCRIPT}&version={SCRIPT}" for page in ("object", "case"))
DAY = "/datasets/customers/2026-11-01"
RUN = f"/run?dag_id=medallion_customers&run_id={SCRIPT}&task_id={SCRIPT}"
PATHS = {"/", "/findings", FINDING, "/object", OBJECT, CASE, "/datasets", DAY, RUN, "/console.css"}
TEMPLATES = {
    "/",
    "/findings",
    "/findings/{fingerprint}",
    "/object",
    "/case",
    "/datasets",
    "/datasets/{dataset}/{day}",
    "/run",
    "/console.css",
}


class Shown:
    """Overviews of runs that found one removal; `asked` is for how many days."""

    def __init__(self) -> None:
        self.asked: list[int] = []
        self.answers: list[Answer] = []
        self.refuses: Exception | None = None

    def of(self, days: int) -> tuple[Overview, Settings]:
        self.asked.append(days)
        runs = read_run(8, FOUND), read_run(12, FOUND)
        return shown(*runs, answers={FOUND.fingerprint: self.answers}), SETTINGS

    def answer(self, answer: Answer) -> None:
        if self.refuses is not None:
            raise self.refuses
        self.answers.append(answer)

    def now(self) -> datetime:
        return NOW


class Lives:
    """Objects of which nothing is known but their names; `asked` is for which."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str]] = []

    def life(self, typed: str, version: str, _: Overview) -> Life:
        self.asked.append((typed, version))
        return life_of(Place("raw", typed.removeprefix("s3://raw/")), version)

    def case(self, typed: str, version: str) -> Case:
        self.asked.append((typed, version))
        return Case("custody-case.zip", b"zip")


class Built:
    """Days of which nothing is known; `asked` is for which."""

    def __init__(self) -> None:
        self.asked: list[object] = []

    def days(self, count: int) -> Days:
        self.asked.append(count)
        return {"2026-11-01": {"customers": self.day("customers", date(2026, 11, 1))}}

    def day(self, dataset: str, dt: date) -> DatasetDay:
        self.asked.append((dataset, dt))
        return day_of_dataset(dataset, str(dt), (), (), "")


class Ran:
    """Runs of DAGs that did nothing; `asked` is for which."""

    def __init__(self, *guards: Callable[..., Any]) -> None:
        self.asked: list[object] = []
        self.guards = guards

    def deeds(self, dag_id: str, run_id: str, task_id: str, overview: Overview) -> Deeds:
        self.asked.append((dag_id, run_id, task_id))
        if run_id == "none":
            raise NoSuchRun(f"no run of {dag_id}")
        run = RunInAirflow(dag_id, run_id, {}, "2026-11-01", None, {task_id: "jr_1"})
        return deeds_of(
            run, task_id, lineages=(), publications=(), findings=overview.findings.values()
        )


def open_to_all() -> None:
    pass


def closed() -> None:
    raise HTTPException(403)


def may_answer() -> None:
    pass


def app_of(
    overviews: Any = None,
    guards: tuple[Callable[..., Any], ...] = (open_to_all,),
    answers: Callable[..., Any] = may_answer,
    objects: Any = None,
    datasets: Any = None,
    runs: Any = None,
) -> FastAPI:
    answering = Answering((answers,), lambda: VISITOR)
    return console_app(
        overviews or Shown(),
        objects or Lives(),
        datasets or Built(),
        runs or Ran(),
        guards,
        answering,
    )


def test_the_world_of_routes_is_closed_and_each_is_guarded() -> None:
    routes = app_of(guards=(open_to_all, closed)).routes
    assert all(isinstance(route, APIRoute) for route in routes)
    assert {route.path for route in routes if isinstance(route, APIRoute)} == TEMPLATES
    for route in routes:
        assert isinstance(route, APIRoute)
        guards = {dependency.call for dependency in route.dependant.dependencies}
        assert {open_to_all, closed} <= guards
        assert (route.methods, may_answer in guards) in (({"GET"}, False), ({"POST"}, True))
    posts = [route for route in routes if isinstance(route, APIRoute) and "POST" in route.methods]
    assert [route.path for route in posts] == ["/findings/{fingerprint}"]


@pytest.mark.parametrize("path", sorted(PATHS))
def test_whom_a_guard_refuses_gets_nothing(path: str) -> None:
    asked = Shown(), Lives(), Built(), Ran()
    app = app_of(
        asked[0], (open_to_all, closed), objects=asked[1], datasets=asked[2], runs=asked[3]
    )
    assert ask(app, path).status_code == 403
    assert [each.asked for each in asked] == [[], [], [], []]


def test_a_run_is_for_who_may_see_it_and_no_other_page_is_guarded_so() -> None:
    overviews, runs = Shown(), Ran(open_to_all, closed)
    app = app_of(overviews, runs=runs)
    assert ask(app, RUN).status_code == 403
    assert (overviews.asked, runs.asked) == ([], [])
    assert ask(app, "/findings").status_code == 200


def test_a_run_says_what_it_did_and_one_that_is_none_that_it_is_none() -> None:
    page = ask(app_of(), RUN)
    assert "of which no lineage is believed" in page.text
    assert "&lt;script&gt;" in page.text
    answer = ask(app_of(), "/run?dag_id=d&run_id=none")
    assert (answer.status_code, "no run of d" in answer.text) == (404, True)


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
def test_nothing_else_can_be_written(method: str, path: str) -> None:
    if (method, path) != ("POST", FINDING):
        assert ask(app_of(), path, method).status_code == 405


FORM = {
    "kind": "acknowledged",
    "reason": SCRIPT,
    "term": "7",
    "token": VISITOR.token(FOUND.fingerprint),
}


def test_who_may_answers_in_his_own_name_and_everybody_sees_it() -> None:
    overviews = Shown()
    app = app_of(overviews)
    assert f'value="{FORM["token"]}"' in ask(app, FINDING).text
    answer = ask(app, FINDING, "POST", data=FORM)
    # Relative to the page itself, below whatever path Airflow is.
    assert (answer.status_code, answer.headers["Location"]) == (303, FOUND.fingerprint)
    (given,) = overviews.answers
    assert (given.user, given.by) == ("bob", SETTINGS.role("airflow"))
    assert (given.at, given.until) == (NOW, NOW + timedelta(days=7))
    page = ask(app, FINDING)
    assert "acknowledged until 2026-11-08 12:40:00 UTC by bob" in page.text
    assert "<script" not in page.text
    assert "acknowledged</span>" in ask(app, "/findings").text


def test_what_is_closed_needs_no_term() -> None:
    overviews = Shown()
    form = {**FORM, "kind": "closed"}
    assert ask(app_of(overviews), FINDING, "POST", data=form).status_code == 303
    assert [(a.kind, a.until) for a in overviews.answers] == [(Kind.CLOSED, None)]


@pytest.mark.parametrize(
    "token",
    [
        "",
        "0" * 64,
        VISITOR.token("0" * 64),
        Visitor("bob", "other").token(FOUND.fingerprint),
        "ä" * 64,
    ],
)
def test_a_form_that_another_page_has_him_send_is_refused(token: str) -> None:
    overviews = Shown()
    answer = ask(app_of(overviews), FINDING, "POST", data={**FORM, "token": token})
    assert answer.status_code in {403, 422}
    assert overviews.answers == []


def test_who_is_not_signed_in_has_no_token() -> None:
    nobody = Visitor("nobody", "")
    assert not nobody.sent(nobody.token(FOUND.fingerprint), FOUND.fingerprint)


@pytest.mark.parametrize("guards", [((closed,), may_answer), ((open_to_all,), closed)])
def test_whom_any_guard_refuses_answers_nothing(guards: Any) -> None:
    overviews = Shown()
    answer = ask(app_of(overviews, *guards), FINDING, "POST", data=FORM)
    assert answer.status_code == 403
    assert overviews.answers == []


@pytest.mark.parametrize(
    "wrong",
    [
        {"kind": "forgotten"},
        {"reason": ""},
        {"reason": "  "},
        {"reason": "x" * 1001},
        {"term": "0"},
        {"term": "31"},
        {"term": "x"},
    ],
)
def test_an_answer_of_another_form_is_refused(wrong: dict[str, str]) -> None:
    overviews = Shown()
    answer = ask(app_of(overviews), FINDING, "POST", data=FORM | wrong)
    assert answer.status_code == 422
    assert overviews.answers == []


def test_what_no_run_found_cannot_be_answered() -> None:
    overviews, other = Shown(), "0" * 64
    form = {**FORM, "token": VISITOR.token(other)}
    assert ask(app_of(overviews), f"/findings/{other}", "POST", data=form).status_code == 404
    assert overviews.answers == []


@pytest.mark.parametrize("error", [AnswerConflict("twice"), ValueError("no key")])
def test_an_answer_that_could_not_be_kept_is_said(error: Exception) -> None:
    overviews = Shown()
    overviews.refuses = error
    answer = ask(app_of(overviews), FINDING, "POST", data=FORM)
    assert answer.status_code == 503
    assert str(error) in answer.text


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
        f"/object?object={'x' * 1201}",
        f"/object?object=x&version={'x' * 1025}",
        "/object?object=x&page=0",
        "/datasets?days=0",
        "/datasets?days=32",
        "/datasets/customers/2026-13-01",
        "/datasets/customers/today",
        "/datasets/..%2fx/2026-11-01",
        "/datasets/Customers'--/2026-11-01",
        "/case",
        f"/case?object={'x' * 1201}",
        "/run",
        "/run?dag_id=d",
        f"/run?dag_id=d&run_id={'x' * 251}",
    ],
)
def test_input_of_another_form_is_refused(path: str) -> None:
    asked = Shown(), Lives(), Built()
    answer = ask(app_of(asked[0], objects=asked[1], datasets=asked[2]), path)
    assert answer.status_code in {404, 422}
    assert [each.asked for each in asked] == [[], [], []]
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
@pytest.mark.parametrize("path", ["/", "/findings", FINDING, "/object", OBJECT])
def test_what_cannot_be_read_is_said_and_never_taken_for_well(error: Exception, path: str) -> None:
    class Broken:
        def of(self, _: int) -> tuple[Overview, Settings]:
            raise error

    answer = ask(app_of(Broken()), path)
    assert answer.status_code == 503
    assert "Custody cannot be read" in answer.text
    assert "<script" not in answer.text
    assert answer.headers["Content-Security-Policy"]


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (ClientError({"Error": {"Code": "AccessDenied", "Message": SCRIPT}}, "GetObject"), 503),
        (CannotCheck(SCRIPT), 503),
        (BadNote(SCRIPT), 503),
        (BadTile(SCRIPT, SCRIPT), 503),
        (NotAsked(SCRIPT), 404),
        (NoSuchObject(SCRIPT), 404),
    ],
)
@pytest.mark.parametrize("path", [OBJECT, CASE])
def test_why_there_is_nothing_about_an_object_is_said(
    error: Exception, status: int, path: str
) -> None:
    class Broken:
        def life(self, *_: Any) -> Life:
            raise error

        def case(self, *_: Any) -> Case:
            raise error

    answer = ask(app_of(objects=Broken()), path)
    assert answer.status_code == status
    assert "&lt;script&gt;" in answer.text
    assert "<script" not in answer.text
    assert answer.headers["Content-Security-Policy"]


@pytest.mark.parametrize("path", ["/datasets", DAY])
def test_what_cannot_be_read_of_a_dataset_is_said(path: str) -> None:
    class Broken:
        def days(self, _: int) -> Days:
            raise CannotCheck(SCRIPT)

        def day(self, *_: Any) -> DatasetDay:
            raise CannotCheck(SCRIPT)

    answer = ask(app_of(datasets=Broken()), path)
    assert (answer.status_code, "&lt;script&gt;" in answer.text) == (503, True)
    assert f'href="{"../" * (path.count("/") - 1)}console.css"' in answer.text


def test_an_object_is_asked_for_as_it_was_typed() -> None:
    objects = Lives()
    typed = f" s3://raw/{SCRIPT}%41 "
    answer = ask(app_of(objects=objects), "/object", params={"object": typed, "version": SCRIPT})
    assert objects.asked == [(typed, SCRIPT)]
    assert 'value=" s3://raw/&lt;script&gt;' in answer.text


def test_nothing_is_looked_up_before_somebody_asks() -> None:
    objects = Lives()
    assert "Type or paste a key" in ask(app_of(objects=objects), "/object").text
    assert objects.asked == []


def test_a_case_is_a_file_to_keep_and_not_a_page() -> None:
    answer = ask(app_of(), CASE)
    assert answer.headers["Content-Type"] == "application/zip"
    assert answer.headers["Content-Disposition"] == 'attachment; filename="custody-case.zip"'
    assert answer.content == b"zip"
