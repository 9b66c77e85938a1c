"""The pages as people meet them: on any screen, in any light, by keyboard alone, below a path."""

from __future__ import annotations

import shlex
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page
from tests.browser.conftest import PYTHON, ROOT

LANDED = "incoming/customers/dt=2026-11-01/a.csv"
GOLD = "gold/customers_per_day/dt=2026-11-01/run=jr_gold/part-0.parquet"
PAGES = {
    "overview": "",
    "findings": "findings",
    "nothing": "findings?words=nothing",
    "finding": "findings?verdict=CONFLICT",
    "hostile": "findings?words=script",
    "control": "findings?verdict=CONTROL_CHANGED&words=elsewhere",
    "unknown": f"findings/{'0' * 64}",
    "lookup": "object",
    "landed": f"object?object={LANDED}",
    "made": f"object?object={GOLD}",
    "datasets": "datasets?days=31",
    "day": "datasets/customers/2026-11-01",
    "run": "run?dag_id=medallion_customers&run_id=scheduled__1",
    "nowhere": "object?object=s3://elsewhere/x",
}
OPENED = {"finding", "hostile", "control"}
"""Of these the first finding is opened, as a person would."""


def go(page: Page, console: str, name: str) -> None:
    page.goto(console + PAGES[name])
    if name in OPENED:
        page.locator("tbody a").first.click()
        page.wait_for_url("**/findings/*")


@pytest.fixture(scope="module", params=sorted(PAGES))
def opened(request: pytest.FixtureRequest, browser: Browser, console: str) -> Iterator[Page]:
    page = browser.new_page()
    go(page, console, request.param)
    yield page
    page.close()


@pytest.mark.parametrize("width", [390, 1280])
def test_no_page_is_wider_than_its_screen(opened: Page, width: int) -> None:
    opened.set_viewport_size({"width": width, "height": 800})
    assert opened.evaluate("document.documentElement.scrollWidth") == width


@pytest.mark.parametrize("light", ["light", "dark"])
def test_nothing_serious_keeps_anybody_from_using_it(opened: Page, light: str) -> None:
    opened.emulate_media(color_scheme=light)  # type: ignore[arg-type]
    found = Axe().run(opened).response["violations"]
    serious = [each for each in found if each["impact"] in ("serious", "critical")]
    assert [(each["id"], each["nodes"][0]["html"]) for each in serious] == []


def test_every_link_of_a_page_leads_to_a_page(page: Page, console: str) -> None:
    go(page, console, "finding")
    links = page.get_by_role("navigation").get_by_role("link")
    for name in links.all_inner_texts():
        links.filter(has_text=name).click()
        assert page.url.startswith(console)
        assert page.locator("[aria-current=page]").inner_text() == name
        go(page, console, "finding")
    # Above the console is Airflow.
    airflow = page.get_by_role("banner").get_by_role("link", name="Airflow")
    assert airflow.evaluate("link => link.href") == console.removesuffix("custody/")


def test_the_overview_names_what_stands_and_each_is_one_click_away(
    page: Page, console: str
) -> None:
    page.goto(console)
    lead = "4 findings stand, with 1 changed control that may have led to them."
    assert page.locator(".lead").inner_text() == lead
    assert page.locator(".rows tbody tr").count() == 4
    beside = page.locator(".rows tbody tr").first.locator("details")
    beside.locator("summary").click()
    beside.get_by_role("link").click()
    assert page.locator("h1").inner_text() == "CONTROL_CHANGED: s3/bucket/custody-test-raw/policy"
    page.get_by_role("link", name="CONFLICT").click()
    assert page.locator("h1").inner_text() == f"CONFLICT: {LANDED}"
    page.goto(console)
    page.locator(".rows tbody a").first.click()
    assert page.locator("h1").inner_text() == f"CONFLICT: {LANDED}"
    page.goto(console)
    page.locator(".picture a[aria-label*='all: 2 findings, the worst CONTROL_CHANGED']").click()
    assert page.locator(".rows tbody tr").count() == 2


def test_a_finding_leads_to_its_object_and_that_to_what_was_made_of_it(
    page: Page, console: str
) -> None:
    go(page, console, "finding")
    page.get_by_role("link", name=f"s3://custody-test-raw/{LANDED}").click()
    assert page.locator("h1").inner_text() == LANDED
    said = page.locator(".line .kind").all_inner_texts()
    assert sorted(said) == sorted(
        ["written"] * 2 + ["recorded", "sealed", "judged", "finding"] + ["read", "published"] * 2
    )
    page.locator(".line .finding a").click()
    page.go_back()
    page.get_by_role("link", name=GOLD).click()
    assert page.locator("h1").inner_text() == GOLD
    page.get_by_role("link", name=LANDED).click()
    assert page.locator("h1").inner_text() == LANDED


