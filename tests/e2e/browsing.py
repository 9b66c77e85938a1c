"""What the console shows of the running platform, and a walk through it in a browser."""

import json
import subprocess
from datetime import UTC, date, datetime, timedelta
from typing import Final

from story import MEDALLION

from custody.aws.kms.seal_key import fetch_seal_key
from custody.console.reading import Console
from custody.core.console.overview import Overview
from custody.core.seal.layout import log_origin
from custody.settings import Settings
from rehearsal.airflow import USER
from rehearsal.machine import REPOSITORY, tool_folder
from rehearsal.observing import Page, query
from rehearsal.platform import Platform
from rehearsal.runs import backfilled_runs

STEPS: Final = ("log_in", "overview", "case", "answer", "run", "roll_back")
NOBODY: Final = (
    "NOT CHECKED: no Chromium is here, and none may be installed: nobody walked through the console"
)


def overview_of(platform: Platform) -> Overview:
    """What the console shows of today and yesterday."""
    settings, now = Settings.parse(dict(platform.settings)), datetime.now(UTC)
    origin = log_origin(settings.provenance_bucket)
    key = fetch_seal_key(platform.client("kms"), settings.seal_key_arn, origin)
    console = Console(platform.client("s3"), settings, key)
    return console.overview((now - timedelta(days=1)).date(), now)


def walk(platform: Platform, day: date, pages: list[Page], taken: str) -> tuple[str, ...]:
    """The steps of `walk.py` that were gone, with the findings of `pages` to be seen, of which the
    one about the file `taken` is answered, and `day` rolled back to the run that is shown.

    Without a Chromium, none; that is said.
    """
    if subprocess.run([REPOSITORY / "infra" / "chromium"], check=False).returncode:
        print(NOBODY)
        return ()
    (shown,) = query(
        platform,
        "SELECT DISTINCT run FROM publications WHERE dataset = 'customers'"  # noqa: S608
        f" AND dt = '{day}' AND table_name = 'silver_customers'",
    )
    places = [f"s3://{page.body['bucket']}/{page.body['key']}" for page in pages]
    given = {
        "airflow": platform.machine.airflow_url,
        "user": USER,
        "password": platform.airflow.password,
        "findings": [
            [page.body["verdict"], place] for page, place in zip(pages, places, strict=True)
        ],
        "taken": next(place for place in places if place.endswith(f"/{taken}")),
        "dag": MEDALLION,
        "run": backfilled_runs(platform, MEDALLION)[day],
        "dataset": "customers",
        "day": str(day),
        "rollback_to": shown["run"],
    }
    walked = subprocess.run(
        [tool_folder("browser") / "python", REPOSITORY / "tests" / "e2e" / "walk.py"],
        input=json.dumps(given),
        capture_output=True,
        text=True,
        check=False,
    )
    print(walked.stdout)
    assert walked.returncode == 0, walked.stderr[-4000:]
    return tuple(line.partition(":")[0] for line in walked.stdout.splitlines())
