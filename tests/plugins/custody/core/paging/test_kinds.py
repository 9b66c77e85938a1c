"""Every kind of page leads on, belongs to an incident, and has the forms that mails, PagerDuty and
Slack take."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.findings import finding

from custody.core.ledger.rows import CONTROL
from custody.core.paging import dead_letters, failures, form, messages, reminding
from custody.core.paging.changes import Change, Status
from custody.core.paging.chat import MAX_LINE
from custody.core.paging.findings import SEVERITIES
from custody.core.paging.form import MAX_MESSAGE_BYTES, MAX_SUBJECT, Page, document_of
from custody.core.paging.links import NOWHERE, Places
from custody.core.paging.messages import GROUP_ABOVE
from rehearsal.machine import REPOSITORY

NOW = datetime(2026, 11, 2, tzinfo=UTC)
EVERYWHERE = Places("https://airflow", "some_dag", "some_run", "eu-west-1", "aws", "the-trail")
IN_AIRFLOW = ("console", "run")
OF_A_FINDING = ("console", "runbook", "run", "object", "log file")

Kind = Callable[[Places, Status], Page | None]


def _told(places: Places, *changes: Change) -> Page:
    window = {"window_start": "2026-11-01 06:00:00.000", "window_end": "2026-11-02 00:00:00.000"}
    (page,) = messages.pages(changes, unread={}, table="audit", places=places, **window)
    return page


def _of(verdict: str) -> Kind:
    where = {"bucket": CONTROL} if verdict == "CONTROL_CHANGED" else {}
    return lambda places, status: _told(places, Change(status, finding(verdict, **where)))


def _many(places: Places, status: Status) -> Page:
    each = [finding(version_id=f"v{n}") for n in range(GROUP_ABOVE + 1)]
    return _told(places, *(Change(status, row) for row in each))


def _standing(places: Places, _: Status) -> Page | None:
    since = NOW - timedelta(days=1)
    return reminding.reminder([reminding.Standing(finding(), since)], [], now=NOW, places=places)


def _letters(places: Places, status: Status) -> Page | None:
    letter = dead_letters.DeadLetter("m1", NOW - timedelta(hours=1), (), ("a problem",))
    found = (letter,) if status is Status.OPEN else ()
    look = dead_letters.Look("p-dev-recorder-dlq", found, complete=True)
    is_open = status is not Status.OPEN
    return dead_letters.page_about(look, is_open=is_open, now=NOW, grace=timedelta(), places=places)


def _run(places: Places, status: Status) -> Page | None:
    is_open = status is not Status.OPEN
    return failures.page_about_run(
        "some_dag",
        "some_run",
        succeeded=is_open,
        is_open=is_open,
        runbook="docs/runbooks/x.md",
        airflow=places.airflow,
    )


KINDS: Mapping[str, tuple[Kind, tuple[str, ...]]] = {
    **{verdict: (_of(verdict), OF_A_FINDING) for verdict in SEVERITIES},
    "CONTROL_CHANGED": (_of("CONTROL_CHANGED"), ("console", "runbook", "run", "log file")),
    "many of one cause": (_many, IN_AIRFLOW),
    reminding.STANDING: (_standing, IN_AIRFLOW),
    dead_letters.DEAD_LETTERS: (_letters, ("console", "run", "recorder log")),
    failures.RUN_FAILED: (_run, IN_AIRFLOW),
}
"""Every kind of page, and where it leads."""


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def page_of(kind: str, places: Places = EVERYWHERE, status: Status = Status.OPEN) -> Page:
    page = KINDS[kind][0](places, status)
    assert page is not None
    return page


def test_whatever_makes_a_page_is_among_the_kinds() -> None:
    folder = Path(form.__file__).parent
    makers = {p.stem for p in folder.glob("*.py") if "compose(" in p.read_text("utf-8")}
    assert makers == {"form", "messages", "reminding", "dead_letters", "failures"}


def test_each_leads_on_from_its_text_its_document_and_from_chat(kind: str) -> None:
    page, leads = page_of(kind), KINDS[kind][1]
    links = document_of(page.message)["links"]
    assert tuple(links) == leads
    steps = json.loads(page.chat)["content"]["nextSteps"]
    assert len(steps) == len(links) + 1
    for link, step in zip(links.values(), steps, strict=False):
        assert link in page.message.partition("links\n")[2]
        assert re.fullmatch(r"<[^<>|]+\|[^<>|]+>", step)
        assert step.partition("|")[0].removeprefix("<").replace("&amp;", "&") == link


def test_each_can_be_told_where_nobody_knows_the_places(kind: str) -> None:
    page = page_of(kind, NOWHERE)
    assert document_of(page.message)["links"] == {}
    assert "\nlinks\n" not in page.message


STATUSES = [Status.OPEN, Status.RESOLVED]


def in_each_status(kind: str) -> list[Page]:
    told = STATUSES[:1] if kind == reminding.STANDING else STATUSES
    return [page_of(kind, status=status) for status in told]


# --- Mails, and PagerDuty's e-mail integration ----------------------------------------------------


def test_each_has_a_subject_that_sns_takes(kind: str) -> None:
    """SNS: "ASCII text that begins with a letter, number, or punctuation mark; must not include
    line breaks or control characters; and must be less than 100 characters long"."""
    for page in in_each_status(kind):
        assert re.fullmatch(rf"[!-~][ -~]{{0,{MAX_SUBJECT - 1}}}", page.subject)
        assert len(page.subject) < 100


