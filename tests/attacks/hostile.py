"""An uploader lands what breaks who reads it: nothing of it is an alarm, and nobody else loses."""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any, Final

from tests.attacks.attack import Finding, made
from tests.attacks.judging import ended
from tests.attacks.world import UPLOADER, World

from custody.core.lineage.account import ACCOUNT_NAME, DayAccount
from rehearsal.machine import REPOSITORY

DAY: Final = "2026-11-01"
_COUNTS: Final = ("landed_rows", "silver_rows", "duplicate_rows", "quarantined_rows")


@made(UPLOADER)
def files_that_break_readers(world: World) -> list[Finding]:
    """lands bombs, Parquet that lies, formulas, a million brackets and lines without end"""
    with tempfile.TemporaryDirectory() as folder:
        _write(Path(folder))
        expected = json.loads((Path(folder) / "expected.json").read_text("utf-8"))
        for dataset in expected:
            for file in sorted((Path(folder) / dataset / f"dt={DAY}").iterdir()):
                _land(world, dataset, file)
        world.drain()
        runs = {dataset: _start(world, dataset) for dataset in expected}
        for dataset, run in runs.items():
            ended(world, world.platform.settings["bronze_to_silver_job"], run)
            manifest = json.loads((Path(folder) / dataset / "manifest.json").read_text("utf-8"))
            _check(_account(world, dataset, run), manifest["days"][DAY], expected[dataset])
    return []


def _write(folder: Path) -> None:
    """The files, made by the jobs' Python, which has Arrow."""
    path = ("", "plugins", "data")
    subprocess.run(
        [REPOSITORY / ".venvs/glue/bin/python", "-m", "tests.support.hostile", folder],
        cwd=REPOSITORY,
        env={**os.environ, "PYTHONPATH": ":".join(str(REPOSITORY / each) for each in path)},
        check=True,
    )


def _land(world: World, dataset: str, file: Path) -> None:
    key = f"incoming/{dataset}/dt={DAY}/{file.name}"
    s3 = world.client("s3", UPLOADER)
    s3.put_object(Bucket=world.raw, Key=key, Body=file.read_bytes())


def _start(world: World, dataset: str) -> str:
    run = world.client("glue", "airflow").start_job_run(
        JobName=world.platform.settings["bronze_to_silver_job"],
        Arguments={"--dataset": dataset, "--dt": DAY},
    )
    return str(run["JobRunId"])


def _account(world: World, dataset: str, run: str) -> DayAccount:
    key = f"files/{dataset}/dt={DAY}/run={run}/{ACCOUNT_NAME}"
    return DayAccount.parse(world.s3.get_object(Bucket=world.processed, Key=key)["Body"].read())


def _check(account: DayAccount, honest: dict[str, Any], hostile: dict[str, Any]) -> None:
    """Every honest row meets the fate it was made for, and every hostile file and row its own."""
    broken = Counter(said for said in hostile.values() if isinstance(said, str))
    rejected = Counter(
        reason for said in hostile.values() if isinstance(said, list) for _, reason in said
    )
    reasons = sum(
        (Counter(file["quarantined_by_reason"]) for file in honest["files"].values()),
        start=broken + rejected,
    )
    assert account.is_balanced
    assert account.broken_files == broken.total()
    assert account.reasons == reasons
    assert account.quarantined_rows == honest["quarantined_rows"] + rejected.total()
    # The good rows of hostile files are rows like any.
    assert account.silver_rows + account.duplicate_rows >= (
        honest["silver_rows"] + honest["duplicate_rows"]
    )
