"""Walks through the console of a running Airflow, as a person does, in the system's Chromium.

Runs in the browser's environment, which has nothing of the platform's: what is there to be seen
comes as JSON on standard input, as `browsing.walk` gives it. Each step that was gone
is printed, and the first that cannot be ends it.
"""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, Final

from playwright.sync_api import Page, expect, sync_playwright

REPOSITORY: Final = Path(__file__).resolve().parents[2]
PYTHON: Final = REPOSITORY / ".venvs" / "platform" / "bin" / "python"
SECONDS: Final = 300
"""How long one step may take where much else is at work."""


def main() -> None:
    """Walk."""
    given = json.load(sys.stdin)
    found = subprocess.run([REPOSITORY / "infra" / "chromium"], check=True, capture_output=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=found.stdout.decode().strip(), args=["--no-sandbox"]
        )
        context = browser.new_context(viewport={"width": 1280, "height": 900})
        context.set_default_timeout(SECONDS * 1000)
        expect.set_options(timeout=SECONDS * 1000)
        page = context.new_page()
        for step in (log_in, overview, case, answer, run, roll_back):
            started = time.monotonic()
            page = step(page, given) or page
            print(f"{step.__name__}: {time.monotonic() - started:.1f} s", flush=True)
        browser.close()


def log_in(page: Page, given: dict[str, Any]) -> Page:
    """Airflow's own form, and from there its navigation; the console is a tab of its own."""
    page.goto(given["airflow"])
    page.locator("input[name=username]").fill(given["user"])
    page.locator("input[name=password]").fill(given["password"])
    page.locator("button[type=submit]").click()
    page.get_by_role("button", name="Browse").click()
    with page.context.expect_page() as opened:
        page.get_by_role("menuitem", name="Custody").click()
    return opened.value


def overview(page: Page, given: dict[str, Any]) -> None:
    """Exactly what was paged, each in a row."""
    rows = page.locator(".rows tbody tr")
    expect(rows).to_have_count(len(given["findings"]))
    shown = {
        (row.locator("[data-of=verdict]").inner_text(), row.locator("[data-of=what]").inner_text())
        for row in rows.all()
    }
    for verdict, uri in given["findings"]:
        named = [what for said, what in shown if said == verdict and what.startswith(uri)]
        assert len(named) == 1, (verdict, uri, shown)


def case(page: Page, given: dict[str, Any]) -> None:
    """From a finding to its object, and to a case that is accepted by who checks it."""
    uri = given["taken"]
    page.locator(".rows tbody tr", has_text=uri).locator("[data-of=when] a").click()
    page.get_by_role("link", name=uri, exact=True).click()
    with page.expect_download() as started:
        page.get_by_role("link", name="Download the case file").click()
    with tempfile.TemporaryDirectory() as folder:
        archive = Path(folder) / "case.zip"
        started.value.save_as(archive)
        said = page.locator("pre").first.inner_text().removeprefix("$ custody ")
        asked = shlex.split(said.replace("CASE.zip", str(archive)))
        keys = asked.index("--keys")
        del asked[keys : keys + 2]  # those in the case are taken, and told to be compared
        done = subprocess.run(
            [PYTHON, "-m", "custody.cli", *asked],
            capture_output=True,
            text=True,
            check=False,
            env={"PYTHONPATH": str(REPOSITORY / "plugins")},
        )
    assert done.returncode == 0, done.stdout + done.stderr
    page.go_back()


def answer(page: Page, given: dict[str, Any]) -> None:
    """Take it on, then close it; whoever reads the page sees who did."""
    for button, said in (("Take it on", "acknowledged"), ("Close it", "closed")):
        page.get_by_label("Reason").fill(f"a walk: {said}")
        page.get_by_role("button", name=button).click()
        last = page.locator("h3:text('Answers') + ol li").last
        expect(last).to_contain_text(f"{said}")
        assert f"by {given['user']} (by Airflow's word" in last.inner_text()


def run(page: Page, given: dict[str, Any]) -> None:
    """Airflow's page of a run has what it read and wrote."""
    page.goto(f"{given['airflow']}/dags/{given['dag']}/runs/{given['run']}")
    page.get_by_role("link", name="Custody", exact=True).last.click()
    frame = page.frame_locator("iframe[title=Custody]")
    expect(frame.locator("h2", has_text=re.compile("^bronze_to_silver$"))).to_be_visible()
    expect(frame.locator(".graph a", has_text="incoming/").first).to_be_visible()


def roll_back(page: Page, given: dict[str, Any]) -> None:
    """By Airflow's own form; the page of the day says so."""
    page.goto(f"{given['airflow']}/dags/{given['dag']}")
    page.get_by_role("button", name="Trigger").first.click()
    form, reason = page.get_by_role("dialog"), f"a walk at {time.time():.0f}"
    form.locator("#element_dt").fill(given["day"])
    form.locator("#element_rollback_to").fill(given["rollback_to"])
    form.locator("#element_reason").fill(reason)
    # Whoever leaves the page sooner takes the request back.
    with page.expect_response(lambda answer: answer.url.endswith("/dagRuns")) as asked:
        form.get_by_role("button", name="Trigger").click()
    assert asked.value.ok, asked.value.text()
    day, until = f"custody/datasets/{given['dataset']}/{given['day']}", time.monotonic() + SECONDS
    while f"rollback: {reason}" not in page.locator("body").inner_text():
        assert time.monotonic() < until, page.locator("body").inner_text()
        page.goto(f"{given['airflow']}/{day}")
        page.wait_for_timeout(1000)


if __name__ == "__main__":
    main()