@pytest.mark.parametrize("key", [LANDED, GOLD])
def test_a_case_is_downloaded_and_accepted_by_who_checks_it(
    page: Page, console: str, tmp_path: Path, key: str
) -> None:
    page.goto(f"{console}object?object={key}")
    with page.expect_download() as started:
        page.get_by_role("link", name="Download the case file").click()
    case = tmp_path / started.value.suggested_filename
    started.value.save_as(case)
    # What the page says to do with it; without keys, those in the case are told to be compared.
    said = page.locator("pre").first.inner_text().removeprefix("$ custody ")
    asked = shlex.split(said.replace("CASE.zip", str(case)).replace("--keys keys.json", ""))
    done = subprocess.run([PYTHON, "-m", "custody.cli", *asked], capture_output=True, text=True,
                          check=False, env={"PYTHONPATH": str(ROOT / "plugins")})  # fmt: skip
    assert done.returncode == 0, done.stdout
    assert "--about" in asked


def test_a_day_leads_to_its_publications_and_to_airflows_own_form(page: Page, console: str) -> None:
    page.goto(f"{console}datasets?days=31")
    page.get_by_role("link", name="rolled back").click()
    assert page.locator("h1").inner_text() == "customers, 2026-11-01"
    rows = page.locator(".rows").first.locator("tbody tr")
    assert "rollback: wrong prices" in rows.first.inner_text()
    assert rows.count() == 2
    run = page.get_by_role("link", name="scheduled__1").first
    dags = console.replace("custody/", "dags/medallion_customers")
    assert run.evaluate("link => link.href") == f"{dags}/runs/scheduled__1"


def test_a_run_leads_to_what_it_read_and_wrote(page: Page, console: str) -> None:
    go(page, console, "run")
    assert page.locator("h2").all_inner_texts()[:-1] == [
        "bronze_to_silver",
        "gold_customers_per_day.silver_to_gold",
    ]
    assert "CONFLICT" in page.locator(".rows").inner_text()
    page.get_by_role("link", name=LANDED).first.click()
    assert page.locator("h1").inner_text() == LANDED


def test_what_is_looked_up_is_only_a_text(page: Page, console: str) -> None:
    for typed in ("<img src=x onerror=alert(1)>", "' OR 1=1 --", "s3://elsewhere/a", "../../etc"):
        page.goto(console)
        page.get_by_label("Object").fill(typed)
        page.keyboard.press("Enter")
        page.wait_for_url("**object?object=**")
        assert page.locator("h1").inner_text() == "No such object"


def test_a_key_named_like_a_script_is_text(page: Page, console: str) -> None:
    go(page, console, "hostile")
    assert page.locator("h1").inner_text() == "REMOVED: <script>alert('1')</script>"
    assert page.locator("script").count() == 0


def test_nothing_that_slipped_in_would_run(browser: Browser, console: str) -> None:
    """The policy of the pages holds: this one breaks it on purpose."""
    page = browser.new_page()
    page.goto(console)
    refused = page.evaluate("""() => new Promise(done => {
        document.addEventListener("securitypolicyviolation", e => done(e.effectiveDirective));
        const added = document.createElement("script");
        added.textContent = "window.ran = true";
        document.body.append(added);
        setTimeout(() => done("it ran"), 2000);
    })""")
    assert refused == "script-src-elem"
    assert page.evaluate("window.ran") is None
    page.close()


def test_the_keyboard_alone_leads_through_a_page(page: Page, console: str) -> None:
    page.goto(console + "findings")
    page.keyboard.press("Tab")
    skip = page.locator(".skip")
    assert skip.evaluate("each => each === document.activeElement")
    assert skip.bounding_box()["x"] >= 0  # type: ignore[index]
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.name") == "verdict"
    page.keyboard.type("REMOVED")
    for _ in range(6):
        page.keyboard.press("Tab")
        focused = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
        assert focused == "solid"
    page.keyboard.press("Enter")
    page.wait_for_url("**verdict=REMOVED**")
    assert page.locator(".rows tbody tr").count() == 2


def test_a_finding_is_taken_on_and_then_closed(page: Page, console: str) -> None:
    go(page, console, "control")
    for button, said in (
        ("Take it on", "acknowledged until"),
        ("Close it: it is explained", "closed"),
    ):
        page.get_by_label("Reason").fill(f"by {button}")
        page.get_by_role("button", name=button).click()
        page.wait_for_url("**/findings/*")
        answers = page.locator("h3:text('Answers') + ol li")
        assert said in answers.last.inner_text()
        assert "somebody (by Airflow's word" in answers.last.inner_text()
    page.goto(console + "findings?words=elsewhere")
    assert page.locator("[data-of=answer]").inner_text() == "closed"
