"""Takes the pictures of the console from a running platform: `make demo`, then `make pictures`.

Runs in the browser's environment, which has nothing of the platform's. Of all findings' objects the
one with the most to tell is shown, so that no picture depends on a name.

    python -m diagrams.pictures [--airflow URL] [--home FOLDER]
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import urllib.request
from pathlib import Path
from typing import Final

from playwright.sync_api import Locator, Page, sync_playwright

HERE: Final = Path(__file__).resolve().parent
REPOSITORY: Final = HERE.parent
MOST_BYTES: Final = 150_000
USER: Final = "admin"
SIZE: Final = {"width": 1000, "height": 720}


def main() -> None:
    """Take them; ends with a message if there is nothing to see, or a picture is too large."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    port = os.environ.get("AIRFLOW_PORT", "8080")
    home = os.environ.get("CUSTODY_LOCAL_HOME", REPOSITORY / "build" / "local")
    parser.add_argument("--airflow", default=f"http://127.0.0.1:{port}/")
    parser.add_argument("--home", type=Path, default=Path(home))
    asked = parser.parse_args()
    found = subprocess.run(
        [REPOSITORY / "infra" / "chromium"], check=True, capture_output=True, text=True
    )
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=found.stdout.strip(), args=["--no-sandbox"]
        )
        page = browser.new_page(viewport=SIZE)  # type: ignore[arg-type]
        passwords = asked.home / "airflow" / "passwords.json"
        if passwords.exists():
            password = json.loads(passwords.read_text(encoding="utf-8"))[USER]
            token = login(asked.airflow, password)
            page.context.add_cookies([{"name": "_token", "value": token, "url": asked.airflow}])
        take(page, f"{asked.airflow}custody/")
        browser.close()


def login(airflow: str, password: str) -> str:
    """The token of the platform's user."""
    body = json.dumps({"username": USER, "password": password}).encode()
    request = urllib.request.Request(  # noqa: S310 - loopback
        f"{airflow}auth/token", body, {"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request) as answer:  # noqa: S310
        return str(json.load(answer)["access_token"])


def take(page: Page, console: str) -> None:
    """The overview, and the life and the graph of the object with the most to tell."""
    page.goto(console)
    keep(page.locator("body"), "console-overview", page)
    links = page.locator("main .rows tbody a")
    findings = [str(link.evaluate("link => link.href")) for link in links.all()]
    told = {}
    for finding in findings:
        page.goto(finding)
        link = page.locator("main .plain a[href*='object?']")
        if link.count():
            link.first.click()
            moments, runs = page.locator(".line li").count(), page.locator(".graph li").count()
            told[page.url] = (runs > 0, moments)
    if not told:
        raise SystemExit(f"no finding at {console} is about an object: run `make demo` first")
    page.goto(max(told, key=lambda url: told[url]))
    keep(page.locator(".line"), "console-object", page)
    keep(page.locator(".graph").first, "console-graph", page)


def keep(what: Locator, name: str, page: Page) -> None:
    """Write a picture, of no more than the upper part of what is long."""
    box = what.bounding_box()
    if box is None:
        raise SystemExit(f"{page.url} has nothing for {name}")
    height = min(box["height"] + 16, 480)
    clip = {"x": 0, "y": max(0, box["y"] - 8), "width": SIZE["width"], "height": height}
    path = HERE / f"{name}.png"
    page.screenshot(path=path, full_page=True, clip=clip)  # type: ignore[arg-type]
    size = path.stat().st_size
    print(f"{path.relative_to(REPOSITORY)}: {size} bytes")
    if size > MOST_BYTES:
        raise SystemExit(f"{path.name} has more than {MOST_BYTES} bytes")


if __name__ == "__main__":
    main()
