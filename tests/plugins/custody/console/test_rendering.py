"""What somebody typed is text on every page, and no page needs anything from elsewhere."""

from __future__ import annotations

import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest
from tests.support.consoles import NOW, SCRIPT, life_of, read_run, removed, shown
from tests.support.findings import finding
from tests.support.lineages import LINEAGE

from custody.console import rendering
from custody.core.console.days import DatasetDay
from custody.core.console.objects.asked import Place
from custody.core.console.objects.life import Entry, Life, StoredThen
from custody.core.console.objects.onward import Onward
from custody.core.console.overview import Overview
from custody.core.console.run_in_airflow import Deeds, RunInAirflow, deeds_of
from custody.core.console.selection import Selection
from custody.core.ledger.causes import MAX_BESIDE
from custody.core.lineage.model import HashedObject
from custody.core.lineage.tracing import TracedRun
from custody.core.paging.findings import SEVERITIES
from custody.core.publications.model import Asked, Publication, Shown, Why
from custody.core.runs.airflow_log import Act, AirflowLog
from custody.objects import ObjectVersion
from custody.settings import Settings

SETTINGS = Settings.parse({"project": "custody", "stage": "dev", "trail_bucket": "t"})
CHANGE = finding(
    "CONTROL_CHANGED",
    bucket="AwsControl",
    object_key="s3/bucket/raw/policy",
    event_time="2026-11-01T05:30:00Z",
)
HOSTILE = removed(
    SCRIPT,
    principal_arn=SCRIPT,
    user_agent='"><img src=x onerror=alert(1)>',
    verdict_reason=f"{{{{ 7 * 7 }}}} {SCRIPT} \u202e",
    version_id=SCRIPT,
    event_id=None,
)


NAMES = {"overview", "findings", "nothing", "finding", "object", "nobody's", "trouble", "report",
         "of object", "datasets", "dataset", "run"}  # fmt: skip


