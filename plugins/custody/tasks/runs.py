"""What a run of a job that judges states, read by the tasks that go on from it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from custody.aws.kms.seal_key import fetch_seal_key
from custody.aws.paging import pages as page_store
from custody.aws.runs.keeping import read_run
from custody.core.paging.changes import Change, changes
from custody.core.paging.findings import is_finding
from custody.core.paging.found import Found
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


def news_of(report: RunReport, s3: Any, bucket: str) -> tuple[Found, Sequence[Change]]:
    """What a run found, and what of it nobody has been told yet by what is remembered in `bucket`.

    Raises `MalformedInput`, or what botocore raises.
    """
    found = Found.from_document(report.found)
    paging = {finding.fingerprint for finding in found.rows if is_finding(finding)}
    states = page_store.page_states(s3, bucket, [*paging, *found.watched])
    return found, changes(found.rows, states, found.watched)
