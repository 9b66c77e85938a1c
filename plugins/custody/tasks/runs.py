"""What a run of a job that judges states, read by the tasks that go on from it."""

from __future__ import annotations

from datetime import date
from typing import Any

from custody.aws.kms.seal_key import fetch_seal_key
from custody.aws.runs.keeping import read_run
from custody.core.runs.report import RunReport
from custody.core.seal.layout import log_origin
from custody.tasks.defaults import setting


def judging_run(job: str, run_id: str) -> dict[str, str]:
    """Templates of what `report_of` needs: the setting `job` names the Glue job, `run_id` is its
    run."""
    return {
        "job": setting(job),
        "id": run_id,
        "bucket": setting("provenance_bucket"),
        "key": setting("seal_key_arn"),
    }


def report_of(run: dict[str, str], window: dict[str, Any], *, s3: Any, kms: Any) -> RunReport:
    """What the run that judged `window` states of itself, signed, in no table and by no query.

    Raises `custody.core.runs.statement.BadRun` if that is not there, or not to be believed.
    """
    key = fetch_seal_key(kms, run["key"], log_origin(run["bucket"]))
    told = read_run(
        s3,
        key,
        run["bucket"],
        job=run["job"],
        run_id=run["id"],
        day=date.fromisoformat(window["as_of"][:10]),
        parts=["report"],
    )
    return RunReport.parse(told.parts["report"])
