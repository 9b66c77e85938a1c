"""The pages as people meet them: on any screen, in any light, by keyboard alone, below a path."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page

PAGES = {
    "overview": "",
    "findings": "findings",
    "nothing": "findings?words=nothing",
    "finding": "findings?verdict=CONFLICT",
    "hostile": "findings?words=script",
    "control": "findings?verdict=CONTROL_CHANGED",
    "unknown": f"findings/{'0' * 64}",
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
    for name in page.get_by_role("navigation").get_by_role("link").all_inner_texts():
        page.get_by_role("navigation").get_by_role("link", name=name, exact=True).click()
        assert page.url.startswith(console)
        assert page.locator("[aria-current=page]").inner_text() == name
        go(page, console, "finding")


def test_the_overview_names_what_stands_and_each_is_one_click_away(
    page: Page, console: str
) -> None:
    page.goto(console)
    assert page.locator(".lead").inner_text() == "4 findings stand."
    assert page.locator(".rows tbody tr").count() == 4
    page.locator(".rows tbody a").first.click()
    assert page.locator("h1").inner_text() == "CONFLICT: incoming/b.csv"
    page.goto(console)
    page.locator(".picture a[aria-label*='T10 all']").click()
    assert page.locator(".rows tbody tr").count() == 1


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
    page.goto(console + "findings?verdict=CONTROL_CHANGED")
    assert page.locator("[data-of=answer]").inner_text() == "closed"
