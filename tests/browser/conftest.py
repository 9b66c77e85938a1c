"""The console, served by the platform's environment, and the system's Chromium."""

from __future__ import annotations

import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright
from tests.support.ports import free_port

ROOT = Path(__file__).parents[2]
PYTHON = ROOT / ".venvs" / "platform" / "bin" / "python"


@pytest.fixture(scope="session")
def console() -> Iterator[str]:
    """The address of the overview."""
    port = free_port()
    server = subprocess.Popen([PYTHON, Path(__file__).parent / "served.py", str(port)])
    address = f"http://127.0.0.1:{port}/team/airflow/custody/"
    try:
        while not _answers(address):
            assert server.poll() is None, "the console ended"
            time.sleep(0.2)
        yield address
    finally:
        server.terminate()
        server.wait()


def _answers(address: str) -> bool:
    try:
        with urllib.request.urlopen(f"{address}console.css"):  # noqa: S310 - our own
            return True
    except urllib.error.URLError:
        return False


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """The Chromium that `infra/chromium` finds."""
    found = subprocess.run(
        [ROOT / "infra" / "chromium"], check=True, capture_output=True, text=True
    )
    # As root, as in a container, Chromium has no sandbox of its own; it sees our pages alone.
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=found.stdout.strip(), args=["--no-sandbox"]
        )
        yield browser
        browser.close()


@pytest.fixture
def page(browser: Browser, console: str) -> Iterator[Page]:
    """A page that fails if anything comes from elsewhere, is refused, asks or breaks."""
    page = browser.new_page(viewport={"width": 1280, "height": 800})
    wrong: list[str] = []
    origin = console.partition("/team/")[0]
    page.on("request", lambda r: r.url.startswith(origin) or wrong.append(f"asked {r.url}"))
    # That an address leads to nothing, the page says, too.
    page.on("console", lambda m: "404 (Not Found)" in m.text or wrong.append(f"said {m.text}"))
    page.on("pageerror", lambda error: wrong.append(f"broke: {error}"))
    page.on("dialog", lambda dialog: (wrong.append(f"ran: {dialog.message}"), dialog.dismiss()))
    yield page
    page.close()
    assert wrong == []
