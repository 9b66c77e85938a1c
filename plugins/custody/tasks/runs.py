"""What the runs of a job that judges state, read by the tasks that go on from them.

Which run that is comes from no XCom, which who works in Airflow can edit: it is the last.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import Any

from custody.aws.kms.seal_key import fetch_seal_keys
from custody.aws.paging import pages as page_store
from custody.aws.runs.keeping import read_run
from custody.aws.runs.last import last_run
from custody.core.paging.changes import Change, changes
from custody.core.paging.findings import is_finding
from custody.core.paging.found import Found
from custody.core.runs.model import JudgingRun
from custody.core.runs.report import RunReport
from custody.core.runs.statement import BadRun, RunStatement
from custody.core.seal.layout import log_origin
from custody.core.tlog.signed_note import NoteKey
from custody.tasks.defaults import setting


def judge_of(job: str) -> dict[str, str]:
    """Templates of what it takes to find the runs of a job that judges: the setting `job` names
    it."""
    return {
        "job": setting(job),
        "bucket": setting("provenance_bucket"),
        "key": setting("seal_key_arn"),
        "former": setting("former_seal_keys"),
    }


def last_statement(
    judge: dict[str, str], as_of: datetime, *, s3: Any, kms: Any
) -> RunStatement | None:
    """What the last run of a job states, signed, as it stands at `as_of`; None if there is none.

    Raises what botocore raises.
    """
    return _last(judge, as_of, seal_key_of(judge, kms), s3)


def last_report(judge: dict[str, str], *, s3: Any, kms: Any) -> tuple[JudgingRun, RunReport]:
    """The last run of a job, and its signed report, in no table and by no query.

    Raises `BadRun` if that is not there, or not to be believed; or what botocore raises.
    """
    key = seal_key_of(judge, kms)
    last = _last(judge, datetime.now(UTC), key, s3)
    if last is None:
        raise BadRun(f"no run of {judge['job']} has stated anything")
    told = read_run(
        s3,
        key,
        judge["bucket"],
        job=judge["job"],
        run_id=last.run.id,
        day=last.run.day,
        parts=["report"],
    )
    return last.run, RunReport.parse(told.parts["report"])


def stated_run(judge: dict[str, str], run_id: str, as_of: str, *, s3: Any, kms: Any) -> JudgingRun:
    """The run `run_id` of a job, which judged on the day of `as_of`, by its own signed words.

    Both come from XComs: whoever edits them has another run that judged, or none. Raises `BadRun`
    if no run of that job is called so, `ValueError` for what is no day, or what botocore raises.
    """
    told = read_run(
        s3,
        seal_key_of(judge, kms),
        judge["bucket"],
        job=judge["job"],
        run_id=run_id,
        day=date.fromisoformat(as_of[:10]),
        parts=(),
    )
    return told.statement.run


def news_of(report: RunReport, s3: Any, bucket: str) -> tuple[Found, Sequence[Change]]:
    """What a run found, and what of it nobody has been told yet by what is remembered in `bucket`.

    Raises `MalformedInput`, or what botocore raises.
    """
    found = Found.from_document(report.found)
    paging = {finding.fingerprint for finding in found.rows if is_finding(finding)}
    states = page_store.page_states(s3, bucket, [*paging, *found.watched])
    return found, changes(found.rows, states, found.watched)


def seal_key_of(judge: dict[str, str], kms: Any) -> NoteKey:
    """The key that what the runs state is signed with."""
    former = filter(None, judge["former"].split(","))
    return fetch_seal_keys(kms, judge["key"], former, log_origin(judge["bucket"]))


def _last(judge: dict[str, str], as_of: datetime, key: NoteKey, s3: Any) -> RunStatement | None:
    return last_run(s3, key, judge["bucket"], job=judge["job"], as_of=as_of)
