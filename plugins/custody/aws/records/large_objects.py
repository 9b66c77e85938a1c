"""Handing a large object to the Glue job that records it (docs/adr/033-large-objects.md).

The job is `include/glue_jobs/record_large.py`. Its run history says what has become of an object
version: a run names the version it is for.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Iterator
from enum import Enum
from typing import TYPE_CHECKING, Final

from custody.core.formats.untrusted import MalformedInput, load_json
from custody.core.records.names import record_id
from custody.core.records.notifications import ObjectCreated, object_created

if TYPE_CHECKING:
    from mypy_boto3_glue import GlueClient
    from mypy_boto3_glue.type_defs import JobRunTypeDef

MAX_ANNOUNCEMENT_BYTES: Final = 64 * 1024
"""S3 writes some 4 KB for the longest key."""

_VERSION: Final = "--record_id"
_ANNOUNCEMENT: Final = "--announcement"
_UNDER_WAY: Final = frozenset({"STARTING", "RUNNING", "STOPPING", "WAITING"})


class HandOver(Enum):
    """How far the job has come with an object version."""

    STARTED = "handed over to the large-object job"
    UNDER_WAY = "the large-object job is at it"
    DONE = "recorded by the large-object job"


def hand_over(
    glue: GlueClient, job_name: str, created: ObjectCreated, announcement: object
) -> HandOver:
    """See to it that the job records `created`, read from the event record `announcement`.

    Starts a run unless one is under way or has succeeded. Two callers at once may both start one;
    the second changes nothing. Raises what botocore raises, such as
    `ConcurrentRunsExceededException` when the job is busy.
    """
    version = record_id(created.version)
    for run in _runs_since(glue, job_name, created):
        if run.get("Arguments", {}).get(_VERSION) != version:
            continue
        if run["JobRunState"] == "SUCCEEDED":
            return HandOver.DONE
        if run["JobRunState"] in _UNDER_WAY:
            return HandOver.UNDER_WAY
    # base64, because a key may hold anything and arguments pass through several programs.
    text = json.dumps(announcement, separators=(",", ":"))
    encoded = base64.urlsafe_b64encode(text.encode()).decode("ascii")
    glue.start_job_run(JobName=job_name, Arguments={_VERSION: version, _ANNOUNCEMENT: encoded})
    return HandOver.STARTED


def announced(version: str, announcement: str) -> ObjectCreated:
    """What a run of the job was started for, from its two arguments; raises `MalformedInput`.

    They must belong together: the history of runs is believed about `version`.
    """
    try:
        raw = base64.b64decode(announcement, altchars=b"-_", validate=True)
    except (binascii.Error, ValueError) as error:
        raise MalformedInput("announcement", f"not base64 ({error})") from error
    record = load_json(raw, what="announcement", max_bytes=MAX_ANNOUNCEMENT_BYTES)
    created = object_created(record, "announcement")
    if version != record_id(created.version):
        raise MalformedInput("record_id", "is not that of the announced object version")
    return created


def _runs_since(glue: GlueClient, job_name: str, created: ObjectCreated) -> Iterator[JobRunTypeDef]:
    """The job's runs back to the time of the event, and some more.

    Glue lists the newest first; it does not promise to. If it did otherwise, a run might be missed
    and the object hashed once more.
    """
    for page in glue.get_paginator("get_job_runs").paginate(JobName=job_name):
        runs = page["JobRuns"]
        yield from runs
        if runs and all(run["StartedOn"] < created.event.time for run in runs):
            return