def rules() -> dict[str, re.Pattern[str]]:
    """What to type into PagerDuty: as docs/operations.md says."""
    text = (REPOSITORY / "docs" / "operations.md").read_text("utf-8")
    return {
        name: re.compile(re.search(rf"^\| {name} \| `([^`]+)` \|$", text, re.MULTILINE)[1])
        for name in ("the subject of what is resolved", "the incident key in the body")
    }


def test_pagerduty_puts_together_and_resolves_what_belongs_together(kind: str) -> None:
    resolves, key = rules().values()
    pages = in_each_status(kind)
    for page in pages:
        found = key.search(page.message)
        assert found is not None
        assert found[1] == document_of(page.message)["incident"]
        is_resolved = page.message_attributes["status"] == "resolved"
        assert (resolves.search(page.subject) is not None) is is_resolved
    incidents = {document_of(page.message)["incident"] for page in pages}
    # That some of many are resolved ends no incident of all of them.
    assert len(incidents) == (2 if kind == "many of one cause" else 1)


@pytest.mark.parametrize("name", ["x\nincident 0", "x incident 0", "incident 0", "\r\nincident 0"])
def test_nobody_chooses_the_incident_of_a_page(name: str) -> None:
    """Else he puts what he did into one that somebody has taken on already."""
    page = _told(EVERYWHERE, Change(Status.OPEN, finding(object_key=name, principal_arn=name)))
    found = rules()["the incident key in the body"].search(page.message)
    assert found is not None
    assert found[1] == document_of(page.message)["incident"] != "0"


# --- Slack, by Amazon Q Developer in chat applications --------------------------------------------


def test_each_is_a_custom_notification(kind: str) -> None:
    form = json.loads((REPOSITORY / "tests/support/published/custom_notification.json").read_text())
    for page in in_each_status(kind):
        shown = json.loads(page.chat)
        jsonschema.validate(shown, form)
        assert shown["metadata"]["threadId"] == document_of(page.message)["incident"]
        assert len(shown["content"]["description"]) <= 3000
        assert page.subject in shown["content"]["description"]
        assert page.message.splitlines()[0] in shown["content"]["description"]
        assert json.loads(page.by_protocol) == {"default": page.message, "https": page.chat}


@given(st.text(min_size=1, max_size=4000))
def test_what_somebody_typed_is_neither_markup_nor_a_mention_in_chat(typed: str) -> None:
    typed = f"a/<!channel> & ``` *b* <https://evil|here>{typed}"
    (page,) = [_told(EVERYWHERE, Change(Status.OPEN, finding(object_key=typed, user_agent=typed)))]
    content, metadata = (json.loads(page.chat)[part] for part in ("content", "metadata"))
    description = content["description"]
    assert len(description) <= 3000
    assert description.startswith("```\n")
    assert description.endswith("\n```")
    assert not set("<>`") & set(description.removeprefix("```").removesuffix("```"))
    # Even a word alone could be a mention, or an address that becomes a link.
    assert content["title"] == metadata["summary"] == "UNRECORDED (high)"
    for step in content["nextSteps"][:-1]:
        assert set("<>`|") & set(step[1:-1]) == {"|"}
    assert len("\n".join(content["nextSteps"])) <= 3000
    assert len(page.by_protocol.encode()) <= MAX_MESSAGE_BYTES


@given(st.sampled_from('&\x01é\U0001f600a`"\\') | st.characters(), st.integers(1, 1024))
def test_however_long_names_are_chat_says_what_who_and_when(character: str, length: int) -> None:
    typed = character * length
    named = {"object_key": f"a/{typed}", "version_id": typed, "principal_arn": f"arn:{typed}"}
    said = {"verdict_reason": typed, "user_agent": typed, "event_name": typed, "source_ip": typed}
    row = finding(**named, **said)
    page = _told(EVERYWHERE, Change(Status.RESOLVED, row, now=row))
    content = json.loads(page.chat)["content"]
    begun = {line.partition(" ")[0] for line in content["description"].splitlines()}
    assert begun >= {"what", "version", "who", "from", "when", "why"}
    led = [step.partition("|")[2] for step in content["nextSteps"]]
    assert {"See it in the console>", "Follow its runbook>", "The log file in S3>"} <= set(led)


def test_of_long_links_as_many_are_next_steps_as_chat_takes() -> None:
    far = replace(EVERYWHERE, airflow=f"https://airflow/{'a' * 850}")
    steps = json.loads(_told(far, Change(Status.OPEN, finding())).chat)["content"]["nextSteps"]
    assert len("\n".join(steps)) <= 3000
    assert [step.partition("|")[2] for step in steps] == [
        "See it in the console>",
        "Follow its runbook>",
        "",
    ]


@pytest.mark.parametrize(
    ("typed", "shown"),
    [("&", "&amp;"), ("\u202e", r"\u202e"), ("\U000e0100", r"\U000e0100"), ('"', '\\"')],
)
def test_a_line_is_cut_between_characters(typed: str, shown: str) -> None:
    page = _told(EVERYWHERE, Change(Status.OPEN, finding(object_key=f"a/{typed * 1000}")))
    description = json.loads(page.chat)["content"]["description"]
    (line,) = (line for line in description.splitlines() if line.startswith("what"))
    assert len(line) <= MAX_LINE + 1
    assert re.fullmatch(rf'what     "s3://raw/a/({re.escape(shown)})+…', line)