class Read(HTMLParser):
    """The tags of a page, what they have, and its text."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data


def hostile_life(overview: Overview) -> Life:
    """Whatever somebody named, in each of its places."""
    named = f"{SCRIPT}\u202e"
    item = HashedObject(ObjectVersion(SCRIPT, named, named), "d1" * 32)
    made = replace(LINEAGE, inputs=(item,), outputs=(item,), builder_id=named)
    versions = [StoredThen(named, NOW, 1, is_latest=False, is_delete_marker=m) for m in (0, 1)]
    return life_of(
        Place("raw", named),
        named,
        later=versions[1],
        versions=versions,
        back=TracedRun(made.run, (item,), made, (), (item,), (named,)),
        onward=(Onward(made, (item,), ()),),
        publications=[Publication(named, named, 1, "2026-11-01T06:00:00.000Z", *[None] * 3)],
        unread=named,
        findings=list(overview.findings.values()),
        entry=Entry(1, 2),
    )


def hostile_day() -> DatasetDay:
    named = f"{SCRIPT}\u202e"
    shown = Shown(named, named, named)
    at = "2026-11-01T06:00:00.000Z"
    asked = Asked(named, 1, named, named)
    publication = Publication(named, "2026-11-01", 1, at, Why.ROLLBACK, asked, (shown,))
    runs = [replace(LINEAGE, builder_id=named)] * 2
    return DatasetDay(named, "2026-11-01", runs, (publication,), named)


def hostile_deeds(overview: Overview) -> Deeds:
    """A run of a DAG whose every name is a script."""
    run = RunInAirflow(SCRIPT, SCRIPT, {}, "2026-11-01", None, {SCRIPT: "jr_1", "b": "jr_2"})
    stated = replace(LINEAGE, builder_id=SCRIPT, run=replace(LINEAGE.run, id="jr_1"))
    did = deeds_of(run, "", lineages=[stated], publications=(), findings=())
    found, published = list(overview.findings.values()), hostile_day().publications
    return replace(did, found=found, publications=published, unread=SCRIPT, task_id=SCRIPT)


def pages(overview: Overview) -> dict[str, str]:
    hostile = overview.findings[HOSTILE.fingerprint]
    selection = Selection(SCRIPT, SCRIPT, SCRIPT, SCRIPT, SCRIPT, SCRIPT)
    return {
        "overview": rendering.overview_page(overview, 2),
        "findings": rendering.findings_page(overview, 2, Selection(), 1),
        "nothing": rendering.findings_page(overview, 2, selection, 1),
        "finding": rendering.finding_page(overview, 2, hostile, SETTINGS, "token"),
        "object": rendering.object_page(hostile_life(overview), 2, SETTINGS, 1, SCRIPT),
        "nobody's": rendering.object_page(None, 2, SETTINGS, 1, SCRIPT),
        "datasets": rendering.datasets_page({"2026-11-01": {SCRIPT: hostile_day()}}, 2),
        "dataset": rendering.dataset_page(hostile_day()),
        "run": rendering.run_page(hostile_deeds(overview), overview, 2, SETTINGS),
        "trouble": rendering.trouble_page("", "Trouble", SCRIPT),
        "report": rendering.report_file(overview, "custody-dev", SCRIPT),
        "of object": rendering.object_file(hostile_life(overview), overview, 2, SCRIPT, SETTINGS),
    }


@pytest.fixture(scope="module")
def overview() -> Overview:
    typed = Act(7, NOW, SCRIPT, SCRIPT, SCRIPT, SCRIPT, SCRIPT, (SCRIPT, "\u202e"), SCRIPT)
    kinds = {(SCRIPT, SCRIPT): 2}
    log = AirflowLog(NOW, NOW, (typed,), kinds, unread=3, trouble=SCRIPT)
    last = replace(read_run(12, HOSTILE), airflow=log)
    runs = (read_run(8, HOSTILE, finding("UNRECORDED"), CHANGE), last)
    return shown(*runs, disbelieved=[f"2026-11-01 {SCRIPT}"])


@pytest.mark.parametrize(
    "name",
    sorted(NAMES),
)
def test_a_key_named_like_a_script_is_text(overview: Overview, name: str) -> None:
    page = pages(overview)[name]
    read = Read(page)
    assert not {"script", "img", "iframe", "object", "svg"} & {tag for tag, _ in read.tags}
    assert not [a for _, has in read.tags for a in has if a.startswith("on") or a == "style"]
    assert "\u202e" not in page
    if name not in ("nothing", "nobody's"):
        assert SCRIPT in read.text
    if name in ("finding", "report"):
        assert "{{ 7 * 7 }}" in read.text


@pytest.mark.parametrize(
    "name", ["overview", "findings", "finding", "object", "report", "of object"]
)
def test_nothing_comes_from_elsewhere(overview: Overview, name: str) -> None:
    for tag, has in Read(pages(overview)[name]).tags:
        for attribute in ("href", "src", "action"):
            target = has.get(attribute)
            assert target is None or not re.match(r"[a-z]+:|/", target), (tag, target)


def test_links_work_below_any_path(overview: Overview) -> None:
    made = pages(overview)
    fingerprint = HOSTILE.fingerprint

    def targets(name: str) -> set[str | None]:
        return {has.get("href") for tag, has in Read(made[name]).tags if tag in ("a", "link")}

    assert {"./", "findings", "console.css"} <= targets("overview")
    assert {"console.css", f"findings/{fingerprint}?days=2"} <= targets("findings")
    assert {"../", "../findings", "../console.css", "../../"} <= targets("finding")
    assert {"findings", "console.css", "../"} <= targets("object")
    assert {"../../datasets", "../../console.css", "../../../"} <= targets("dataset")
    hour = "findings?days=2&state=open&hour=2026-11-01T06&layer=all"
    assert hour in targets("overview")


def test_the_overview_says_what_stands(overview: Overview) -> None:
    text = Read(pages(overview)["overview"]).text
    assert "2 findings stand, with 1 changed control that may have led to them." in " ".join(
        text.split()
    )
    assert "1 statements of runs are not believed" in text
    assert "Late: the last audit was at: never." in text
    assert SCRIPT in text
    # What is no object is not named as one.
    assert "s3/bucket/raw/policy" in text
    assert "s3://AwsControl" not in text
    assert "Every hour is judged until" in text


def test_other_settings_than_were_judged_by_are_said() -> None:
    other = replace(read_run(12), policy="bb" * 32)
    said = "judged by other settings"
    assert said in rendering.overview_page(shown(other), 2)
    assert said not in rendering.overview_page(shown(read_run(12)), 2)


def test_a_finding_tells_who_is_claimed_from_who_is_proven(overview: Overview) -> None:
    proven = overview.findings[finding("UNRECORDED").fingerprint]
    page = rendering.finding_page(overview, 2, proven, SETTINGS, "token")
    assert "proven by the trail" in Read(page).text
    assert "claimed by a record, not proven" in Read(pages(overview)["finding"]).text


def test_a_finding_names_its_causes_and_history(overview: Overview) -> None:
    proven = overview.findings[finding("UNRECORDED").fingerprint]
    read = Read(rendering.finding_page(overview, 2, proven, SETTINGS, "token"))
    assert "s3/bucket/raw/policy" in read.text
    assert f"../findings/{CHANGE.fingerprint}?days=2" in {has.get("href") for _, has in read.tags}
    assert "open, by run reconcile_1_8 of reconcile" in read.text


def test_of_many_causes_the_nearest_are_named_and_all_are_counted() -> None:
    changes = [
        finding("CONTROL_CHANGED", bucket="AwsControl", object_key=f"iam/role/r{n:02}/policy")
        for n in range(MAX_BESIDE + 1)
    ]
    lost = finding("UNRECORDED")
    overview = shown(read_run(8, lost, *changes))
    page = rendering.finding_page(
        overview, 2, overview.findings[lost.fingerprint], SETTINGS, "token"
    )
    assert f"{len(changes)} in the period, the nearest {MAX_BESIDE}" in page
    assert page.count("iam/role/r") == MAX_BESIDE


def test_a_changed_control_is_in_the_row_of_its_finding_and_each_leads_to_the_other() -> None:
    control = "iam/role/r/policy"
    change = finding("CONTROL_CHANGED", bucket="AwsControl", object_key=control)
    overview = shown(read_run(8, removed(), change))
    for page in (
        rendering.overview_page(overview, 2),
        rendering.findings_page(overview, 2, Selection(state="open"), 1),
    ):
        read = Read(page)
        assert [has.get("data-of") for _, has in read.tags].count("verdict") == 1
        assert f"findings/{change.fingerprint}?days=2" in {h.get("href") for _, h in read.tags}
        assert "1 changed control may have led to it" in read.text
    assert "1 finding stands, with 1 changed control that may have led to it." in " ".join(
        Read(rendering.overview_page(overview, 2)).text.split()
    )
    of_change = overview.findings[change.fingerprint]
    page = rendering.finding_page(overview, 2, of_change, SETTINGS, "token")
    assert "It is told with this one" in page
    assert f"../findings/{removed().fingerprint}?days=2" in page


def test_a_finding_that_a_later_run_did_not_find_says_so() -> None:
    overview = shown(read_run(8, removed()), read_run(9))
    (standing,) = overview.findings.values()
    page = rendering.finding_page(overview, 2, standing, SETTINGS, "token")
    assert "reconcile_1_9</code>, which judged its hour again" in page


@pytest.mark.parametrize("verdict", SEVERITIES)
def test_every_verdict_has_its_runbook_filled_in(verdict: str) -> None:
    overview = shown(read_run(8, finding(verdict, object_key="a key'", record_key="provenance/r")))
    (standing,) = overview.findings.values()
    text = Read(rendering.finding_page(overview, 2, standing, SETTINGS, "token")).text
    assert "Means:" in text
    assert not re.search(r"'%?<(key|bucket|principal|record)>%?'", text)


def test_more_findings_than_a_page_holds_are_on_the_next() -> None:
    rows = [removed(f"key-{number:03}") for number in range(rendering.PAGE_SIZE + 1)]
    overview = shown(read_run(8, *rows))
    first = rendering.findings_page(overview, 2, Selection(verdict="REMOVED"), 1)
    last = rendering.findings_page(overview, 2, Selection(verdict="REMOVED"), 2)
    assert first.count("s3://raw/key-") == rendering.PAGE_SIZE
    assert last.count("s3://raw/key-") == 1
    assert (
        "verdict=REMOVED&amp;layer=&amp;hour=&amp;state=&amp;answer=&amp;words=&amp;page=2" in first
    )
    assert 'rel="prev"' in last
    assert 'rel="next"' not in last


def test_the_case_of_what_is_not_sealed_yet_is_checked_without_its_proof() -> None:
    place = Place("raw", "a")
    for entry, is_waived in ((None, True), (Entry(1, 2), False)):
        page = rendering.object_page(life_of(place, "v1", entry=entry), 2, SETTINGS, 1, "")
        assert ("--waive proof --waive seal" in page) is is_waived
        assert ("It is not sealed yet" in page) is is_waived


def test_a_finding_leads_to_its_object_and_back() -> None:
    row = removed("a b&c.csv", bucket="raw")
    overview = shown(read_run(8, row, CHANGE))
    known = overview.findings
    settings = Settings.parse({"project": "custody", "stage": "dev", "raw_bucket": "raw"})

    def targets(page: str) -> set[str | None]:
        return {has.get("href") for tag, has in Read(page).tags if tag == "a"}

    (about, control) = (
        targets(rendering.finding_page(overview, 2, known[each.fingerprint], settings, "t"))
        for each in (row, CHANGE)
    )
    assert "../object?object=s3%3A%2F%2Fraw%2Fa+b%26c.csv&version=v1" in about
    assert not [target for target in control if "object?" in str(target)]
    life = life_of(Place("raw", row.object_key), "v1", findings=list(overview.findings.values()))
    page = rendering.object_page(life, 2, settings, 1, "")
    assert f"findings/{row.fingerprint}?days=2" in targets(page)
    assert "custody export &#39;s3://raw/a b&amp;c.csv&#39; --version-id v1" in page


@pytest.mark.parametrize("key", ["a\u202eb", "a\u3164b"])
def test_a_name_that_cannot_be_shown_is_in_no_command(key: str) -> None:
    life = life_of(Place("raw", key), "v\n1")
    page = rendering.object_page(life, 2, SETTINGS, 1, "")
    assert page.count("&lt;its name cannot be printed&gt;") == 3


def test_of_what_a_run_made_so_many_files_are_named() -> None:
    items = tuple(
        HashedObject(ObjectVersion("gold", f"part-{n:03}", "v"), "d1" * 32) for n in range(30)
    )
    made = replace(LINEAGE, outputs=items)
    page = rendering.object_page(
        life_of(Place("raw", "a"), "v", onward=(Onward(made, (), ()),)), 2, SETTINGS, 1, ""
    )
    assert page.count(">part-0") == rendering.MOST_OF_A_RUN
    assert f"and {30 - rendering.MOST_OF_A_RUN} more" in page


def test_a_thousand_versions_are_on_ten_pages() -> None:
    versions = [
        StoredThen(f"v{n}", NOW, 1, is_latest=not n, is_delete_marker=False) for n in range(1000)
    ]
    life = life_of(Place("raw", "a"), "v0", versions=versions)
    first, last = (rendering.object_page(life, 2, SETTINGS, number, "") for number in (1, 10))
    assert first.count('<tr><td data-of="since">') == rendering.PAGE_SIZE
    assert "page=2" in first
    assert "v999" in last
    assert 'rel="next"' not in last


def test_of_many_that_stand_the_overview_names_the_most_urgent() -> None:
    overview = shown(read_run(8, *(removed(f"key-{n:03}") for n in range(20))))
    page = rendering.overview_page(overview, 2)
    assert page.count("s3://raw/key-") == rendering.MOST_AT_ONCE
    assert '<a href="findings?days=2&amp;state=open">All 20 that stand</a>' in page


def test_a_report_needs_nothing_else_and_tells_every_finding(overview: Overview) -> None:
    read = Read(pages(overview)["report"])
    assert "link" not in {tag for tag, _ in read.tags}
    ids = {f"#{has['id']}" for tag, has in read.tags if tag == "section"}
    assert ids == {f"#f-{fingerprint}" for fingerprint in overview.findings}
    assert {has["href"] for tag, has in read.tags if tag == "a"} == ids


def test_a_report_tells_what_people_did_in_airflow_and_the_console_does_not() -> None:
    """Airflow shows its audit log to its administrators alone."""
    act = Act(7, NOW, "operator", "patch_dag", dag="custody_audit", state="true")
    log = AirflowLog(NOW, NOW, (act,), {("operator", "patch_dag"): 2}, unread=3)
    overview = shown(replace(read_run(12), airflow=log))
    text = " ".join(Read(rendering.report_file(overview, "custody-dev")).text.split())
    assert "2026-11-01 12:40:00 UTC operator pause patch_dag, to true custody_audit" in text
    assert "Up to 2 more patch_dag by operator are only counted." in text
    assert "3 entries were more than is read." in text
    assert "could not read" not in text
    assert "operator" not in rendering.overview_page(overview, 2)


def test_a_report_says_why_nobody_knows_what_people_did() -> None:
    away = AirflowLog(NOW, NOW, trouble="ResourceNotFoundException")
    report = rendering.report_file(shown(replace(read_run(12), airflow=away)), "custody-dev")
    assert "could not read all of it: ResourceNotFoundException" in report
    assert "No run of these days has asked" in rendering.report_file(shown(read_run(12)), "d")
